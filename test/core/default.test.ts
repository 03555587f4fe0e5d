/** `default`: the requirement of guards without one. */
import t from 'tap'
import { anyOf, createResourceServer, OptionError } from '../../src/index.ts'
import {
  type Changes,
  CLIENT,
  jwk,
  machineToken,
  NOW,
  outcome,
  POOL,
  serve,
} from '../support/forge.ts'

const bearer = (claims: Changes = {}) => `Bearer ${machineToken(claims)}`
const READ = { scope: 'orders/read' }
const OTHER = { scope: 'orders/other' }

t.test('without a default, a guard requires a valid token only', async (t) => {
  for (const changes of [{}, { default: {} }, { default: { optional: false } }]) {
    const guard = serve(changes).guard()
    t.equal(await outcome(guard, bearer({ scope: undefined })), 'accepted')
    t.equal(await outcome(guard, undefined), 'ERR_TOKEN_MISSING')
    t.equal(await outcome(guard, bearer({ exp: NOW - 60 })), 'ERR_TOKEN_EXPIRED')
  }
})

const defaults: [string, object, string][] = [
  ['a scope', { scopes: 'orders/read' }, 'ERR_SCOPE_INSUFFICIENT'],
  ['all of several', { scopes: ['orders/read', 'orders/other'] }, 'ERR_SCOPE_INSUFFICIENT'],
  ['one of several', { scopes: anyOf('orders/read', 'orders/write') }, 'ERR_SCOPE_INSUFFICIENT'],
  ['a client', { clientId: 'another' }, 'ERR_ACCESS_DENIED'],
  ['a check', { check: () => false }, 'ERR_ACCESS_DENIED'],
]
for (const [name, fallback, refusal] of defaults) {
  t.test(`a default may require ${name}`, async (t) => {
    const server = serve({ default: fallback })
    t.equal(await outcome(server.guard(), bearer(OTHER)), refusal)
    t.equal(await outcome(server.guard(), undefined), 'ERR_TOKEN_MISSING')
    t.equal(await outcome(server.guard({}), bearer(OTHER)), 'accepted', 'not added to one given')
  })
}

t.test('accepts a token that meets the default', async (t) => {
  const asked: unknown[] = []
  const check = (_token: unknown, request: unknown) => asked.push(request) === 1
  const guard = serve({ default: { scopes: 'orders/read', clientId: CLIENT, check } }).guard()
  const request = { url: '/r' }
  t.equal(await outcome(guard, bearer(READ), request), 'accepted')
  t.strictSame(asked, [request])
})

t.test('a requirement of the guard replaces the default', async (t) => {
  const server = serve({ default: { scopes: 'orders/read' } })
  t.equal(await outcome(server.guard({ clientId: CLIENT }), bearer(OTHER)), 'accepted')
  t.equal(await outcome(server.guard({ scopes: 'orders/other' }), bearer(OTHER)), 'accepted')
  t.equal(await outcome(server.guard({ optional: true }), undefined), 'null')
})

t.test('rejects a default that allows requests without a token', async (t) => {
  const pool = { userPoolId: POOL, clientId: CLIENT, jwks: { keys: [jwk()] } }
  const open = [false, { optional: true }, { optional: true, scopes: 'orders/read' }] as const
  for (const fallback of open) {
    t.throws(() => createResourceServer({ ...pool, default: fallback }), OptionError)
    t.throws(() => createResourceServer({ ...pool, default: fallback }), {
      code: 'ERR_OPTION_INVALID',
      option: 'default',
      message:
        'cognito-m2m: default: expected a requirement for a token, got one that allows requests without a token. Pass { optional: true } to the guards of public routes instead.',
    })
  }
})

t.test('invalid options fetch no keys', async (t) => {
  let fetches = 0
  const fetch = async () => {
    fetches += 1
    return Response.json({ keys: [jwk()] })
  }
  t.throws(() => serve({ jwks: undefined, fetch, default: false }), {
    code: 'ERR_OPTION_INVALID',
    option: 'default',
  })
  t.equal(fetches, 0)
})

t.test('rejects undefined as a requirement', async (t) => {
  const server = serve({ default: { scopes: 'orders/read' } })
  const guard = server.guard.bind(server) as (requirement: unknown) => unknown
  t.throws(() => guard(undefined), {
    code: 'ERR_OPTION_INVALID',
    option: 'requirement',
    message:
      'cognito-m2m: requirement: expected a plain object, got undefined. Pass an object literal.',
  })
  t.throws(() => guard(false), {
    option: 'requirement',
    message: /: expected a requirement, got false\. Pass \{\} for any valid token\.$/,
  })
  t.throws(() => guard(null), { code: 'ERR_OPTION_INVALID', option: 'requirement' })
})

t.test('later changes of the default have no effect', async (t) => {
  const scopes = ['orders/read']
  const fallback: Changes = { scopes }
  const server = serve({ default: fallback })
  scopes[0] = 'orders/other'
  Object.assign(fallback, { optional: true })
  t.equal(await outcome(server.guard(), undefined), 'ERR_TOKEN_MISSING')
  t.equal(await outcome(server.guard(), bearer(READ)), 'accepted')
  t.equal(await outcome(server.guard(), bearer(OTHER)), 'ERR_SCOPE_INSUFFICIENT')
})

t.test('the 403 challenge names the scopes of the default', async (t) => {
  const guard = serve({ default: { scopes: ['orders/read', 'a/x'] } }).guard()
  const refused = await (async () => guard(bearer(OTHER)))().catch((error) => error)
  t.match(refused.headers['www-authenticate'], /, scope="orders\/read a\/x"$/)
})
