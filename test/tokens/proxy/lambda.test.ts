/** The proxy as a function: the responses of the plugin, event formats, and what it waits for. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import {
  createTokenProxyHandler,
  type TokenProxyHandlerOptions,
} from '../../../src/tokens/proxy/lambda.ts'
import { createFormEvent, serveFunction } from '../../support/function-url.ts'
import { type Answer, type Ask, ask } from '../../support/http.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import {
  CLIENT,
  createRequest,
  issue,
  READ,
  reply,
  SECRET,
  startProxy,
  startUpstream,
  WRONG,
} from '../../support/proxy.ts'
import { METHODS, REFUSED } from '../../support/proxy-cases.ts'
import { recorder } from '../../support/shared-store.ts'

const start = `${createRequest({}).body}&x=`

/** Requests in order, some of which depend on earlier ones. */
const CASES: readonly (readonly [string, Ask])[] = [
  ...REFUSED.map(([name, options]) => [name, createRequest(options)] as const),
  ...METHODS.map((method) => [method, { path: '/oauth2/token', method }] as const),
  ['a new token', createRequest({})],
  ['the cached token', createRequest({})],
  ['the cached token, with Basic', createRequest({ method: 'basic' })],
  ['a scope', createRequest({ scope: READ })],
  ['client metadata', createRequest({ metadata: '{"a":"b"}' })],
  ['a form of 16 KiB', createRequest({ body: start.padEnd(16 * 1024, 'x') })],
  ['a form of a byte more', createRequest({ body: start.padEnd(16 * 1024 + 1, 'x') })],
  ['a wrong secret', createRequest({ secret: WRONG })],
  ['the same again', createRequest({ secret: WRONG })],
  ['a scope that Cognito rejects', createRequest({ scope: 'orders/unknown' })],
  ['a failure of Cognito', createRequest({ scope: 'orders/fails' })],
  ['the backoff after it', createRequest({ scope: 'orders/fails' })],
  ['an id that is not admitted', createRequest({ clientId: 'nobody' })],
]

/** A Cognito that rejects, fails or issues. */
const startCognito = (t: Test) =>
  startUpstream(t, (response, { body }) => {
    const headers = { 'x-amz-cognito-request-id': 'abc-1' }
    if (body.includes(WRONG)) return reply(response, 400, { error: 'invalid_client' }, headers)
    if (body.includes('unknown')) return reply(response, 400, { error: 'invalid_scope' }, headers)
    if (body.includes('fails')) return reply(response, 500, { error: 'broken' }, headers)
    reply(response, 200, issue(1), headers)
  })

/** The parts of a response that the proxy determines, not the server. */
function comparable({ status, headers, text }: Answer): object {
  const { date, connection, 'keep-alive': keepAlive, 'content-length': length, ...own } = headers
  const { 'transfer-encoding': encoding, ...rest } = own
  return { status, headers: rest, text }
}

for (const isBase64 of [true, false]) {
  t.test(`the function responds as the plugin, base64 bodies: ${isBase64}`, async (t) => {
    const { now, monotonicNow } = new Clocks()
    const options = { clients: CLIENT, now, monotonicNow }
    const [forPlugin, forFunction] = [await startCognito(t), await startCognito(t)]
    const plugin = await startProxy(t, { ...options, tokenEndpoint: forPlugin.tokenEndpoint })
    const handler = createTokenProxyHandler({
      ...options,
      tokenEndpoint: forFunction.tokenEndpoint,
    })
    t.teardown(() => handler.close())
    const port = await serveFunction(t, handler, isBase64)
    for (const [name, request] of CASES) {
      const expected = comparable(await ask(plugin.port, request))
      t.strictSame(comparable(await ask(port, request)), expected, name)
    }
    t.equal(forFunction.requests.length, forPlugin.requests.length, 'and sends as many requests')
  })
}

const EVENT = createFormEvent(String(createRequest({}).body))

async function setUp(t: Test, options: Partial<TokenProxyHandlerOptions> = {}) {
  const clocks = new Clocks()
  const upstream = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { now, monotonicNow } = clocks
  const { tokenEndpoint } = upstream
  const handler = createTokenProxyHandler({ tokenEndpoint, now, monotonicNow, ...options })
  t.teardown(() => handler.close())
  return { clocks, upstream, handler }
}

t.test('a stage is part of the path, and other paths get 404', async (t) => {
  const { handler, upstream } = await setUp(t)
  t.equal((await handler({ ...EVENT, rawPath: '/prod/oauth2/token' })).statusCode, 200)
  const { statusCode, headers, body } = await handler({ ...EVENT, rawPath: '/oauth2/authorize' })
  t.equal(statusCode, 404)
  t.equal(headers['cache-control'], 'no-store')
  t.same(JSON.parse(body), { error: 'invalid_request' })
  t.equal(upstream.requests.length, 1)
})

t.test('authorize gets the event, before the body is read', async (t) => {
  const { logger, lines } = recorder()
  const { handler } = await setUp(t, {
    logger,
    authorize: ({ headers, requestContext }) => {
      if (headers['x-key'] === 'broken') throw new Error(SECRET)
      return requestContext.http.sourceIp === '203.0.113.1'
    },
  })
  t.equal((await handler(EVENT)).statusCode, 200)
  const http = { method: 'POST', sourceIp: '203.0.113.2' }
  const other = await handler({ ...EVENT, body: 'x'.repeat(20_000), requestContext: { http } })
  t.equal(other.statusCode, 403)
  const broken = await handler({ ...EVENT, headers: { ...EVENT.headers, 'x-key': 'broken' } })
  t.equal(broken.statusCode, 503)
  t.equal(broken.headers['retry-after'], '5')
  t.strictSame(lines, [
    'error cognito-m2m: the authorize function of the token proxy failed {"code":"ERR_CHECK_UNAVAILABLE"}',
  ])
})

t.test('an invocation that starts a renewal ends after it', async (t) => {
  const { clocks, upstream, handler } = await setUp(t)
  const read = async (): Promise<unknown> => JSON.parse((await handler(EVENT)).body).access_token
  t.equal(await read(), 'token-1')
  clocks.advance(2_800_000)
  t.equal(await read(), 'token-1', 'the cached token')
  t.equal(upstream.requests.length, 2)
  t.equal(handler.status().inFlight, 0)
  t.equal(await read(), 'token-2', 'which is stored')
  t.equal(await handler.invalidate({ clientId: CLIENT }), true)
  t.equal(await read(), 'token-3')
})

t.test('events of other formats are errors that name the fix', async (t) => {
  const { handler } = await setUp(t)
  const { version: _, ...withoutVersion } = EVENT
  for (const event of [undefined, null, {}, withoutVersion, { ...EVENT, version: '1.0' }]) {
    await t.rejects(handler(event as never), { name: OptionError.name, option: 'event' })
  }
  await t.rejects(handler({ version: '2.0' } as never), { name: OptionError.name, option: 'event' })
  await t.rejects(handler({ ...EVENT, version: '1.0' }), {
    message:
      'cognito-m2m: event: expected payload format 2.0 of an HTTP API or a function URL, got version "1.0". Set PayloadFormatVersion to \'2.0\'.',
  })
})

t.test('errors name invalid options', async (t) => {
  const tokenEndpoint = 'https://a.example/oauth2/token'
  t.throws(() => createTokenProxyHandler({} as never), { name: OptionError.name })
  t.throws(() => createTokenProxyHandler({ tokenEndpoint, logger: {} } as never), {
    name: OptionError.name,
    option: 'logger',
  })
  t.throws(() => createTokenProxyHandler({ tokenEndpoint, prefix: '/' } as never), {
    name: OptionError.name,
    option: 'prefix',
  })
})

t.test('a process ends by itself: no socket or timer is left open', async (t) => {
  const { upstream } = await setUp(t)
  const script = fileURLToPath(new URL('../../support/function-process.ts', import.meta.url))
  const register = new URL('../../typescript/register.mjs', import.meta.url).href
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--import=${register}`, script, upstream.tokenEndpoint],
    { timeout: 60_000 },
  )
  t.equal(stdout, '200')
})
