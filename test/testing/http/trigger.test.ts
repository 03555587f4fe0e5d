/** The pre-token-generation trigger of a local pool, over both token APIs. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type PreTokenGenerationTrigger, startUserPool } from '../../../src/testing/index.ts'
import { ask, decode, FORM } from '../../support/http.ts'

const USER_POOL_ID = 'xx-local-1_Trigger'

interface Outcome {
  readonly status: number
  /** The token's claims, or the error. */
  readonly claims?: Record<string, unknown>
  readonly error?: unknown
  readonly message?: unknown
}

interface Request {
  readonly scopes?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
}

/** Starts a pool, and returns a function that requests a token by each API. */
async function setUp(t: Test, trigger: PreTokenGenerationTrigger) {
  const pool = await startUserPool({
    userPoolId: USER_POOL_ID,
    clients: [
      { clientId: 'billing', clientSecrets: ['s'], scopes: ['orders/read', 'orders/write'] },
    ],
    trigger,
  })
  t.teardown(() => pool.close())
  const overForm = async ({ scopes, metadata }: Request): Promise<Outcome> => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'billing',
      client_secret: 's',
    })
    if (scopes !== undefined) form.set('scope', scopes.join(' '))
    if (metadata !== undefined) form.set('aws_client_metadata', JSON.stringify(metadata))
    const { status, json } = await ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM },
      body: form.toString(),
    })
    const { access_token: token, error, error_description: message } = json
    if (status === 200) return { status, claims: decode(String(token), 1) }
    return { status, error, message }
  }
  const overApi = async ({ scopes, metadata }: Request): Promise<Outcome> => {
    const { status, json } = await ask(pool.port, {
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.GetClientToken',
      },
      body: JSON.stringify({
        ClientId: 'billing',
        Secret: 's',
        Scopes: scopes,
        ClientMetadata: metadata,
      }),
    })
    const { ClientAuthenticationResult: result, __type: error, message } = json
    if (status !== 200) return { status, error, message }
    return { status, claims: decode((result as { AccessToken: string }).AccessToken, 1) }
  }
  return [overForm, overApi] as const
}

t.test('the event is that of V3, and a copy', async (t) => {
  const events: unknown[] = []
  const requests = await setUp(t, (event) => {
    events.push(structuredClone(event))
    event.request.scopes.push('changed/here')
    return event
  })
  for (const request of requests) {
    const { claims } = await request({ scopes: ['orders/read'], metadata: { tenant: 'a' } })
    t.equal(claims?.['scope'], 'orders/read', 'a change of the request has no effect')
    await request({})
  }
  const event = {
    version: '3',
    triggerSource: 'TokenGeneration_ClientCredentials',
    region: 'xx-local-1',
    userPoolId: USER_POOL_ID,
    userName: 'billing',
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: 'billing' },
    response: { claimsAndScopeOverrideDetails: null },
  }
  const base = { userAttributes: {}, groupConfiguration: {} }
  const first = {
    ...event,
    request: { ...base, scopes: ['orders/read'], clientMetadata: { tenant: 'a' } },
  }
  const second = { ...event, request: { ...base, scopes: ['orders/read', 'orders/write'] } }
  t.same(events, [first, second, first, second])
})

t.test('claims and scopes are changed', async (t) => {
  const requests = await setUp(t, async (event) => {
    event.response = {
      claimsAndScopeOverrideDetails: {
        accessTokenGeneration: {
          claimsToAddOrOverride: {
            tenant: event.request.clientMetadata?.['tenant'],
            level: 3,
            flags: ['a', true],
            address: { city: 'x' },
            aud: event.callerContext.clientId,
            both: 'added',
          },
          claimsToSuppress: ['both', 'absent'],
          scopesToAdd: ['reports/read', 'orders/read'],
          scopesToSuppress: ['orders/write', 'absent/scope'],
        },
      },
    }
    return event
  })
  for (const request of requests) {
    const { status, claims } = await request({ metadata: { tenant: 'a' } })
    t.equal(status, 200)
    t.match(claims, {
      tenant: 'a',
      level: 3,
      flags: ['a', true],
      address: { city: 'x' },
      aud: 'billing',
      scope: 'orders/read reports/read',
      client_id: 'billing',
    })
    t.notOk('both' in (claims as object) || 'absent' in (claims as object))
  }
})

t.test('a response without changes, and one that removes all scopes', async (t) => {
  const details: readonly (readonly [unknown, string | undefined])[] = [
    [null, 'orders/read orders/write'],
    [{}, 'orders/read orders/write'],
    [{ accessTokenGeneration: null }, 'orders/read orders/write'],
    [
      { idTokenGeneration: { claimsToAddOrOverride: { iss: 'x' } }, groupOverrideDetails: {} },
      'orders/read orders/write',
    ],
    [{ accessTokenGeneration: { scopesToSuppress: ['orders/read', 'orders/write'] } }, undefined],
  ]
  for (const [claimsAndScopeOverrideDetails, scope] of details) {
    const requests = await setUp(t, () => ({ response: { claimsAndScopeOverrideDetails } }))
    for (const request of requests) t.equal((await request({})).claims?.['scope'], scope)
  }
})

t.test('an exception becomes the error of Cognito', async (t) => {
  const thrown: readonly (readonly [() => unknown, string])[] = [
    [() => Promise.reject(new Error('Unknown tenant')), 'Unknown tenant'],
    [
      () => {
        throw new TypeError('x')
      },
      'x',
    ],
    [() => Promise.reject('text'), "'text'"],
    [() => Promise.reject(Object.create(null)), '[Object: null prototype] {}'],
    [() => Promise.reject(new Error('y'.repeat(2000))), 'y'.repeat(1000)],
  ]
  for (const [trigger, text] of thrown) {
    const [overForm, overApi] = await setUp(t, trigger)
    const message = `PreTokenGeneration failed with error ${text}.`
    t.strictSame(await overForm({}), { status: 400, error: 'invalid_request', message })
    t.strictSame(await overApi({}), {
      status: 400,
      error: 'UserLambdaValidationException',
      message,
    })
  }
})

t.test('changes that Cognito does not allow, and responses that it cannot read', async (t) => {
  const change = (accessTokenGeneration: unknown) => ({
    response: { claimsAndScopeOverrideDetails: { accessTokenGeneration } },
  })
  const reserved = [
    ...['acr', 'amr', 'at_hash', 'auth_time', 'azp', 'client_id', 'cognito:groups', 'device_key'],
    ...['event_id', 'exp', 'iat', 'identities', 'iss', 'jti', 'nbf', 'nonce', 'origin_jti'],
    ...['scope', 'sub', 'token_use', 'username', 'version'],
  ]
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ...reserved.map(
      (name) =>
        [
          change({ claimsToAddOrOverride: { [name]: 'x' } }),
          new RegExp(`has the claim ${name}, which cannot be changed\\.$`),
        ] as const,
    ),
    [change({ claimsToAddOrOverride: { aud: 'other' } }), /the claim aud, which cannot/],
    [change({ claimsToSuppress: ['iss'] }), /the claim iss, which cannot be changed/],
    [change({ claimsToSuppress: ['aud'] }), /the claim aud, which cannot be changed/],
    [change({ claimsToSuppress: 'tenant' }), /claimsToSuppress that is not an array of strings/],
    [change({ scopesToAdd: [7] }), /scopesToAdd that is not an array of strings/],
    [change({ scopesToSuppress: {} }), /scopesToSuppress that is not an array of strings/],
    [change({ scopesToAdd: ['a b'] }), /a scope with invalid characters/],
    [change({ claimsToAddOrOverride: [] }), /^Unrecognizable lambda output$/],
    [change('x'), /^Unrecognizable lambda output$/],
    [{ response: { claimsAndScopeOverrideDetails: 7 } }, /^Unrecognizable lambda output$/],
    [{ response: null }, /^Unrecognizable lambda output$/],
    [{}, /^Unrecognizable lambda output$/],
    [[], /^Unrecognizable lambda output$/],
    ['x', /^Unrecognizable lambda output$/],
    [null, /^Unrecognizable lambda output$/],
    [undefined, /^Unrecognizable lambda output$/],
    [circular, /^Unrecognizable lambda output$/],
  ]
  let output: unknown
  const [overForm, overApi] = await setUp(t, () => output)
  for (const [value, message] of cases) {
    output = value
    t.match(await overForm({}), { status: 400, error: 'invalid_request', message })
    t.match(await overApi({}), { status: 400, error: 'InvalidLambdaResponseException', message })
  }
})

t.test('a call of more than 5 s ends', async (t) => {
  let calls = 0
  const requests = await setUp(t, () => {
    calls += 1
    return new Promise(() => {})
  })
  for (const [index, error] of ['invalid_request', 'UnexpectedLambdaException'].entries()) {
    const timers = mock.method(globalThis, 'setTimeout')
    const outcome = requests[index]?.({})
    while (calls <= index) await new Promise((resolve) => setImmediate(resolve))
    const timer = timers.mock.calls.find(({ arguments: [, delay] }) => delay === 5000)
    timers.mock.restore()
    const expire = timer?.arguments[0] as (() => void) | undefined
    t.type(expire, 'function')
    expire?.()
    t.match(await outcome, { status: 400, error, message: /Socket timeout while invoking/ })
  }
})

t.test('the trigger is called last: not for a rejected request', async (t) => {
  let calls = 0
  const requests = await setUp(t, (event) => {
    calls += 1
    return event
  })
  for (const request of requests) t.equal((await request({ scopes: ['orders/purge'] })).status, 400)
  t.equal(calls, 0)
})

t.test('a trigger is a function', async (t) => {
  await t.rejects(startUserPool({ trigger: './trigger.js' } as never), {
    message:
      'cognito-m2m: trigger: expected a function, got "./trigger.js". Pass a function or leave it out.',
  })
})
