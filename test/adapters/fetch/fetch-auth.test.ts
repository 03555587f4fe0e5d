/** Guards for handlers of web-standard requests: what passes, what is answered, and what is a mistake of the app. */
import t from 'tap'
import { createFetchAuth, errorResponse, getAuth } from '../../../src/adapters/fetch/index.ts'
import { AuthError, type CognitoAuthOptions, OptionError } from '../../../src/index.ts'
import { forged, pool, right, SCOPE, withAuth, wrongScope } from '../../support/fastify.ts'

const authFor = (options: Partial<CognitoAuthOptions> = {}) =>
  createFetchAuth({ ...pool.options(), ...options } as CognitoAuthOptions)

const requestWith = (authorization?: string, url = 'http://api.example/orders', method = 'GET') =>
  new Request(url, { method, headers: withAuth(authorization) })

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const description = 'error_description="The access token has an invalid signature"'

t.test('a handler runs only for requests that meet the requirement', async (t) => {
  const auth = authFor()
  const seen: unknown[] = []
  const handler = auth.protect({ scopes: SCOPE }, (request, ...rest: [{ id: string }]) => {
    seen.push([getAuth(request).clientId, ...rest])
    return new Response('in', { status: 201 })
  })
  const accepted = await handler(requestWith(right), { id: '7' })
  t.strictSame([accepted.status, await accepted.text()], [201, 'in'])
  t.strictSame(seen, [['billing', { id: '7' }]])
  const rejected = await handler(requestWith(wrongScope), { id: '7' })
  t.equal(rejected.status, 403)
  t.match(await rejected.json(), { code: 'ERR_SCOPE_INSUFFICIENT' })
  t.equal(seen.length, 1)
})

t.test(
  'the response to a rejected request has status, headers and body of the error',
  async (t) => {
    const handler = authFor().protect({}, () => new Response('in'))
    const response = await handler(requestWith(forged))
    t.equal(response.status, 401)
    t.strictSame(Object.fromEntries(response.headers), {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'www-authenticate': `Bearer realm="api", error="invalid_token", ${description}`,
    })
    t.strictSame(await response.json(), {
      statusCode: 401,
      code: 'ERR_TOKEN_SIGNATURE',
      error: 'Unauthorized',
      message: 'The access token has an invalid signature',
    })
  },
)

t.test('authenticate returns the token or throws the error', async (t) => {
  const auth = authFor({ default: { scopes: SCOPE } })
  const request = requestWith(right)
  const token = await auth.guard().authenticate(request)
  t.equal(token.clientId, 'billing')
  t.equal(getAuth(request), token)
  const optional = auth.guard({ optional: true })
  const anonymous = requestWith()
  t.equal(await optional.authenticate(anonymous), null)
  t.equal(getAuth(anonymous, { optional: true }), null)
  await t.rejects(auth.guard().authenticate(requestWith(wrongScope)), {
    name: 'AuthError',
    code: 'ERR_SCOPE_INSUFFICIENT',
    statusCode: 403,
  })
  await t.rejects(auth.guard().authenticate(requestWith()), AuthError)
})

t.test('a second guard that rejects leaves no token of the first', async (t) => {
  const auth = authFor()
  const request = requestWith(right)
  await auth.guard().authenticate(request)
  await t.rejects(auth.guard({ scopes: 'orders/other' }).authenticate(request), AuthError)
  t.throws(() => getAuth(request), OptionError)
})

t.test('several lines, which Headers has joined, are rejected with 400', async (t) => {
  const handler = authFor().protect({ optional: true }, () => t.fail('reached') as never)
  for (const second of [right, 'Basic YTpi']) {
    for (const lines of [
      [right, second],
      [second, right],
    ]) {
      const request = requestWith()
      for (const line of lines) request.headers.append('authorization', line)
      const response = await handler(request)
      t.equal(response.status, 400)
      t.match(response.headers.get('www-authenticate'), 'error="invalid_request"')
    }
  }
})

t.test('what the handler throws goes to the framework', async (t) => {
  const failure = new Error('the database is down')
  const handler = authFor().protect({}, () => {
    throw failure
  })
  await t.rejects(handler(requestWith(right)), failure)
})

t.test('a clock of the app that throws gives a 500 without its text, and is logged', async (t) => {
  const logged: unknown[] = []
  const logger = { info: () => {}, warn: () => {}, error: (fields: object) => logged.push(fields) }
  const now = () => {
    throw new Error('secret')
  }
  const auth = createFetchAuth({ ...pool.options(), now, logger } as CognitoAuthOptions)
  const response = await auth.protect({}, () => new Response('in'))(requestWith(right))
  t.equal(response.status, 500)
  t.notMatch(await response.text(), 'secret')
  t.equal(logged.length, 1)
})

t.test('errorResponse says nothing about other errors', async (t) => {
  const response = errorResponse(new Error('secret'))
  t.equal(response.status, 500)
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.strictSame(await response.json(), {
    statusCode: 500,
    code: 'ERR_INTERNAL',
    error: 'Internal Server Error',
    message: 'Access cannot be decided',
  })
})

t.test('mistakes of the app are errors that name the fix', async (t) => {
  const auth = authFor()
  const failing = (option: string, message: string) => ({
    name: 'OptionError',
    option,
    message: `cognito-m2m: ${option}: ${message}`,
  })
  t.throws(() => auth.guard(undefined as never), OptionError)
  t.throws(() => auth.guard({ scope: SCOPE } as never), OptionError)
  t.throws(() => auth.protect({ scopes: 'read' }, () => new Response()), OptionError)
  t.throws(
    () => auth.protect({}, undefined as never),
    failing('handler', 'expected a function, got undefined. Pass the handler of the route.'),
  )
  for (const event of [undefined, null, {}, { headers: {} }, 'GET /']) {
    const handler = auth.protect({ optional: true }, () => t.fail('reached') as never)
    await t.rejects(handler(event as never), { name: 'OptionError', option: 'request' })
    await t.rejects(auth.guard().authenticate(event as never), {
      name: 'OptionError',
      option: 'request',
    })
  }
  t.throws(
    () => getAuth(requestWith(right)),
    failing(
      'getAuth',
      'no guard let this Request object pass. Pass the object that the protected handler received, not a copy.',
    ),
  )
  t.throws(() => authFor({ default: { optional: true } }), {
    name: 'OptionError',
    option: 'default',
  })
})

t.test('the metadata document is public, at one path, for GET and HEAD', async (t) => {
  const resource = 'https://api.example.com/v1'
  const auth = authFor({ resourceMetadata: { resource } })
  auth.guard({ scopes: SCOPE })
  const metadata = auth.metadata()
  const at = (path: string, method = 'GET') =>
    metadata(requestWith(undefined, `http://api.example.com${path}`, method))
  const response = at(`${WELL_KNOWN}/v1?x`)
  t.equal(response?.headers.get('content-type'), 'application/json; charset=utf-8')
  t.match(await response?.json(), { resource, scopes_supported: [SCOPE] })
  t.equal(at(`${WELL_KNOWN}/v1`, 'HEAD')?.status, 200)
  for (const method of ['POST', 'DELETE', 'OPTIONS']) t.equal(at(`${WELL_KNOWN}/v1`, method), null)
  for (const path of ['', '/', '/v1/', '/v2', '//v1']) t.equal(at(WELL_KNOWN + path), null)
  t.throws(() => authFor().metadata(), { name: 'OptionError', option: 'resourceMetadata' })
})

t.test('status shows whether the keys are loaded', async (t) => {
  const auth = authFor()
  t.equal(auth.status().ready, true)
  t.strictSame(auth.status(), auth.server.status())
})
