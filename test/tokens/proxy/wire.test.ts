/** What is read of a request, what is refused, and what goes out to Cognito. */
import { request as httpRequest } from 'node:http'
import t from 'tap'
import { ask, FORM } from '../../support/http.ts'
import {
  CLIENT,
  createRequest,
  issue,
  READ,
  reply,
  SECRET,
  setUpProxy,
  startPool,
  startProxy,
  startUpstream,
  type TokenRequestOptions,
  WRITE,
} from '../../support/proxy.ts'
import { basic, GRANT, METHODS, REFUSED } from '../../support/proxy-cases.ts'

t.test('ambiguous requests and other grants are rejected by the proxy', async (t) => {
  const { send, wire } = await setUpProxy(t)
  for (const [name, options, error] of REFUSED) {
    const answer = await send(options)
    t.equal(answer.status, 400, name)
    t.same(answer.json, { error }, name)
    t.equal(answer.headers['cache-control'], 'no-store', name)
    t.match(answer.headers['content-type'], /^application\/json/, name)
  }
  t.equal(wire.count, 0)
})

t.test('other methods get 405 with Allow', async (t) => {
  const { port, wire } = await setUpProxy(t)
  for (const method of METHODS) {
    const answer = await ask(port, { path: '/oauth2/token', method })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'POST', method)
    t.equal(answer.headers['cache-control'], 'no-store', method)
    if (method !== 'HEAD') t.same(answer.json, { error: 'invalid_request' }, method)
  }
  t.equal(wire.count, 0)
})

t.test('a form of 16 KiB is read, a byte more is not', async (t) => {
  const { send } = await setUpProxy(t)
  const start = `${createRequest({}).body}&x=`
  const full = await send({ body: start.padEnd(16 * 1024, 'x') })
  t.equal(full.status, 200)
  const over = await send({ body: start.padEnd(16 * 1024 + 1, 'x') })
  t.equal(over.status, 413)
  t.same(over.json, { error: 'invalid_request' })
  t.equal(over.headers['cache-control'], 'no-store')
})

t.test('a chunked body has the same size limit', async (t) => {
  const { port } = await setUpProxy(t)
  const status = await new Promise((resolve, reject) => {
    const { path, method } = createRequest({})
    const headers = { 'content-type': FORM, 'transfer-encoding': 'chunked' }
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false })
    request.on('response', ({ statusCode }) => resolve(statusCode))
    request.on('error', reject)
    request.write('x='.padEnd(10_000, 'x'))
    request.end('x'.repeat(10_000))
  })
  t.equal(status, 413)
})

t.test('known parameters are written again, and nothing else is forwarded', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { send } = await startProxy(t, { tokenEndpoint })
  const headers = {
    'x-forwarded-for': '203.0.113.1',
    'x-tracking': 'inbound',
    cookie: 'a=b',
    'user-agent': 'inbound',
    accept: 'text/html',
  }
  const sent = (index: number) => Object.fromEntries(new URLSearchParams(requests[index]?.body))

  await send({
    headers,
    body: `%67rant_type=client_credentials&client_id=${CLIENT}&client_secret=${encodeURIComponent(SECRET)}&scope=b/x++a/x+b/x&unknown=1&aws_client_metadata=%7B%22a%22%3A%22b%22%7D`,
  })
  t.same(sent(0), {
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: SECRET,
    scope: 'a/x b/x',
    aws_client_metadata: '{"a":"b"}',
  })
  t.equal(requests[0]?.headers['content-type'], FORM)
  t.equal(requests[0]?.headers.accept, 'application/json')
  t.notMatch(JSON.stringify(requests[0]), /inbound|203\.0\.113|cookie|unknown/)
  t.equal(requests[0]?.headers.authorization, undefined)

  await send({ method: 'basic', headers, body: `${GRANT}&client_id=${CLIENT}&scope=` })
  t.same(sent(1), { grant_type: 'client_credentials', scope: '' })
  t.equal(requests[1]?.headers.authorization, basic(`${CLIENT}:${SECRET}`))
  t.notMatch(JSON.stringify(requests[1]), /inbound|203\.0\.113|cookie/)

  await send({ method: 'basic', headers: { authorization: basic('bill%2Bing:s%2B') }, body: GRANT })
  t.equal(requests[2]?.headers.authorization, basic('bill%2Bing:s%2B'), 'not decoded for Cognito')
})

t.test('resource is ignored, once or several times', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { send } = await startProxy(t, { tokenEndpoint })
  const { body } = createRequest({})
  for (const resource of [
    '',
    '&resource=https%3A%2F%2Fapi.example.com',
    '&resource=https%3A%2F%2Fapi.example.com&resource=https%3A%2F%2Fother.example.com',
    '&resource=a&re%73ource=a&resource=',
  ]) {
    const answer = await send({ body: `${body}${resource}` })
    t.equal(answer.status, 200, resource)
    t.equal(answer.json['access_token'], 'token-1', 'one token for all')
  }
  t.equal(requests.length, 1)
  t.notMatch(requests[0]?.body, 'resource')
  const broken = await send({ body: `${body}&resource=a&resource=%zz` })
  t.equal(broken.status, 400)
  t.same(broken.json, { error: 'invalid_request' })
})

t.test('secrets with + % : and blanks work by both methods', async (t) => {
  const { send, wire } = await setUpProxy(t)
  const encoded = `Basic ${Buffer.from(`${CLIENT}:${encodeURIComponent(SECRET)}`).toString('base64')}`
  for (const options of [
    { method: 'basic' as const },
    { method: 'post' as const },
    { headers: { authorization: encoded }, body: GRANT },
  ]) {
    for (let time = 0; time < 2; time += 1) t.equal((await send(options)).status, 200)
  }
  t.equal(wire.count, 3)
})

t.test('a cached request does not match a similar one', async (t) => {
  const { send, wire } = await setUpProxy(t)
  const { body } = createRequest({})
  for (let time = 0; time < 2; time += 1) t.equal((await send({ body })).status, 200)
  for (const headers of [
    { authorization: '' },
    { authorization: '-' },
    { authorization: ['a', 'b'] },
    { 'content-type': `${FORM};charset=latin1` },
  ]) {
    t.equal((await send({ body, headers })).status, 400, JSON.stringify(headers))
  }
  t.equal((await send({ body: `${body}&client_id=x` })).status, 400)
  const long = `${body}&x=${'x'.repeat(1024)}`
  for (let time = 0; time < 2; time += 1) t.equal((await send({ body: long })).status, 200)
  t.equal(wire.count, 1)
})

t.test('two spellings of a request share a token', async (t) => {
  const { send, wire } = await setUpProxy(t)
  for (const scope of [`${READ} ${WRITE}`, `${WRITE} ${READ}`, ` ${READ}  ${READ} ${WRITE} `]) {
    t.equal((await send({ scope })).status, 200)
  }
  t.equal(wire.count, 1)
})

t.test(
  'scopes left out, empty and listed are three requests, and so is other metadata',
  async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      reply(response, 200, issue(count)),
    )
    const { send } = await startProxy(t, { tokenEndpoint })
    const variants: TokenRequestOptions[] = [
      {},
      { scope: '' },
      { scope: READ },
      { metadata: '{}' },
      { metadata: '{"a":"b"}' },
      { method: 'basic' },
    ]
    for (let round = 0; round < 2; round += 1) {
      for (const [index, request] of variants.entries()) {
        t.equal((await send(request)).json['access_token'], `token-${index + 1}`)
      }
    }
    t.equal((await send({ scope: ' ' })).json['access_token'], 'token-2', 'a blank is empty')
    t.equal(requests.length, variants.length)
  },
)

t.test('refusals of Cognito are forwarded with status, body and request id', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response, { body }) =>
    reply(
      response,
      body.includes('401') ? 401 : 400,
      { error: 'invalid_scope', error_description: 'ünknown' },
      { 'x-amz-cognito-request-id': 'abc-1', 'set-cookie': 'a=b', 'x-other': '1' },
    ),
  )
  const { send } = await startProxy(t, { tokenEndpoint })
  for (const [scope, status] of [
    ['400', 400],
    ['401', 401],
  ] as const) {
    const answer = await send({ scope })
    t.equal(answer.status, status)
    t.same(answer.json, { error: 'invalid_scope', error_description: 'ünknown' })
    t.equal(answer.headers['x-amz-cognito-request-id'], 'abc-1')
    t.equal(answer.headers['cache-control'], 'no-store')
    t.equal(answer.headers['set-cookie'], undefined)
    t.equal(answer.headers['x-other'], undefined)
  }
})

t.test('the proxy returns every refusal of the pool', async (t) => {
  const pool = await startPool(t)
  const { send: proxied } = await startProxy(t, { tokenEndpoint: pool.tokenEndpoint })
  for (const options of [
    { secret: 'x' },
    { clientId: 'nobody' },
    { scope: 'orders/unknown' },
    { metadata: '[]' },
    { method: 'basic' as const, secret: 'x' },
  ]) {
    const direct = await ask(pool.port, createRequest(options))
    const through = await proxied(options)
    t.equal(through.status, direct.status)
    t.same(through.json, direct.json)
  }
})
