/** Faults behind a decision that took its time are the app's to answer, and end no process. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { getAuth } from '../../../src/adapters/express/index.ts'
import { authFor, authOf, get, listen, versions } from '../../support/express.ts'
import { forged, right, SCOPE, wrongScope } from '../../support/fastify.ts'

/** Collects unhandled rejections without failing the test. */
function rejectionsOf(test: Test): unknown[] {
  const seen: unknown[] = []
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error) => void seen.push(error))
  test.teardown(() => {
    process.removeAllListeners('unhandledRejection')
    for (const listener of others) process.on('unhandledRejection', listener)
  })
  return seen
}

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version}: a refusal that cannot be written goes to the error handler`, async (t) => {
    const rejections = rejectionsOf(t)
    const app = express()
    app.use((_req, res, next) => {
      // As middleware does that changes headers at the last moment and fails.
      const { writeHead } = res
      res.writeHead = () => {
        res.writeHead = writeHead
        throw new Error('late')
      }
      next()
    })
    app.get('/r', authFor()(), () => t.fail('reached'))
    app.use(((error: Error, _req: unknown, res: ServerResponse, _next: unknown) => {
      res.statusCode = 500
      res.end(error.message)
    }) as never)
    const url = await listen(t, app)
    const answered = fetch(`${url}/r`, { signal: AbortSignal.timeout(60_000) })
    t.equal((await answered.catch(() => undefined))?.status, 500)
    t.strictSame(rejections, [])
  })

  t.test(
    `${version}: an error handler that goes on reaches handlers without a token`,
    async (t) => {
      const app = express()
      const seen: unknown[] = []
      app.use(authFor({ errors: 'next' })({ scopes: SCOPE }))
      app.use(((_error: unknown, _req: unknown, _res: unknown, next: () => void) =>
        next()) as never)
      app.get('/r', (req, res) => {
        seen.push(authOf(req))
        t.throws(() => getAuth(req), /no `auth\(\)` middleware ran/)
        t.throws(() => getAuth(req, { optional: true }), /no `auth\(\)` middleware ran/)
        res.end()
      })
      const url = `${await listen(t, app)}/r`
      for (const authorization of [undefined, forged, wrongScope]) await get(url, authorization)
      t.strictSame(seen, [null, null, null])
    },
  )

  t.test(`${version}: a request that is dispatched again is decided again`, async (t) => {
    const app = express()
    const again = (path: string) => (req: IncomingMessage, res: ServerResponse) => {
      req.url = path
      ;(app as unknown as (req: unknown, res: unknown) => void)(req, res)
    }
    app.get('/in', authFor()(), again('/strict'))
    app.get('/strict', authFor()({ scopes: 'orders/admin' }), () => t.fail('reached'))
    app.post('/tunnel', (req, res) => {
      req.method = 'GET'
      again('/in')(req, res)
    })
    const url = await listen(t, app)
    t.equal((await get(`${url}/in`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/tunnel`, right, 'POST')).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/tunnel`, undefined, 'POST')).said, '401 ERR_TOKEN_MISSING')
  })
}

t.test('requirements that would compile to nothing are rejected', async (t) => {
  const auth = authFor() as unknown as (...given: unknown[]) => unknown
  const wrong = [undefined, null, false, true, '', 'orders/read', [], ['orders/read'], () => true]
  const members = [{ scopes: undefined }, { scopes: [] }, { scope: 'orders/read' }, { optional: 1 }]
  const inherited = Object.create({ scopes: 'orders/read' })
  for (const given of [...wrong, ...members, inherited, { anyOf: ['orders/read'] }]) {
    t.throws(() => auth(given), { code: 'ERR_OPTION_INVALID' })
  }
})
