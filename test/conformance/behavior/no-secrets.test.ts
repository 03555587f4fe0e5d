/**
 * No body, header, log line or event contains text of a request, a key or a stack. This includes the
 * causes of errors, and the handlers and loggers of the frameworks.
 */
import { setImmediate } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { cognitoAuth as expressAuth } from '../../../src/adapters/express/index.ts'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import type { CognitoAuthOptions } from '../../../src/index.ts'
import { authFor, listen, versions } from '../../support/express.ts'
import { captureLog, NOW, pool, SCOPE } from '../../support/fastify.ts'
import { encode, keyPair, parseChallenge, signed } from '../../support/forge.ts'
import { listen as listenToEvents, NAMES } from '../../support/listen.ts'
import { pairsOf, sample } from '../../support/sample.ts'

const MARK = 'EVIL'
const jwks = pool.jwks()
const kid = jwks.keys[0]?.kid as string
const machine = JSON.parse(
  Buffer.from(pool.accessToken({ scopes: SCOPE }).split('.')[1] as string, 'base64url').toString(),
) as Record<string, unknown>

const forged = (claims: object, header: object = {}) =>
  `Bearer ${signed({ kid, alg: 'RS256', ...header }, { ...machine, ...claims }, keyPair('attacker').privateKey)}`

/** Attacker's text in every place of a request that a decision looks at, HTTP-safe. */
const texts = [`${MARK}"`, `", error="none", x="${MARK}`, `${MARK}\\`, `<script>${MARK}</script>`]
const requestsWith = (text: string): [string, string][] => [
  ['credential', `Bearer a ${text}`],
  ['scheme', `Bearer${text}`],
  ['token', `Bearer ${encode(text)}.${encode(text)}.AAAA`],
  ['alg', forged({}, { alg: text })],
  ['crit', forged({}, { crit: [text], [text]: 1 })],
  ['kid', forged({}, { kid: text })],
  ['iss', forged({ iss: text })],
  ['token_use', forged({ token_use: text })],
  ['sub', forged({ sub: text })],
  ['client_id', forged({ client_id: text, sub: text })],
  ['scope', forged({ scope: text.replace(/["\\]/g, '') })],
  ['jti', forged({ jti: text })],
  ['exp', forged({ exp: text })],
  ['expired', forged({ exp: NOW / 1000 - 60, jti: text })],
]
const paths = ['/r', `/r?access_token=${MARK}`, `/r?x=%22%0D%0A${MARK}`]
const allRequests = paths.flatMap((path) =>
  texts.flatMap((text) =>
    requestsWith(text).map(([place, authorization]) => ({ path, text, place, authorization })),
  ),
)
/** Every two of text, place and path occur together. */
const requests = sample("an attacker's text", allRequests, ({ path, text, place }) =>
  pairsOf([path, text, place]),
)

/** What must not be found: text of the request, parts of any token or key, frames of a stack. */
function checkSilence(t: Test, said: string, about: string): void {
  const secrets = [MARK, kid, ...jwks.keys.map(({ n }) => n as string), 'eyJ']
  for (const secret of secrets) t.notOk(said.includes(secret), `${about}: ${secret.slice(0, 20)}`)
  t.notMatch(said, /node_modules|file:\/\/|\.[tj]s:\d|\n +at |&nbsp;at |BEGIN /, about)
}

async function ask(t: Test, origin: string, about: string): Promise<void> {
  for (const { path, place, authorization } of requests) {
    const response = await fetch(`${origin}${path}`, { headers: { authorization } })
    const body = await response.text()
    const headers = JSON.stringify([...response.headers])
    if (response.status < 400 || response.status > 403) t.fail(`${place}: ${response.status}`)
    checkSilence(t, `${headers}${body}`, `${about}, ${place}`)
    parseChallenge(response.headers.get('www-authenticate') ?? undefined)
  }
}

/** Faults around a valid token: errors of a check, a lookup and a transport. */
const secret = () => Promise.reject(new Error(`${MARK} ${pool.accessToken()}`))
const faults: Record<string, Partial<CognitoAuthOptions>> = {
  'a check': { check: secret },
  'a lookup': { clientId: secret },
  'a transport': { jwks: undefined, fetch: secret } as object,
}
const optionsOf = (fault: object): CognitoAuthOptions => {
  const given = Object.entries({ ...pool.options(), issuer: pool.issuer, ...fault })
  const offline = 'fetch' in fault ? { issuer: 'http://127.0.0.1:9/pool' } : {}
  return {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    ...offline,
  } as CognitoAuthOptions
}
const right = (fault: object) => {
  const issuer = 'fetch' in fault ? { iss: 'http://127.0.0.1:9/pool' } : {}
  return `Bearer ${pool.accessToken({ scopes: SCOPE, claims: issuer as never })}`
}

const { heard } = listenToEvents(t)

t.test('Fastify, its default handler and its logger at trace', async (t) => {
  const log = captureLog('trace')
  // The request line is Fastify's own to log or not: here the decision's lines are looked at.
  const app = Fastify({ logger: { ...log.logger, serializers: { req: () => ({}) } } })
  await app.register(cognitoAuth, pool.options())
  app.get('/r', { config: { auth: { scopes: SCOPE } } }, async () => 'reached')
  t.teardown(() => app.close())
  await ask(t, await app.listen({ port: 0, host: '127.0.0.1' }), 'Fastify')
  t.ok(log.lines().length > requests.length)
  checkSilence(t, log.text(), 'Fastify’s log')
})

t.test('Fastify, errors of application code', async (t) => {
  for (const [name, fault] of Object.entries(faults)) {
    const log = captureLog('trace')
    const app = Fastify({ logger: log.logger })
    await app.register(cognitoAuth, optionsOf(fault))
    app.get('/r', async () => 'reached')
    const response = await app.inject({ url: '/r', headers: { authorization: right(fault) } })
    t.equal(response.statusCode, 503, name)
    await app.close()
    checkSilence(t, `${JSON.stringify(response.headers)}${response.body}`, name)
    t.match(log.text(), 'AuthError', 'it is logged')
    checkSilence(t, log.text(), `${name}, log`)
  }
})

for (const [version, express] of Object.entries(versions)) {
  for (const errors of ['answer', 'next'] as const) {
    t.test(`${version}, errors '${errors}', its default handler`, async (t) => {
      const printed = t.capture(console, 'error', () => {})
      const before = process.env['NODE_ENV']
      process.env['NODE_ENV'] = 'development'
      t.teardown(() => {
        if (before === undefined) delete process.env['NODE_ENV']
        else process.env['NODE_ENV'] = before
      })
      const app = express()
      app.get('/r', authFor({ errors })({ scopes: SCOPE }), () => t.fail('reached'))
      const apps = Object.entries(faults).map(([name, fault]) => {
        const auth = expressAuth({ ...optionsOf(fault), errors })
        t.teardown(() => auth.server.close())
        app.get(`/${name.slice(2)}`, auth(), () => t.fail('reached'))
        return [name, fault] as const
      })
      const origin = await listen(t, app)
      await ask(t, origin, version)
      for (const [name, fault] of apps) {
        const headers = { authorization: right(fault) }
        const response = await fetch(`${origin}/${name.slice(2)}`, { headers })
        t.equal(response.status, 503, name)
        checkSilence(t, `${JSON.stringify([...response.headers])}${await response.text()}`, name)
      }
      for (let turn = 0; turn < 10; turn += 1) await setImmediate()
      const lines = printed().map(({ args }) => args.map(String).join(' '))
      t.equal(
        lines.length >= requests.length,
        errors === 'next',
        'Express prints what it is handed',
      )
      checkSilence(t, lines.join('\n'), 'printed')
    })
  }
}

t.test('events of all of that', async (t) => {
  const names = new Set(heard.map(({ name }) => name))
  // No set was swapped here, and tokens are issued elsewhere.
  const silent: readonly string[] = [
    ...['cognito-m2m:jwks-change', 'cognito-m2m:token-request', 'cognito-m2m:client-token'],
  ]
  t.strictSame([...names].sort(), NAMES.filter((name) => !silent.includes(name)).sort())
  t.ok(heard.length > requests.length * 5)
  for (const { name, event } of heard) {
    checkSilence(t, JSON.stringify(event), name)
    const flat = Object.values(event).every((value) => Object(value) !== value)
    if (!flat) t.fail(`${name} has more than one level`)
  }
})
