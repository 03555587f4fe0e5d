/** Errors of application code: they never make a route public, hide a status or leak their text. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import {
  answerOf,
  captureLog,
  forged,
  get,
  MISSING,
  NOW,
  newApp,
  pool,
  protectedApp,
  right,
  withAuth,
} from '../../support/fastify.ts'

const handler = async () => 'reached'

t.test('a falsy value thrown by application code opens no route', async (t) => {
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

t.test('a falsy rejection of authDefault starts no open app', async (t) => {
  const app = await protectedApp(t, { default: false })
  const options = Object.defineProperty({ auth: {} }, 'auth', {
    enumerable: true,
    get: () => {
      throw undefined
    },
  })
  app.register(async (child) => {
    child.register(authDefault, options)
    child.get('/r', handler)
  })
  t.not(await get(app, '/r').catch(() => 'does not start'), '200')
})

t.test('an error of application code is not shown to callers', async (t) => {
  let broken = false
  const now = () => {
    const headers = { 'x-secret': 'secret' }
    if (broken) throw Object.assign(new Error('secret of the owner'), { headers, statusCode: 418 })
    return NOW
  }
  const log = captureLog('error')
  const app = await protectedApp(t, { now }, { logger: log.logger })
  app.get('/r', handler)
  await app.ready()
  broken = true
  const response = await app.inject({ url: '/r', headers: withAuth(right) })
  t.strictSame(response.json(), {
    statusCode: 500,
    code: 'ERR_INTERNAL',
    error: 'Internal Server Error',
    message: 'Access cannot be decided',
  })
  const told = log.lines().filter(({ msg }) => msg === 'cognito-m2m: access cannot be decided')
  t.match(told, [{ level: 50, err: { message: 'secret of the owner' } }], 'operators read it')
  t.equal(told.length, 1)
  t.notOk('x-secret' in response.headers)
  t.equal(await get(app, '/r'), MISSING, 'no clock is needed to see that')
})

t.test('a falsy value that a logger throws opens no route', async (t) => {
  for (const thrown of [null, undefined, 0, '', false]) {
    let broken = false
    const error = () => {
      if (broken) throw thrown
    }
    const silent = () => {}
    const others = { info: silent, warn: silent, fatal: silent, debug: silent, trace: silent }
    const loggerInstance = { ...others, error, silent, level: 'error', child: () => loggerInstance }
    const app = newApp(t, { loggerInstance: loggerInstance as unknown as FastifyBaseLogger })
    let reached = 0
    const count = async () => {
      reached += 1
      return 'reached'
    }
    app.register(
      async (child) => {
        child.get('/r', { config: { auth: { scope: 'orders/read' } } } as object, count)
        child.register(cognitoAuth, pool.options())
      },
      { prefix: '/guarded' },
    )
    app.register(
      async (child) => {
        child.setNotFoundHandler({ config: { auth: {} } } as object, count)
      },
      { prefix: '/beside' },
    )
    await app.ready()
    broken = true
    for (const url of ['/guarded/r', '/beside/r']) {
      const name = `${url}, the logger throws ${String(thrown)}`
      const answer = await app.inject({ url, headers: withAuth(right) }).catch(() => undefined)
      t.equal(answer?.statusCode ?? 500, 500, name)
    }
    t.equal(reached, 0)
  }
})

t.test('a refusal that cannot be written serves no request', async (t) => {
  for (const thrown of [undefined, null, 'route', new Error('broken')]) {
    for (const check of [undefined, async () => false]) {
      for (const times of [1, Number.POSITIVE_INFINITY]) {
        const app = newApp(t)
        app.addHook('onRequest', (_request, { raw }, done) => {
          let faults = 0
          let status = 200
          Object.defineProperty(raw, 'statusCode', {
            get: () => status,
            set(value: number) {
              faults += 1
              if (faults <= times) throw thrown
              status = value
            },
          })
          done()
        })
        await app.register(cognitoAuth, { ...pool.options(), ...(check && { check }) })
        let reached = 0
        app.get('/r', async () => {
          reached += 1
          return 'reached'
        })
        const headers = check === undefined ? {} : withAuth(right)
        const answer = await app.inject({ url: '/r', headers }).catch(() => 'closed' as const)
        const name = `${String(thrown)}, ${check ? 'asked' : 'at once'}, ${times} times`
        const status = answer === 'closed' ? answer : answer.statusCode
        t.equal(status, times === 1 ? 500 : 'closed', name)
        t.equal(reached, 0, name)
      }
    }
  }
})
