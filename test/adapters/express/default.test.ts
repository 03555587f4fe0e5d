/** What `auth()` needs, what it refuses to be, and who may ask `getAuth`. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { mock } from 'node:test'
import type { ErrorRequestHandler } from 'express'
import t from 'tap'
import { cognitoAuth, getAuth } from '../../../src/adapters/express/index.ts'
import { CognitoResourceServer } from '../../../src/core/resource-server.ts'
import { OptionError, type VerifiedToken } from '../../../src/index.ts'
import { authFor, authOf, get, listen, versions } from '../../support/express.ts'
import { MISSING, NO_SCOPE, pool, right, SCOPE, wrongScope } from '../../support/fastify.ts'

/** The refusal of options. */
const refusing = (option: string, message: string | RegExp) => ({
  name: 'OptionError',
  code: 'ERR_OPTION_INVALID',
  option,
  message,
})

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version}: auth() needs the default, auth({ … }) what it says alone`, async (t) => {
    const app = express()
    const auth = authFor({ default: { scopes: SCOPE } })
    app.get('/default', auth(), (_req, res) => void res.send('in'))
    app.get('/own', auth({}), (_req, res) => void res.send('in'))
    app.get('/optional', auth({ optional: true }), (req, res) => {
      res.send(getAuth(req, { optional: true })?.clientId ?? 'nobody')
    })
    const url = await listen(t, app)
    t.equal((await get(`${url}/default`)).said, MISSING)
    t.equal((await get(`${url}/default`, wrongScope)).said, NO_SCOPE)
    t.equal((await get(`${url}/default`, right)).said, '200')
    t.equal((await get(`${url}/own`)).said, MISSING)
    t.equal((await get(`${url}/own`, wrongScope)).said, '200')
    t.equal((await get(`${url}/optional`)).text, 'nobody')
    t.equal((await get(`${url}/optional`, wrongScope)).text, 'billing')
  })
}

t.test('without a default, a guard requires a valid token', async (t) => {
  const app = (versions['Express 5'] as (typeof versions)[string])()
  app.use(authFor()())
  app.get('/r', (_req, res) => void res.send('in'))
  const url = `${await listen(t, app)}/r`
  t.equal((await get(url)).said, MISSING)
  t.equal((await get(url, wrongScope)).said, '200')
})

t.test('rejects a default that allows requests without a token', async (t) => {
  for (const open of [false, { optional: true }] as const) {
    t.throws(() => authFor({ default: open }), OptionError)
    t.throws(
      () => authFor({ default: open }),
      refusing(
        'default',
        /: expected a requirement for a token, got .+\. Pass \{ optional: true \} to the guards/,
      ),
    )
  }
})

t.test('rejects undefined as a requirement', async (t) => {
  const auth = authFor() as (requirement: unknown) => unknown
  t.throws(
    () => auth(undefined),
    refusing(
      'auth',
      'cognito-m2m: auth: expected a plain object, got undefined. Pass an object literal.',
    ),
  )
  t.throws(() => auth(false), refusing('auth', /got false\. Pass \{\} for any valid token\.$/))
  t.throws(
    () => auth({ scope: SCOPE }),
    refusing('auth.scope', /: expected one of scopes, .+, got an unknown name/),
  )
})

t.test("errors accepts 'answer' or 'next' only", async (t) => {
  for (const errors of ['throw', '', null, true, ['next']]) {
    const make = () => cognitoAuth({ ...pool.options(), errors } as never)
    t.throws(
      make,
      refusing('errors', /expected 'answer' or 'next', got .*\. Use one of the two\.$/),
    )
  }
  const left = () => cognitoAuth({ ...pool.options(), errors: undefined } as never)
  t.throws(left, refusing('errors', /expected a value, got undefined\. Set it or leave it out\.$/))
  for (const errors of ['answer', 'next'] as const) t.ok(authFor({ errors }))
})

t.test('metadata() needs the option it serves', async (t) => {
  t.throws(
    () => authFor().metadata(),
    refusing(
      'resourceMetadata',
      /^cognito-m2m: resourceMetadata: expected an object, got undefined\. Set it to serve a metadata document\.$/,
    ),
  )
})

for (const [version, express] of Object.entries(versions)) {
  t.test(
    `${version}: getAuth returns what the guard decided, whatever req.auth became`,
    async (t) => {
      const app = express()
      app.get('/r', authFor()({ scopes: SCOPE }), (req, res) => {
        const request = req as unknown as Record<PropertyKey, unknown>
        const token = getAuth(req)
        const added = Object.getOwnPropertySymbols(req).filter((key) =>
          /cognito/i.test(String(key)),
        )
        for (const key of ['auth', ...added]) request[key] = { clientId: 'forged' }
        const isUnchanged = getAuth(req) === token
        const copy = Object.assign(Object.create(Object.getPrototypeOf(req)), req)
        let message = ''
        try {
          getAuth(copy)
        } catch (error) {
          message = (error as Error).message
        }
        delete request['auth']
        res.send(`${isUnchanged} ${getAuth(req).clientId} ${message}`)
      })
      const url = await listen(t, app)
      const { text } = await get(`${url}/r`, right)
      t.match(text, /^true billing cognito-m2m: getAuth: no `auth\(\)` middleware ran/)
    },
  )
}

for (const [version, express] of Object.entries(versions)) {
  t.test(
    `${version}: a rejected request keeps no token, though req.auth cannot be changed`,
    async (t) => {
      const app = express()
      const auth = authFor({ errors: 'next' })
      const readOnly = (req: object, _res: unknown, next: () => void) => {
        const { auth } = req as { auth?: unknown }
        Object.defineProperty(req, 'auth', { get: () => auth })
        next()
      }
      app.get('/r', auth(), readOnly, auth({ scopes: SCOPE }), (_req, res) => void res.send('in'))
      const handler: ErrorRequestHandler = (error, req, res, _next) => {
        let message = 'none'
        try {
          getAuth(req)
        } catch (thrown) {
          message = (thrown as Error).message
        }
        res.send(`${error.code} ${message}`)
      }
      app.use(handler)
      const url = await listen(t, app)
      for (const authorization of [right, wrongScope]) {
        const { response, text } = await get(`${url}/r`, authorization)
        t.equal(response.status, 500)
        t.match(text, /^ERR_INTERNAL cognito-m2m: getAuth: no `auth\(\)` middleware ran/)
      }
    },
  )
}

t.test('getAuth throws for a missing guard and for a missing token', async (t) => {
  const app = (versions['Express 5'] as (typeof versions)[string])()
  const auth = authFor()
  const said: unknown[] = []
  const ask = (request: object, options?: { optional: true }) => {
    try {
      said.push(options ? getAuth(request, options) : getAuth(request))
    } catch (error) {
      said.push((error as Error).message)
    }
  }
  app.get('/unguarded', (req, res) => {
    ask(req)
    ask(req, { optional: true })
    res.end()
  })
  app.get('/optional', auth({ optional: true }), (req, res) => {
    ask(req)
    ask(req, { optional: true })
    res.end()
  })
  const url = await listen(t, app)
  const unknown =
    /^cognito-m2m: getAuth: no `auth\(\)` middleware ran for this request\. Add it before the handler\.$/
  await get(`${url}/unguarded`, right)
  t.match(said.splice(0), [unknown, unknown])
  await get(`${url}/optional`)
  t.match(said.splice(0), [
    /^cognito-m2m: getAuth: the request has no token\. Pass \{ optional: true \} on routes where the token is optional\.$/,
    null,
  ])
})

/** A request that never came over a socket, and what the middleware did with it. */
function run(middleware: ReturnType<ReturnType<typeof authFor>>, request: object) {
  const did: unknown[] = []
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    statusCode: 200,
    setHeader() {},
    end: (body: Buffer) => did.push(JSON.parse(String(body)).code),
  })
  middleware(request as IncomingMessage, response as unknown as ServerResponse, (error) =>
    did.push(error ?? 'next'),
  )
  return did
}

t.test('a request without headers is rejected', async (t) => {
  const lines: object[] = []
  const error = (details: object) => lines.push(details)
  const auth = authFor({ logger: { info() {}, warn() {}, error } })
  t.strictSame(run(auth(), {}), ['ERR_INTERNAL'])
  t.strictSame(run(auth({ optional: true }), {}), ['ERR_INTERNAL'])
  t.equal(lines.length, 2)
  for (const line of lines) t.match(line, { err: /Cannot read properties of undefined/ })
})

t.test('a synchronous decision is handled like an asynchronous one', async (t) => {
  const token = { clientId: 'billing' } as VerifiedToken
  const createGuard = mock.method(CognitoResourceServer.prototype, 'createGuard', () => () => token)
  t.teardown(() => createGuard.mock.restore())
  const request = { headers: {} }
  t.strictSame(run(authFor()(), request), ['next'])
  t.equal(authOf(request as IncomingMessage), token)
  t.equal(getAuth(request), token)
})
