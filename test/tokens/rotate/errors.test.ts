/** `rotateClientSecret`: its options and its errors, which have no secret. */
import { inspect } from 'node:util'
import t from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { refusal, tokenAnswer } from '../../support/client.ts'
import { FIRST_SECRET, intercept, rotationErrorOf, setUpRotation } from '../../support/rotation.ts'

t.test('a secret that gets no token is not promoted', async (t) => {
  const cases: readonly (readonly [() => Response, number, object])[] = [
    [() => refusal('invalid_client'), 7, { error: 'invalid_client' }],
    [() => refusal('invalid_scope'), 0, { error: 'invalid_scope' }],
    [() => refusal('unauthorized_client'), 0, { error: 'unauthorized_client' }],
  ]
  for (const [answer, count, cause] of cases) {
    const { store, sleeps, rotate } = await setUpRotation(t)
    const isNew = (): boolean => store.secrets.pending !== undefined
    const fetch = async () => (isNew() ? answer() : tokenAnswer('a.b.c'))
    const error = await rotationErrorOf(rotate({ fetch }))
    t.match(error, { code: 'ERR_ROTATION_TOKEN', step: 'test', cause })
    t.equal(sleeps.length, count)
    t.equal(store.secrets.current.value, FIRST_SECRET)
    t.notMatch(JSON.stringify(error) + String(error), String(store.secrets.pending?.value))
  }
})

t.test('errors of Cognito and of the store keep their name, not their message', async (t) => {
  class CustomError extends Error {
    override readonly name = `quotes ${FIRST_SECRET}`
  }
  const metadata = { httpStatusCode: 400, requestId: 'c0ffee' }
  const cases: readonly (readonly [unknown, object])[] = [
    [
      Object.assign(new Error(FIRST_SECRET), {
        name: 'AccessDeniedException',
        $metadata: metadata,
      }),
      { exception: 'AccessDeniedException', status: 400, requestId: 'c0ffee' },
    ],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), { exception: 'ECONNREFUSED' }],
    [new CustomError(), { exception: 'Error', status: undefined, requestId: undefined }],
    [undefined, { exception: 'Error' }],
    [FIRST_SECRET, { exception: 'Error' }],
  ]
  for (const [thrown, facts] of cases) {
    const { cognito, store, rotate } = await setUpRotation(t)
    const fail = async (): Promise<never> => {
      throw thrown
    }
    const ofCognito = await rotationErrorOf(rotate({ cognito: intercept(cognito, fail) }))
    t.match(ofCognito, { ...facts, code: 'ERR_ROTATION_COGNITO', step: undefined })
    const ofStore = await rotationErrorOf(rotate({ store: intercept(store, fail) }))
    t.match(ofStore, { ...facts, code: 'ERR_ROTATION_STORE' })
    for (const error of [ofCognito, ofStore]) {
      t.notMatch(`${error} ${JSON.stringify(error)} ${error.stack}`, FIRST_SECRET)
      t.equal(error.stack, undefined)
      t.equal(error.cause, undefined)
    }
  }
})

t.test('each wrong option has a message of one line with the fix', async (t) => {
  const { rotate, cognito } = await setUpRotation(t)
  const wrong = (value: unknown) => value as never
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ cognito: {} }, 'cognito', /with the method listUserPoolClientSecrets, got an object/],
    [{ cognito: null }, 'cognito', /got null/],
    [{ store: { get: () => {} } }, 'store', /with the method putPending/],
    [{ store: 'ssm:/a' }, 'store', /got "ssm:\/a"/],
    [{ userPoolId: 'eu-west-1' }, 'userPoolId', /expected <region>_<letters and digits>/],
    [{ userPoolId: 7 }, 'userPoolId', /got 7/],
    [{ clientId: '' }, 'clientId', /non-empty string/],
    [{ clientId: ['a'] }, 'clientId', /one app client id, got an array/],
    [{ tokenEndpoint: 'http://a.example/oauth2/token' }, 'tokenEndpoint', /https/],
    [{ tokenEndpoint: [] }, 'tokenEndpoint', /expected one or two, got 0/],
    [{ tokenEndpoint: ['a', 'b', 'c'] }, 'tokenEndpoint', /expected one or two, got 3/],
    [{ userPoolsApi: { region: 'moon-1' } }, 'userPoolsApi.region', /a Region of AWS/],
    [{ grace: -1 }, 'grace', /from 0 to 604800/],
    [{ grace: 604_801 }, 'grace', /from 0 to 604800/],
    [{ grace: '24h' }, 'grace', /got "24h"/],
    [{ dryRun: 'yes' }, 'dryRun', /expected a boolean/],
    [{ signal: {} }, 'signal', /expected an AbortSignal/],
    [{ onStep: 'log' }, 'onStep', /expected a function/],
    [{ sleep: 1 }, 'sleep', /expected a function/],
    [{ now: 1 }, 'now', /expected a function/],
    [{ fetch: 1 }, 'fetch', /expected a function/],
    [{ secret: 'x' }, 'secret', /an unknown name/],
  ]
  for (const [changes, option, problem] of cases) {
    const failed = rotate(wrong({ ...changes }))
    await t.rejects(failed, { code: 'ERR_OPTION_INVALID', option, problem }, option)
    const message = await failed.catch((error: OptionError) => error.message)
    t.match(message, /^cognito-m2m: [^\n]+: expected [^\n]+, got [^\n]+\. [A-Z][^\n]+\.$/)
  }
  const both = rotate({
    userPoolsApi: { region: 'eu-west-1' },
    tokenEndpoint: 'https://a/oauth2/token',
  })
  await t.rejects(both, { code: 'ERR_OPTION_INVALID', option: 'userPoolsApi', problem: /got both/ })
  const { rotateClientSecret } = await import('../../../src/tokens/rotate/index.ts')
  const base = { cognito, store: { get() {}, putPending() {}, promote() {} } }
  const none = rotateClientSecret(wrong({ ...base, userPoolId: 'eu-west-1_a', clientId: 'a' }))
  await t.rejects(none, { code: 'ERR_OPTION_INVALID', option: 'tokenEndpoint' })
  t.ok((await none.catch((error: unknown) => error)) instanceof OptionError)
})

t.test('a response that quotes the secret does not reach the error', async (t) => {
  const { store, rotate } = await setUpRotation(t)
  const quoted: string[] = []
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    if (store.secrets.pending === undefined) return tokenAnswer('a.b.c')
    const authorization = new Headers(init?.headers).get('authorization') ?? ''
    const text = `${init?.body} ${authorization} ${store.secrets.pending.value}`
    quoted.push(store.secrets.pending.value, authorization.slice('Basic '.length))
    return Response.json({ error: 'invalid_scope', error_description: text }, { status: 400 })
  }
  const error = await rotationErrorOf(rotate({ fetch }))
  t.equal(error.code, 'ERR_ROTATION_TOKEN')
  const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`
  for (const text of quoted) t.notOk(shown.includes(text))
  t.equal(quoted.length, 2)
})
