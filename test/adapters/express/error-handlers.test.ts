/** Error handlers of others that read `status`: express-generator's own, and http-errors' idiom. */
import type { ErrorRequestHandler } from 'express'
import t from 'tap'
import { authFor, get, listen, versions } from '../../support/express.ts'
import { forged, NOW, right, SCOPE, wrongScope } from '../../support/fastify.ts'

/** To the letter what express-generator writes into app.js. */
const generated: ErrorRequestHandler = (err, req, res, _next) => {
  // set locals, only providing error in development
  res.locals['message'] = err.message
  res.locals['error'] = req.app.get('env') === 'development' ? err : {}

  // render the error page
  res.status(err.status || 500)
  res.render('error')
}

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version}: express-generator's error handler keeps the status`, async (t) => {
    const app = express()
    app.set('views', t.testdir({ 'error.txt': '' }))
    app.set('view engine', 'txt')
    app.engine('txt', (_file, locals, done) => {
      const { message, error } = locals as { message: string; error: { status?: number } }
      done(null, `${message} ${error.status ?? ''}`)
    })
    app.set('env', 'development')
    let failing = false
    const now = () => {
      if (failing) throw new Error('secret')
      return NOW
    }
    const check = () => Promise.reject(new Error('secret'))
    app.get('/r', authFor({ errors: 'next', now })({ scopes: SCOPE }), () => t.fail('reached'))
    app.get('/c', authFor({ errors: 'next', check })(), () => t.fail('reached'))
    app.use(generated)
    const url = await listen(t, app)
    const answers: [string, string | undefined, number, string, RegExp | null][] = [
      ['/r', undefined, 401, 'An access token is required', /^Bearer realm="api"$/],
      ['/r', 'Bearer', 400, 'The request must carry exactly one', /invalid_request/],
      ['/r', forged, 401, 'The access token has an invalid signature', /invalid_token/],
      ['/r', wrongScope, 403, 'The access token lacks a scope', /insufficient_scope/],
      ['/c', right, 503, 'Access cannot be decided at the moment', null],
    ]
    for (const [path, authorization, status, message, challenge] of answers) {
      const { response, text } = await get(`${url}${path}`, authorization)
      t.equal(response.status, status)
      t.ok(text.startsWith(message) && text.endsWith(String(status)), text)
      const header = response.headers.get('www-authenticate')
      if (challenge === null) t.equal(header, null)
      else t.match(header, challenge)
      t.equal(response.headers.get('cache-control'), 'no-store')
    }
    failing = true
    const { response, text } = await get(`${url}/r`, right)
    t.strictSame([response.status, text], [500, 'Access cannot be decided 500'])
  })
}
