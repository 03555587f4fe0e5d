/** A registration that fails, where the app swallows its error: the context stays blocked. */
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { getRequirementResolver } from '../../../src/core/introspection.ts'
import {
  answerOf,
  captureLog,
  foreign,
  get,
  MISSING,
  NO_SCOPE,
  newApp,
  now,
  otherPool,
  pool,
  protectedApp,
  right,
  SCOPE,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'

const unreachable = async (): Promise<Response> => {
  throw new TypeError('fetch failed')
}
/** Keys are required at start, and there are none. */
const withoutKeys = {
  userPoolId: 'eu-west-1_AbCdEfGhI',
  clientId: 'billing',
  fetch: unreachable,
  now,
  keyStore: { startup: 'require' as const },
}
/** What makes a registration fail, and what its context answers from then on. */
const CAUSES: Record<string, readonly [(app: FastifyInstance) => object, string]> = {
  'no keys': [() => withoutKeys, '503 ERR_KEYS_UNAVAILABLE'],
  'a bad option': [() => ({ ...otherPool.options(), realm: '"' }), '500 ERR_OPTION_INVALID'],
  'no options': [() => ({}), '500 ERR_OPTION_INVALID'],
  'cognito is taken': [
    (app) => {
      app.decorate('cognito', {} as never)
      return otherPool.options()
    },
    '500 ERR_INTERNAL',
  ],
}
const swallowed: Error[] = []
function failing(app: FastifyInstance, cause: string): void {
  const [prepare] = CAUSES[cause] as (typeof CAUSES)[string]
  app.register(cognitoAuth, prepare(app) as never).after((error) => {
    if (error) swallowed.push(error)
  })
}
// Fastify keeps an error for the next call unless it is consumed.
const swallow = (_error: Error | null) => {}
const credentials = [undefined, right, foreign, 'Bearer rubbish']

/** Every route of the context sends the same response, whatever the credential and the requirement. */
async function blocked(test: Test, app: FastifyInstance, urls: string[], answer: string) {
  for (const url of urls) {
    for (const authorization of credentials) {
      test.equal(await get(app, url, authorization), answer, `${url} ${authorization?.slice(0, 9)}`)
    }
  }
}

function addRoutes(app: FastifyInstance, calls: string[], prefix = ''): string[] {
  const needs = { default: undefined, scoped: { scopes: SCOPE }, optional: { optional: true } }
  const routes = { ...needs, public: false as const }
  return Object.entries(routes).map(([name, auth]) => {
    const url = `${prefix}/${name}`
    const config = auth === undefined ? {} : { auth }
    app.get(url, { config }, async () => void calls.push(url))
    return url
  })
}

for (const [cause, [, answer]] of Object.entries(CAUSES)) {
  t.test(`${cause}: at the root`, async (t) => {
    const calls: string[] = []
    const app = newApp(t)
    const before = addRoutes(app, calls, '/before')
    failing(app, cause)
    const after = addRoutes(app, calls, '/after')
    const below: string[] = []
    app.register(async (child) => void below.push(...addRoutes(child, calls, '/below')))
    swallowed.length = 0
    await app.ready()
    t.equal(swallowed.length, 1, 'the app swallowed the error')
    await blocked(t, app, [...before, ...after, ...below, '/nowhere'], answer)
    t.strictSame(calls, [])
  })

  t.test(`${cause}: nested, the outer guard’s answer never comes through`, async (t) => {
    const calls: string[] = []
    const app = newApp(t)
    // Its decorator would conflict with the one that is taken deliberately.
    if (cause !== 'cognito is taken') await app.register(cognitoAuth, pool.options())
    const inner: string[] = []
    app.register(async (child) => {
      failing(child, cause)
      inner.push(...addRoutes(child, calls, '/inner'))
      child.register(async (below) => void inner.push(...addRoutes(below, calls, '/below')))
    })
    app.get('/outer', async () => 'outer')
    swallowed.length = 0
    await app.ready()
    t.equal(swallowed.length, 1)
    await blocked(t, app, inner, answer)
    t.strictSame(calls, [])
    if (cause !== 'cognito is taken') {
      t.equal(await get(app, '/outer'), MISSING)
      t.equal(await get(app, '/outer', right), '200', 'the outer context goes on')
    }
  })

  t.test(`${cause}: outer, an inner registration goes on`, async (t) => {
    const app = newApp(t)
    if (cause === 'cognito is taken') return
    failing(app, cause)
    app.register(async (child) => {
      await child.register(cognitoAuth, otherPool.options())
      child.get('/inner', async () => 'inner')
    })
    app.get('/outer', async () => 'outer')
    await app.ready()
    await blocked(t, app, ['/outer'], answer)
    t.equal(await get(app, '/inner', foreign), '200')
    t.equal(await get(app, '/inner', right), '401 ERR_TOKEN_ISSUER')
    t.equal(await get(app, '/inner'), MISSING)
  })
}

t.test(
  'request.auth of another plugin: blocked, and what that plugin says is not used',
  async (t) => {
    const app = newApp(t)
    app.decorateRequest('auth', { getter: () => ({ clientId: 'whoever' }) } as never)
    app.register(cognitoAuth, pool.options()).after(swallow)
    app.get('/r', async ({ auth }) => auth)
    await blocked(t, app, ['/r'], '500 ERR_OPTION_INVALID')
  },
)

t.test('a second registration in one context blocks it', async (t) => {
  const app = await protectedApp(t)
  app.register(cognitoAuth, { ...pool.options(), default: { scopes: SCOPE } }).after(swallow)
  app.get('/r', async () => 'reached')
  await blocked(t, app, ['/r'], '500 ERR_OPTION_INVALID')
})

t.test('what a blocked context answers, whole', async (t) => {
  const log = captureLog('error')
  const app = newApp(t, { logger: log.logger })
  failing(app, 'no keys')
  app.get('/r', async () => 'reached')
  const response = await app.inject({ url: '/r', headers: withAuth(right) })
  t.match(answerOf(response), {
    status: 503,
    code: 'ERR_KEYS_UNAVAILABLE',
    challenge: undefined,
    cacheControl: 'no-store',
  })
  t.equal(response.headers['retry-after'], '60')
  t.equal(app.cognito.status().ready, false)
  const lines = log.lines().filter(({ msg }) => String(msg).startsWith('cognito-m2m: '))
  t.match(lines, [{ level: 50, msg: /registration failed.*every route/ }])
  t.equal(lines.length, 1, 'logged once, by the registration')
  t.notMatch(log.text(), pool.accessToken({ scopes: SCOPE }))
})

t.test('tools that read what its routes need are rejected too', async (t) => {
  const app = newApp(t)
  failing(app, 'a bad option')
  await app.ready()
  t.throws(() => getRequirementResolver(app)?.(app, {}), {
    code: 'ERR_OPTION_INVALID',
    statusCode: 500,
  })
})

t.test('an unawaited registration in a plugin that swallows on its own', async (t) => {
  const app = newApp(t)
  app.register(async (child) => {
    try {
      await child.register(cognitoAuth, withoutKeys)
    } catch {
      // As an app would that ignores the error and starts anyway.
    }
    child.get('/r', async () => 'reached')
  })
  const answer = await get(app, '/r', right).catch(() => 'does not start')
  t.match(answer, /^(503 ERR_KEYS_UNAVAILABLE|does not start)$/)
})

t.test('authDefault that fails blocks its context, and no other', async (t) => {
  const bad: Record<string, object> = {
    'an unknown member': { auth: { scope: SCOPE } },
    'no requirement': {},
    'another type': { auth: true },
  }
  for (const [name, options] of Object.entries(bad)) {
    const app = await protectedApp(t)
    const calls: string[] = []
    const urls: string[] = []
    app.register(async (child) => {
      child.register(authDefault, options as never).after(swallow)
      urls.push(...addRoutes(child, calls, '/child'))
      child.register(async (below) => void urls.push(...addRoutes(below, calls, '/below')))
    })
    app.get('/outer', async () => 'outer')
    await app.ready()
    await blocked(t, app, urls, '500 ERR_OPTION_INVALID')
    t.strictSame(calls, [], name)
    t.equal(await get(app, '/outer', right), '200')
  }
})

t.test('a second authDefault in one context blocks it', async (t) => {
  const app = await protectedApp(t)
  app.register(authDefault, { auth: {} })
  app.register(authDefault, { auth: { scopes: SCOPE } }).after(swallow)
  app.get('/r', async () => 'reached')
  await blocked(t, app, ['/r'], '500 ERR_OPTION_INVALID')
})

t.test('a registration below a blocked authDefault goes on', async (t) => {
  const app = await protectedApp(t)
  app.register(async (child) => {
    child.register(authDefault, { auth: { scope: SCOPE } } as never).after(swallow)
    child.register(async (below) => {
      below.register(cognitoAuth, { ...otherPool.options(), default: { scopes: SCOPE } })
      below.get('/below', async () => 'below')
    })
  })
  t.equal(await get(app, '/below', foreign), '200')
  t.equal(await get(app, '/below', right), '401 ERR_TOKEN_ISSUER')
})

t.test('a registration that succeeds decides as ever', async (t) => {
  const app = newApp(t)
  app.register(cognitoAuth, pool.options()).after(swallow)
  app.get('/r', { config: { auth: { scopes: SCOPE } } }, async () => 'reached')
  t.equal(await get(app, '/r'), MISSING)
  t.equal(await get(app, '/r', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/r', right), '200')
})
