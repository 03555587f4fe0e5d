/** Faults of the owner's own code: they never open a route, hide a status or leak what they say. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../src/fastify/index.ts'
import { answerOf, forged, get, NOW, newApp, pool, protectedApp } from './support.ts'

const handler = async () => 'reached'

t.test('a falsy value thrown by the owner’s code opens no route', async (t) => {
  for (const thrown of [null, undefined, 0, '', false]) {
    let broken = false
    const now = () => {
      if (broken) throw thrown
      return NOW
    }
    const app = await protectedApp(t, { now })
    app.addHook('onRequest', async () => {})
    app.get('/r', handler)
    await app.ready()
    broken = true
    t.not(await get(app, '/r', forged), '200', `now throws ${String(thrown)}, a forged token`)
  }
})

t.test('a falsy rejection of the plugin itself starts no open app', async (t) => {
  const options = Object.defineProperty(pool.options(), 'realm', {
    enumerable: true,
    get: () => {
      throw undefined
    },
  })
  const app = newApp(t)
  app.register(cognitoAuth, options)
  app.get('/r', handler)
  t.not(await get(app, '/r').catch(() => 'does not start'), '200')
})

t.test('an error handler that sets no status keeps that of the refusal', async (t) => {
  const handlers: Record<string, Parameters<FastifyInstance['setErrorHandler']>[0]> = {
    sends: (error, _request, reply) => {
      reply.send({ code: (error as { code?: string }).code })
    },
    returns: async (error) => ({ code: (error as { code?: string }).code }),
  }
  for (const [name, errorHandler] of Object.entries(handlers)) {
    const app = newApp(t)
    app.setErrorHandler(errorHandler)
    app.get('/wrong', { config: { auth: true } } as object, handler)
    await app.register(cognitoAuth, pool.options())
    app.get('/r', handler)
    t.match(answerOf(await app.inject('/r')), { status: 401, code: 'ERR_TOKEN_MISSING' }, name)
    t.match(answerOf(await app.inject('/wrong')), { status: 500 }, name)
  }
})
