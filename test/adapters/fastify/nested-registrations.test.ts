/** Several registrations in one app: the nearest alone decides. */
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import type { VerifiedToken } from '../../../src/index.ts'
import {
  foreign,
  get,
  MISSING,
  NO_SCOPE,
  newApp,
  otherPool,
  pool,
  protectedApp,
  right,
  SCOPE,
  start,
  WRONG_POOL,
  wrongScope,
} from '../../support/fastify.ts'

const who = async ({ auth }: { auth: VerifiedToken | null }) => auth?.clientId ?? 'nobody'
const outer = (app: FastifyInstance) => app.register(cognitoAuth, pool.options())
const inner = (app: FastifyInstance) => app.register(cognitoAuth, otherPool.options())
/** Where no route is to follow. */
const alone = (app: FastifyInstance) =>
  app.register(cognitoAuth, { ...otherPool.options(), allowNoRoutes: true })

t.test('each context has its own pool, whichever loads first', async (t) => {
  const child = async (scope: FastifyInstance, after: boolean) => {
    if (!after) await inner(scope)
    scope.get('/inner', who)
    scope.register(async (below) => void below.get('/below', who))
    if (after) await inner(scope)
  }
  const orders: Record<string, (app: FastifyInstance) => Promise<unknown>> = {
    'outer first': async (app) => {
      await outer(app)
      app.register((scope) => child(scope, false))
    },
    'inner first': async (app) => {
      await app.register((scope) => child(scope, false))
      await outer(app)
    },
    'inner first, after its routes': async (app) => {
      await app.register((scope) => child(scope, true))
      outer(app)
    },
    'nothing awaited': async (app) => {
      outer(app)
      app.register((scope) => child(scope, true))
    },
  }
  for (const [order, build] of Object.entries(orders)) {
    const app = newApp(t)
    app.get('/outer', who)
    await build(app)
    for (const url of ['/outer', '/inner', '/below']) t.equal(await get(app, url), MISSING, order)
    t.equal(await get(app, '/outer', right), '200', order)
    t.equal(await get(app, '/outer', foreign), WRONG_POOL, order)
    for (const url of ['/inner', '/below']) {
      t.equal(await get(app, url, foreign), '200', `${order}: ${url}`)
      t.equal(await get(app, url, right), WRONG_POOL, `${order}: ${url}`)
    }
    const response = await app.inject({ url: '/below', headers: { authorization: foreign } })
    t.equal(response.body, 'shipping', order)
  }
})

t.test('defaults and annotations are the nearest registration’s', async (t) => {
  const app = await protectedApp(t, { default: { scopes: SCOPE } })
  app.register(async (child) => {
    child.register(cognitoAuth, { ...pool.options(), default: false, realm: 'inner' })
    child.get('/open', who)
    child.get('/any', { config: { auth: {} } }, who)
  })
  app.get('/scoped', who)
  app.get('/any-here', { config: { auth: {} } }, who)
  t.equal(await get(app, '/open'), '200')
  t.equal(await get(app, '/any', wrongScope), '200')
  t.equal(await get(app, '/scoped', wrongScope), NO_SCOPE)
  t.equal(await get(app, '/any-here', wrongScope), '200')
  const { headers } = await app.inject('/any')
  t.equal(headers['www-authenticate'], 'Bearer realm="inner"', 'one challenge, its own')
})

t.test('an inner registration opens nothing of the outer one', async (t) => {
  const app = await protectedApp(t)
  app.register(async (child) => {
    child.register(cognitoAuth, { ...otherPool.options(), default: false })
    child.get('/open', who)
  })
  app.register(async (child) => void child.get('/sibling', who))
  t.equal(await get(app, '/open'), '200')
  t.equal(await get(app, '/sibling'), MISSING)
  t.equal(await get(app, '/nowhere'), MISSING)
})

t.test('every registration asks once', async (t) => {
  const asked: string[] = []
  const check = (name: string) => () => {
    asked.push(name)
    return true
  }
  const app = await protectedApp(t, { check: check('outer') })
  app.register(async (child) => {
    child.register(cognitoAuth, { ...otherPool.options(), check: check('inner') })
    child.get('/inner', who)
  })
  app.get('/outer', who)
  await get(app, '/inner', foreign)
  t.strictSame(asked.splice(0), ['inner'])
  await get(app, '/outer', right)
  t.strictSame(asked, ['outer'])
})

t.test('a second one in the same context is rejected', async (t) => {
  const refusal = {
    code: 'ERR_OPTION_INVALID',
    message:
      /^cognito-m2m: cognitoAuth: expected one registration per context, got two\. List several pools under userPools\.$/,
  }
  const twice = newApp(t)
  outer(twice)
  inner(twice)
  await t.rejects(start(twice), refusal)
  const hidden = await protectedApp(t)
  hidden.register(fastifyPlugin(async (same) => void inner(same)))
  await t.rejects(start(hidden), refusal)
  const child = await protectedApp(t)
  child.register(async (scope) => {
    inner(scope)
    inner(scope)
  })
  await t.rejects(start(child), refusal)
})

t.test('several pools in one registration', async (t) => {
  const app = newApp(t)
  const pools = [pool, otherPool].map((it) => {
    const { now: _clock, ...options } = it.options()
    return options
  })
  const { now } = pool.options()
  app.register(cognitoAuth, { userPools: pools, ...(now && { now }) })
  app.get('/who', who)
  for (const [authorization, client] of [
    [right, 'billing'],
    [foreign, 'shipping'],
  ] as const) {
    t.equal((await app.inject({ url: '/who', headers: { authorization } })).body, client)
  }
})

t.test('app.cognito is the nearest one', async (t) => {
  const app = await protectedApp(t)
  let inside: FastifyInstance | undefined
  let beside: FastifyInstance | undefined
  app.register(async (child) => {
    await alone(child)
    inside = child
  })
  app.register(async (child) => {
    beside = child
  })
  await app.ready()
  const poolOf = (it?: FastifyInstance) => it?.cognito.status().userPools[0]?.userPoolId
  t.equal(poolOf(app), pool.userPoolId)
  t.equal(poolOf(inside), otherPool.userPoolId)
  t.equal(inside?.cognito === app.cognito, false)
  t.equal(beside?.cognito, app.cognito)
  const guard = inside?.cognito.guard({ scopes: SCOPE })
  t.match(await guard?.(foreign), { clientId: 'shipping' })
})

t.test('unmatched paths belong to the nearest not-found handler', async (t) => {
  const app = await protectedApp(t)
  app.register(
    async (child) => {
      await alone(child)
      child.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'INNER' }))
    },
    { prefix: '/own' },
  )
  app.register(async (child) => void alone(child), { prefix: '/none' })
  t.equal(await get(app, '/own/nowhere'), MISSING)
  t.equal(await get(app, '/own/nowhere', right), WRONG_POOL)
  t.equal(await get(app, '/own/nowhere', foreign), '404 INNER')
  t.equal(await get(app, '/none/nowhere'), MISSING)
  t.equal(await get(app, '/none/nowhere', right), '404', 'without a handler of its own: the root’s')
  t.equal(await get(app, '/none/nowhere', foreign), WRONG_POOL)
})
