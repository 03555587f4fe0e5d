/** `challengeScopes`: the 401 of a route that declares scopes itself names them, and no other does. */
import express from 'express'
import t from 'tap'
import { cognitoAuth as expressAuth } from '../../src/adapters/express/index.ts'
import { authDefault, cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { openApiParts } from '../../src/contract/openapi/index.ts'
import { type AuthErrorCode, anyOf, defineScopes } from '../../src/index.ts'
import { listen } from '../support/express.ts'
import { newApp } from '../support/fastify.ts'
import {
  CLIENT,
  jwk,
  keyPair,
  machineToken,
  NOW,
  POOL,
  parseChallenge,
  refusal,
  serve,
} from '../support/forge.ts'

const ALL = { scopes: ['orders/admin', 'orders/write'] } as const
const resourceMetadata = { resource: 'https://api.example/v1' }
const options = (changes: object) => ({
  userPoolId: POOL,
  clientId: CLIENT,
  jwks: { keys: [jwk()] },
  now: () => NOW * 1000,
  ...changes,
})
const on = options({ challengeScopes: true })

const bearer = (claims = {}, header = {}, pair = keyPair()) =>
  `Bearer ${machineToken(claims, header, pair)}`
const good = bearer()
/** One request for every 401 there is. */
const unauthorized: Record<string, string | undefined> = {
  ERR_TOKEN_MISSING: undefined,
  ERR_TOKEN_INVALID: bearer({ jti: 5 }),
  ERR_TOKEN_ISSUER: bearer({ iss: 'https://other.example' }),
  ERR_TOKEN_USE: bearer({ token_use: 'id' }),
  ERR_TOKEN_AUDIENCE: bearer({ aud: 'urn:other' }),
  ERR_TOKEN_EXPIRED: bearer({ exp: NOW - 60 }),
  ERR_TOKEN_NOT_ACTIVE: bearer({ nbf: NOW + 60 }),
  ERR_KEY_UNKNOWN: bearer({}, { kid: 'other' }),
  ERR_TOKEN_SIGNATURE: bearer({}, {}, keyPair('other')),
}
const scopeIn = (challenge: string | null | undefined): string | undefined =>
  parseChallenge(challenge ?? undefined)['scope']

t.test('every 401 of the route carries scope: all of them, or every member of anyOf', async (t) => {
  for (const [requirement, scope] of [
    [ALL, 'orders/admin orders/write'],
    [{ scopes: 'orders/read' }, 'orders/read'],
    [{ scopes: anyOf('orders/admin', 'reports/run') }, 'orders/admin reports/run'],
    [{ ...ALL, optional: true }, 'orders/admin orders/write'],
  ] as const) {
    const guard = serve({ challengeScopes: true }).guard(requirement)
    for (const [code, authorization] of Object.entries(unauthorized)) {
      if ('optional' in requirement && authorization === undefined) continue
      const error = await refusal(guard, authorization)
      t.strictSame([error.code, error.statusCode], [code as AuthErrorCode, 401])
      t.equal(scopeIn(error.headers['www-authenticate']), scope, code)
      t.equal(error.headers['cache-control'], 'no-store')
    }
  }
})

t.test('the exact text of the challenge', async (t) => {
  const guard = serve({ challengeScopes: true }).guard(ALL)
  const challenge = async (authorization: string | undefined) =>
    (await refusal(guard, authorization)).headers['www-authenticate']
  t.equal(await challenge(undefined), 'Bearer realm="api", scope="orders/admin orders/write"')
  t.equal(
    await challenge(unauthorized['ERR_TOKEN_EXPIRED']),
    'Bearer realm="api", error="invalid_token", error_description="The access token expired", scope="orders/admin orders/write"',
  )
  const invited = serve({ resourceMetadata }).guard({ scopes: 'orders/read' })
  t.equal(
    (await refusal(invited, undefined)).headers['www-authenticate'],
    'Bearer realm="api", scope="orders/read", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"',
  )
})

t.test('a 400, another 403 and a 503 carry none; the 403 for scopes does as before', async (t) => {
  const admin = serve({ challengeScopes: true }).guard(ALL)
  t.equal(scopeIn((await refusal(admin, 'Bearer')).headers['www-authenticate']), undefined)
  t.equal(
    scopeIn((await refusal(admin, good)).headers['www-authenticate']),
    'orders/admin orders/write',
  )
  const client = serve({ challengeScopes: true }).guard({
    scopes: 'orders/read',
    clientId: 'other',
  })
  t.equal(scopeIn((await refusal(client, good)).headers['www-authenticate']), undefined)
  const check = () => Promise.reject(new Error('down'))
  const down = serve({ challengeScopes: true, check }).guard({ scopes: 'orders/read' })
  t.equal((await refusal(down, good)).headers['www-authenticate'], undefined)
})

t.test('challengeScopes defaults to true with resourceMetadata', async (t) => {
  for (const [changes, named] of [
    [{}, false],
    [{ challengeScopes: true }, true],
    [{ challengeScopes: false }, false],
    [{ resourceMetadata }, true],
    [{ resourceMetadata, challengeScopes: false }, false],
  ] as const) {
    const { headers } = await refusal(serve(changes).guard(ALL), undefined)
    t.equal(scopeIn(headers['www-authenticate']) !== undefined, named, JSON.stringify(changes))
  }
  for (const challengeScopes of [null, 1, 'true', [], undefined]) {
    const given = options({ challengeScopes })
    t.throws(() => expressAuth(given as never), {
      code: 'ERR_OPTION_INVALID',
      message: /^cognito-m2m: challengeScopes: expected a (boolean|value), got .+\. /,
    })
  }
})

t.test('a guard with the default requirement or without scopes names no scope', async (t) => {
  const byDefault = serve({ challengeScopes: true, default: ALL })
  const withoutScopes = [byDefault.guard(), byDefault.guard({}), byDefault.guard({ clientId: 'a' })]
  for (const guard of withoutScopes) {
    for (const authorization of Object.values(unauthorized)) {
      const { headers } = await refusal(guard, authorization)
      t.equal(scopeIn(headers['www-authenticate']), undefined)
    }
  }
  const { headers } = await refusal(byDefault.guard(), good)
  t.equal(scopeIn(headers['www-authenticate']), 'orders/admin orders/write', 'its 403 does')
  // The same scopes, declared by the route itself.
  t.ok(scopeIn((await refusal(byDefault.guard(ALL), undefined)).headers['www-authenticate']))
})

t.test('Fastify: only routes that declare a requirement name scopes', async (t) => {
  const app = newApp(t)
  app.get('/before', { config: { auth: ALL } }, async () => 'reached')
  await app.register(cognitoAuth, { ...on, default: ALL } as never)
  app.get('/own', { config: { auth: ALL } }, async () => 'reached')
  app.all('/every', { config: { auth: ALL } }, async () => 'reached')
  app.get('/none', { config: { auth: {} } }, async () => 'reached')
  app.get('/default', async () => 'reached')
  app.get('/public', { config: { auth: false } }, async (_request, reply) => reply.code(401).send())
  app.register(async (child) => {
    child.register(authDefault, { auth: ALL })
    child.get('/child', async () => 'reached')
    child.get('/child/own', { config: { auth: ALL } }, async () => 'reached')
  })
  const ask = async (url: string, method: 'GET' | 'HEAD' | 'PUT' = 'GET', authorization = '') => {
    const { headers, statusCode } = await app.inject({ url, method, headers: { authorization } })
    t.equal(statusCode, 401, `${method} ${url}`)
    const challenge = headers['www-authenticate']
    return challenge === undefined ? 'no challenge' : scopeIn(challenge as string)
  }
  const scope = 'orders/admin orders/write'
  t.equal(await ask('/own'), scope)
  t.equal(await ask('/own', 'HEAD'), scope)
  t.equal(await ask('/own', 'GET', unauthorized['ERR_TOKEN_SIGNATURE']), scope)
  t.equal(await ask('/every', 'PUT'), scope)
  t.equal(await ask('/before'), scope)
  t.equal(await ask('/child/own'), scope)
  for (const url of ['/none', '/default', '/child', '/nowhere', '/own/nowhere']) {
    t.equal(await ask(url), undefined, url)
    t.equal(await ask(url, 'GET', unauthorized['ERR_TOKEN_EXPIRED']), undefined, url)
  }
  t.equal(await ask('/own', 'PUT'), undefined, 'no such route: the default decides')
  t.equal(await ask('/public'), 'no challenge')
})

t.test('Express: only guards that declare a requirement name scopes', async (t) => {
  const app = express()
  const auth = expressAuth({ ...on, default: ALL } as never)
  const reached = (_req: unknown, res: { end(text: string): void }) => res.end('reached')
  app.get('/own', auth(ALL), reached as never)
  app.get('/public', reached as never)
  app.use(auth())
  app.get('/default', reached as never)
  const origin = await listen(t, app)
  const ask = async (path: string) => {
    const response = await fetch(`${origin}${path}`)
    return [response.status, scopeIn(response.headers.get('www-authenticate') ?? 'Bearer x="y"')]
  }
  t.strictSame(await ask('/own'), [401, 'orders/admin orders/write'])
  t.strictSame(await ask('/default'), [401, undefined])
  t.strictSame(await ask('/nowhere'), [401, undefined])
  t.strictSame(await ask('/public'), [200, undefined])
})

t.test('documents of hand-written APIs show the challenges as they are sent', async (t) => {
  const orders = defineScopes('orders', { admin: 'Admin', write: 'Write' })
  const base = { tokenUrl: 'https://auth.example/oauth2/token', scopes: [orders] }
  const shown = (more: object) => {
    const { responses } = openApiParts({ ...base, ...more }).access(ALL)
    const { examples = {} } = responses['401']?.headers['WWW-Authenticate'] ?? {}
    return Object.values(examples).map(({ value }) => scopeIn(value as string))
  }
  const all = Object.keys(unauthorized).map(() => 'orders/admin orders/write')
  const none = all.map(() => undefined)
  t.strictSame(shown({}), none)
  t.strictSame(shown({ challengeScopes: true }), all)
  t.strictSame(shown({ resourceMetadata }), all)
  t.strictSame(shown({ resourceMetadata, challengeScopes: false }), none)
  t.throws(() => openApiParts({ ...base, challengeScopes: 1 as never }), {
    code: 'ERR_OPTION_INVALID',
    message: /challengeScopes: expected a boolean, got 1\. Pass true or false\.$/,
  })
})
