/** Error responses of Express: the middleware or the error handler sends them, and they repeat nothing of the request. */
import { setImmediate } from 'node:timers/promises'
import type { ErrorRequestHandler } from 'express'
import t from 'tap'
import { AuthError } from '../../../src/index.ts'
import { exchange } from '../../conformance/behavior/endpoint.ts'
import { authFor, authOf, get, listen, versions } from '../../support/express.ts'
import { forged, MISSING, NOW, right, SCOPE, wrongScope } from '../../support/fastify.ts'

const description = 'error_description="The access token has an invalid signature"'
const SIGNATURE = `Bearer realm="api", error="invalid_token", ${description}`

/** A promise that the test settles. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version}: it answers by itself`, async (t) => {
    const app = express()
    const auth = authFor()
    app.use((_req, res, next) => {
      res.setHeader('x-earlier', 'kept')
      res.setHeader('cache-control', 'public')
      next()
    })
    app.get('/r', auth({ scopes: SCOPE }), (_req, res) => void res.end())
    const url = `${await listen(t, app)}/r`
    const { response, text } = await get(url, forged)
    t.equal(response.status, 401)
    t.equal(
      text,
      '{"statusCode":401,"code":"ERR_TOKEN_SIGNATURE","error":"Unauthorized","message":"The access token has an invalid signature"}',
    )
    t.match(Object.fromEntries(response.headers), {
      'www-authenticate': SIGNATURE,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(text.length),
      'x-earlier': 'kept',
    })
    const head = await get(url, forged, 'HEAD')
    t.strictSame([head.text, head.response.headers.get('www-authenticate')], ['', SIGNATURE])
  })

  t.test(`${version}: errors 'next' hands over, and req.auth is reset first`, async (t) => {
    const app = express()
    const auth = authFor({ errors: 'next' })
    const seen: unknown[] = []
    app.use(auth({ scopes: 'orders/other' }))
    app.get('/r', auth({ scopes: SCOPE }), () => t.fail('reached'))
    const handler: ErrorRequestHandler = (error, req, res, _next) => {
      seen.push([error instanceof AuthError, error.code, authOf(req)])
      res.json({ problem: error.code })
    }
    app.use(handler)
    const { response, body } = await get(`${await listen(t, app)}/r`, wrongScope)
    t.strictSame(seen, [[true, 'ERR_SCOPE_INSUFFICIENT', null]])
    t.equal(response.status, 403)
    t.match(response.headers.get('www-authenticate'), /insufficient_scope/)
    t.strictSame(body, { problem: 'ERR_SCOPE_INSUFFICIENT' })
  })

  t.test(`${version}: Express's default handler keeps status and challenge`, async (t) => {
    const printed = t.capture(console, 'error', () => {})
    const before = process.env['NODE_ENV']
    t.teardown(() => {
      if (before === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = before
    })
    process.env['NODE_ENV'] = 'development'
    const app = express()
    const check = () => Promise.reject(new Error(`secret of ${right}`))
    app.get('/r', authFor({ errors: 'next' })({ scopes: SCOPE }), () => t.fail('reached'))
    app.get('/c', authFor({ errors: 'next', check })(), () => t.fail('reached'))
    const url = await listen(t, app)
    const refused = await get(`${url}/r?secret`, forged)
    t.equal(refused.response.status, 401)
    t.equal(refused.response.headers.get('www-authenticate'), SIGNATURE)
    t.equal(refused.response.headers.get('cache-control'), 'no-store')
    t.match(refused.text, 'AuthError: The access token has an invalid signature')
    const unavailable = await get(`${url}/c`, right)
    t.equal(unavailable.response.status, 503)
    t.equal(unavailable.response.headers.get('retry-after'), '1')
    // Express prints once the answer is out.
    for (let turn = 0; turn < 10; turn += 1) await setImmediate()
    const lines = printed().map(({ args }) => String(args))
    t.equal(lines.length, 2)
    const said = [refused.text, unavailable.text, ...lines].join('\n')
    for (const part of [...forged.split('.'), ...right.split('.')]) t.notOk(said.includes(part))
    t.notMatch(said, /secret|node_modules|\.ts|\.js|&nbsp; &nbsp;at |\n {4}at /)
  })

  t.test(`${version}: two Authorization lines are rejected`, async (t) => {
    const app = express()
    app.get('/r', authFor()(), () => t.fail('reached'))
    const port = Number(new URL(await listen(t, app)).port)
    for (const second of [right, 'Basic YTpi', '']) {
      const raw = await exchange(port, [
        'GET /r HTTP/1.1',
        'Host: a',
        'Connection: close',
        `Authorization: ${right}`,
        `authorization: ${second}`,
      ])
      t.match(raw, /^HTTP\/1\.1 400 Bad Request\r\n/)
      t.match(raw, /\r\nwww-authenticate: Bearer realm="api", error="invalid_request"/)
    }
  })

  t.test(`${version}: an answer that somebody else gave meanwhile stays`, async (t) => {
    const app = express()
    const gate = deferred<boolean>()
    const auth = authFor({ check: () => gate.promise })
    app.use((_req, res, next) => {
      next()
      res.status(504).end('late')
    })
    app.get('/r', auth(), () => t.fail('reached'))
    const { said, text } = await get(`${await listen(t, app)}/r`, right)
    gate.resolve(false)
    t.strictSame([said, text], ['504', 'late'])
  })

  t.test(`${version}: an answer that was begun before is cut off`, async (t) => {
    t.capture(console, 'error', () => {})
    for (const errors of ['answer', 'next'] as const) {
      const app = express()
      app.use((_req, res, next) => void res.write('begun', () => next()))
      app.get('/r', authFor({ errors })(), () => t.fail('reached'))
      const headers = { authorization: forged }
      const response = await fetch(`${await listen(t, app)}/r`, { headers })
      t.equal(response.status, 200, 'it cannot be taken back')
      await t.rejects(response.text(), errors)
    }
  })

  t.test(`${version}: an error of application code is logged and answered with 500`, async (t) => {
    const log: unknown[] = []
    const logger = { info() {}, warn() {}, error: (details: object) => void log.push(details) }
    const fault = new Error('clock')
    let broken = false
    const now = () => {
      if (broken) throw fault
      return NOW
    }
    for (const errors of ['answer', 'next'] as const) {
      const app = express()
      broken = false
      app.get('/r', authFor({ now, logger, errors })(), () => t.fail('reached'))
      const handler: ErrorRequestHandler = (error, _req, res, _next) => {
        res.status(error.statusCode).json(error)
      }
      app.use(handler)
      const url = `${await listen(t, app)}/r`
      broken = true
      const { said, body } = await get(url, right)
      t.equal(said, '500 ERR_INTERNAL')
      t.strictSame(body, {
        statusCode: 500,
        code: 'ERR_INTERNAL',
        error: 'Internal Server Error',
        message: 'Access cannot be decided',
      })
      t.strictSame(log.splice(0), [{ err: fault }])
    }
  })

  t.test(`${version}: the caller may hang up while it is decided`, async (t) => {
    const app = express()
    const gate = deferred<boolean>()
    const asked = deferred<void>()
    const check = () => {
      asked.resolve()
      return gate.promise
    }
    app.get('/r', authFor({ check })(), (_req, res) => void res.end())
    app.get('/after', (_req, res) => void res.end('alive'))
    const url = await listen(t, app)
    const controller = new AbortController()
    const headers = { authorization: right }
    const gone = fetch(`${url}/r`, { headers, signal: controller.signal })
    await asked.promise
    controller.abort()
    await t.rejects(gone)
    gate.resolve(false)
    t.equal((await get(`${url}/after`)).text, 'alive')
  })
}

t.test('readiness, status and close are the server’s', async (t) => {
  const auth = authFor()
  await auth.server.ready()
  t.equal(auth.server.status().ready, true)
  auth.server.close()
  const express = versions['Express 5'] as (typeof versions)[string]
  const app = express()
  app.get('/r', auth(), () => t.fail('reached'))
  const url = `${await listen(t, app)}/r`
  t.equal((await get(url, right)).said, '503 ERR_KEYS_UNAVAILABLE')
  t.equal((await get(url)).said, MISSING)
})
