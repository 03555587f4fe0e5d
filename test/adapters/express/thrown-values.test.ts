/** Express continues on `next(undefined)`: whatever other middleware throws, a rejected request stays rejected. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import type { ExpressAuthOptions } from '../../../src/adapters/express/index.ts'
import { authFor, get, listen, versions } from '../../support/express.ts'
import { forged, right, wrongScope } from '../../support/fastify.ts'

const hostile = new Proxy(new Error('hidden'), {
  getPrototypeOf() {
    throw undefined
  },
})

/** Falsy values, Express's own signals, and what only looks like an error. */
const THROWN: readonly (readonly [string, unknown])[] = [
  ...[undefined, null, 0, -0, 0n, Number.NaN, '', false].map((it) => [String(it), it] as const),
  ['route', 'route'],
  ['router', 'router'],
  ['a text', 'text'],
  ['a number', 7],
  ['an object', { status: 200, statusCode: 200 }],
  ['no prototype', Object.create(null)],
  ['a thenable', Object.defineProperty({}, 'then', { value: () => {} })],
  ['a Proxy', hostile],
  ['an error of another realm', runInNewContext('new Error("foreign")')],
  ['an error', new Error('own')],
]

type Method = 'setHeader' | 'end' | 'writeHead' | 'statusCode'

/** Throws once in a method of the answer, as middleware does that hooks into it and fails. */
function throwOnce(response: ServerResponse, method: Method, thrown: unknown): void {
  const once = () => {
    delete (response as unknown as Record<string, unknown>)[method]
    throw thrown
  }
  const hook = method === 'statusCode' ? { get: () => 200, set: once } : { value: once }
  Object.defineProperty(response, method, { ...hook, configurable: true })
}

/** An app whose answers fail once; what its error handler got, and whether its handler was reached. */
async function refusing(
  t: Test,
  express: (typeof versions)[string],
  options: Partial<ExpressAuthOptions>,
  hook: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const seen = { reached: 0, errors: [] as unknown[] }
  const app = express()
  app.use((req, res, next) => {
    hook(req, res)
    next()
  })
  const guard = authFor(options)({ scopes: 'orders/read' })
  app.get('/r', guard, (_req, res) => {
    seen.reached += 1
    res.end('secret')
  })
  // Behind the route, and behind a router whose guard is on its own.
  const router = express.Router()
  router.use(guard)
  app.use('/below', router, (_req, res) => {
    seen.reached += 1
    res.end('secret')
  })
  app.use((_req, res) => {
    res.statusCode = 404
    res.end()
  })
  app.use(((error: unknown, _req: unknown, res: ServerResponse, _next: unknown) => {
    seen.errors.push(error)
    res.statusCode = 500
    for (const name of res.getHeaderNames()) res.removeHeader(name)
    res.end('failed')
  }) as never)
  return { url: await listen(t, app), seen }
}

/** Values that Express takes as a signal to continue. */
const EXPRESS_SIGNALS: readonly unknown[] = [undefined, 'route', 'router']

/** Decided later, where the credentials of the others are decided at once. */
const lookup = { clientId: () => new Promise<boolean>((resolve) => setImmediate(resolve, false)) }

for (const [version, express] of Object.entries(versions)) {
  for (const errors of ['answer', 'next'] as const) {
    const methods: Method[] =
      errors === 'answer'
        ? ['setHeader', 'end', 'writeHead', 'statusCode']
        : ['setHeader', 'statusCode']
    for (const method of methods) {
      t.test(`${version}, errors ${errors}: ${method} that throws opens no route`, async (t) => {
        let thrown: unknown
        const hook = (_: unknown, response: ServerResponse) => throwOnce(response, method, thrown)
        const at = await refusing(t, express, { errors }, hook)
        const later = await refusing(t, express, { errors, ...lookup }, hook)
        for (const [name, value] of THROWN) {
          thrown = value
          const requests = [{ ...at, path: '/r', credential: undefined as string | undefined }]
          if (EXPRESS_SIGNALS.includes(value)) {
            requests.push({ ...at, path: '/below', credential: undefined })
            requests.push({ ...at, path: '/r', credential: forged })
            requests.push({ ...at, path: '/r', credential: wrongScope })
            requests.push({ ...later, path: '/r', credential: right })
          }
          for (const { url, seen, path, credential } of requests) {
            seen.errors.length = 0
            const { response, text } = await get(`${url}${path}`, credential)
            t.strictSame([response.status, text, seen.reached], [500, 'failed', 0], name)
            t.equal(seen.errors.length, 1)
            t.ok(seen.errors[0] instanceof Error, name)
            if (name === 'an error') t.equal(seen.errors[0], value)
          }
        }
      })
    }
  }

  t.test(`${version}: req.auth that cannot be set opens no route`, async (t) => {
    let left = 0
    let thrown: unknown
    const set = () => {
      left -= 1
      if (left < 0) throw thrown
    }
    const hook = (request: IncomingMessage) => void Object.defineProperty(request, 'auth', { set })
    const slow = { clientId: async () => true, clientCache: { allow: 0 } }
    for (const options of [{ errors: 'answer' }, { errors: 'next' }, slow] as const) {
      const { url, seen } = await refusing(t, express, options, hook)
      for (const [name, value] of THROWN) {
        for (const times of [0, 1]) {
          thrown = value
          left = times
          const { response } = await get(`${url}/r`, right)
          t.strictSame([response.status, seen.reached], [500, 0], `${name} after ${times}`)
        }
      }
    }
  })

  t.test(`${version}: a value that is no error is logged`, async (t) => {
    const log: unknown[][] = []
    const error = (...entry: unknown[]) => void log.push(entry)
    const options = { logger: { info() {}, warn() {}, error } }
    const { url, seen } = await refusing(t, express, options, (_, response) =>
      throwOnce(response, 'end', 'router'),
    )
    await get(`${url}/r`)
    t.strictSame(log, [
      [{ err: 'router' }, 'cognito-m2m: a request failed with a value that is not an Error'],
    ])
    t.match(seen.errors, [{ code: 'ERR_INTERNAL', statusCode: 500, message: 'The request failed' }])
  })

  t.test(`${version}: an error handler that knows no headers can answer in full`, async (t) => {
    const app = express()
    app.use((_req, res, next) => {
      throwOnce(res, 'end', new Error('broken'))
      next()
    })
    const auth = authFor({ resourceMetadata: { resource: 'https://api.example.com' } })
    app.use(auth.metadata())
    app.get('/r', auth({}), () => t.fail('reached'))
    app.use(((_error: unknown, _req: unknown, res: ServerResponse, _next: unknown) => {
      res.statusCode = 500
      res.setHeader('content-type', 'text/plain')
      res.end('failed')
    }) as never)
    const url = await listen(t, app)
    for (const path of ['/r', '/.well-known/oauth-protected-resource']) {
      const { response, text } = await get(`${url}${path}`)
      t.strictSame([response.status, text], [500, 'failed'], path)
    }
  })

  t.test(`${version}: the metadata document fails with an error, too`, async (t) => {
    for (const [name, value] of THROWN) {
      const app = express()
      app.use((_req, res, next) => {
        throwOnce(res, 'setHeader', value)
        next()
      })
      const auth = authFor({ resourceMetadata: { resource: 'https://api.example.com' } })
      app.use(auth.metadata(), () => t.fail('reached'))
      app.use(((error: unknown, _req: unknown, res: ServerResponse, _next: unknown) => {
        res.statusCode = error instanceof Error ? 500 : 200
        res.end()
      }) as never)
      const url = await listen(t, app)
      const { response } = await get(`${url}/.well-known/oauth-protected-resource`)
      t.equal(response.status, 500, name)
    }
  })
}

t.test('a next that throws ends the connection, not the process', async (t) => {
  const requests = [
    { credential: right, options: {} },
    { credential: right, options: { clientId: async () => true } },
    { credential: undefined, options: { errors: 'next' } },
  ] as const
  for (const { credential, options } of requests) {
    for (const [name, value] of THROWN) {
      const request = { rawHeaders: credential === undefined ? [] : ['authorization', credential] }
      const response = new EventEmitter() as unknown as ServerResponse
      const passed: unknown[] = []
      const ended = new Promise<string>((resolve) => {
        Object.assign(response, { setHeader() {}, destroy: () => resolve('destroyed') })
        const guard = authFor(options)({ scopes: 'orders/read' })
        guard(request as never, response, (error) => {
          passed.push(error)
          throw value
        })
      })
      t.equal(await ended, 'destroyed', name)
      t.equal(passed.length, 2)
      t.ok(passed[1] instanceof Error, name)
    }
  }
})

t.test('a logger that throws grants no access', async (t) => {
  const error = () => {
    throw undefined
  }
  const options = { logger: { info() {}, warn() {}, error } }
  const { url, seen } = await refusing(t, versions['Express 5'] as never, options, (_, response) =>
    throwOnce(response, 'end', undefined),
  )
  const { response } = await get(`${url}/r`)
  t.strictSame([response.status, seen.reached], [500, 0])
})
