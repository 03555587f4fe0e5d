/** @fastify/cors: first, or the app refuses to start. */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  get,
  MISSING,
  newApp,
  pool,
  right,
  SCOPE,
  start,
  withAuth,
  wrongScope,
} from '../../support/fastify.ts'

const ORIGIN = 'https://app.example'
const handler = async () => 'reached'
const protect = (app: FastifyInstance) => app.register(cognitoAuth, pool.options())
const scoped = { config: { auth: { scopes: SCOPE } } }

const preflight = (app: FastifyInstance, url: string) =>
  app.inject({
    method: 'OPTIONS',
    url,
    headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
  })

t.test('registered first, it answers preflights and marks refusals', async (t) => {
  for (const awaited of [true, false]) {
    const app = newApp(t)
    const pending = app.register(cors, { origin: ORIGIN })
    if (awaited) await pending
    protect(app)
    app.get('/r', scoped, handler)
    const { statusCode, headers } = await preflight(app, '/r')
    t.equal(statusCode, 204)
    t.equal(headers['access-control-allow-origin'], ORIGIN)
    for (const [authorization, status] of [
      [undefined, 401],
      [wrongScope, 403],
      [right, 200],
    ] as const) {
      const request = { url: '/r', headers: { origin: ORIGIN, ...withAuth(authorization) } }
      const response = await app.inject(request)
      t.equal(response.statusCode, status)
      t.equal(response.headers['access-control-allow-origin'], ORIGIN, 'the browser may read it')
    }
  }
})

t.test('what is no preflight is protected, OPTIONS or not', async (t) => {
  const app = newApp(t)
  app.register(cors, { origin: ORIGIN, strictPreflight: false, preflight: false })
  protect(app)
  app.options('/r', handler)
  const bare = await app.inject({ method: 'OPTIONS', url: '/r' })
  t.equal(bare.statusCode, 401)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nowhere' })).statusCode, 401)
})

t.test('registered later in the same context, the app does not start', async (t) => {
  const refusal = {
    code: 'ERR_OPTION_INVALID',
    message:
      /^cognito-m2m: cognitoAuth: expected @fastify\/cors before cognitoAuth, got it after\. Register @fastify\/cors first\.$/,
  }
  const orders: Record<string, (app: FastifyInstance) => Promise<unknown>> = {
    'both awaited': async (app) => {
      await protect(app)
      await app.register(cors)
    },
    'none awaited': async (app) => {
      protect(app)
      app.register(cors)
    },
    'with routes between': async (app) => {
      app.get('/a', handler)
      await protect(app)
      app.get('/b', handler)
      app.register(cors)
    },
    'in a child': async (app) => {
      app.register(async (child) => {
        protect(child)
        child.register(cors)
      })
    },
  }
  for (const [order, build] of Object.entries(orders)) {
    const app = newApp(t)
    await build(app)
    await t.rejects(start(app), refusal, order)
  }
})

t.test('in a child of a protected context it comes too late for preflights', async (t) => {
  const app = newApp(t)
  await protect(app)
  app.register(async (child) => {
    child.register(cors)
    child.get('/r', handler)
  })
  const { statusCode } = await preflight(app, '/r')
  t.equal(statusCode, 401)
  t.equal(await get(app, '/r'), MISSING)
  t.equal(await get(app, '/r', right), '200')
})

t.test('around a protected child it works', async (t) => {
  const app = newApp(t)
  app.register(cors, { origin: ORIGIN })
  app.register(async (child) => {
    protect(child)
    child.get('/r', handler)
  })
  t.equal((await preflight(app, '/r')).statusCode, 204)
  const response = await app.inject({ url: '/r', headers: { origin: ORIGIN } })
  t.equal(response.statusCode, 401)
  t.equal(response.headers['access-control-allow-origin'], ORIGIN)
})

t.test('in a child that brings both it works', async (t) => {
  const app = newApp(t)
  await protect(app)
  app.register(async (child) => {
    await child.register(cors, { origin: ORIGIN })
    await child.register(cognitoAuth, { ...pool.options(), default: false })
    child.get('/r', handler)
  })
  await start(app)
  t.equal(await get(app, '/r'), '200', 'the nearest registration decides')
  t.equal((await preflight(app, '/r')).statusCode, 204)
})
