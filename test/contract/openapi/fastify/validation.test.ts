/** Routes with a schema have two kinds of 400 responses: validation errors of Fastify, and auth errors. */
import { Ajv } from 'ajv'
import type { FastifyInstance, FastifySchema, InjectOptions } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../../src/adapters/fastify/index.ts'
import { pool } from '../../../support/fastify.ts'
import { describedApp, info, orders } from '../../../support/openapi.ts'
import { isValid, operation, VERSIONS } from '../../../support/openapi-documents.ts'

const config = { auth: { scopes: orders.read } }
const id = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } } as const
const token = (): string => `Bearer ${pool.accessToken({ scopes: orders.read })}`

/** The schema of each part that Fastify validates, and a request that fails its validation. */
const PARTS: Readonly<Record<string, readonly [schema: FastifySchema, request: InjectOptions]>> = {
  body: [{ body: id }, { method: 'POST', payload: {} }],
  params: [{ params: id }, { method: 'POST' }],
  querystring: [{ querystring: id }, { method: 'POST' }],
  query: [{ query: id } as object, { method: 'POST' }],
  headers: [{ headers: id }, { method: 'POST' }],
}

function documented400(app: FastifyInstance, url: string) {
  const response = operation(app.swagger(), 'post', url).responses['400']
  if (response === undefined) throw new Error('400 is not documented')
  const { schema } = response.content['application/json']
  return { ...response, admits: new Ajv().compile(schema) }
}

for (const openapi of VERSIONS) {
  for (const [part, [schema, request]] of Object.entries(PARTS)) {
    t.test(
      `${openapi}: the 400 response of a route with a schema of its ${part} allows both bodies`,
      async (t) => {
        const app = await describedApp(t, { swagger: { openapi: { openapi, info } } })
        await app.register(cognitoAuth, pool.options())
        const url = part === 'params' ? '/orders/:id' : '/orders'
        app.post(url, { config, schema }, async () => ({}))
        await app.ready()
        await isValid(t, app.swagger(), openapi)
        const { admits, headers, description } = documented400(app, url.replace(':id', '{id}'))

        const invalid = await app.inject({
          url: url.replace(':id', 'x'),
          headers: { authorization: token() },
          ...request,
        })
        t.equal(invalid.statusCode, 400)
        t.equal(invalid.json().code, 'FST_ERR_VALIDATION')
        t.equal(invalid.headers['www-authenticate'], undefined)
        t.ok(admits(invalid.json()), 'the validation error is as documented')

        const authError = await app.inject({
          method: 'POST',
          url: url.replace(':id', '1'),
          headers: { authorization: 'Bearer a b' },
        })
        t.equal(authError.statusCode, 400)
        t.equal(authError.json().code, 'ERR_REQUEST_INVALID')
        t.ok(admits(authError.json()), 'the auth error is as documented')

        t.notOk(admits({ ...authError.json(), code: 'ERR_TOKEN_INVALID' }), 'nothing else is')
        t.strictSame(Object.keys(headers).sort(), ['Cache-Control', 'WWW-Authenticate'])
        for (const header of Object.values(headers)) t.notOk('required' in header)
        t.match(description, /does not match the schema/)
      },
    )
  }
}

t.test('the 400 response allows errors about malformed JSON', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  app.post('/', { config, schema: { body: id } }, async () => ({}))
  await app.ready()
  const { admits, content } = documented400(app, '/')
  const { examples } = content['application/json']
  for (const [payload, code] of [
    ['{', 'FST_ERR_CTP_INVALID_JSON_BODY'],
    ['', 'FST_ERR_CTP_EMPTY_JSON_BODY'],
  ] as const) {
    const headers = { authorization: token(), 'content-type': 'application/json' }
    const sent = await app.inject({ method: 'POST', url: '/', headers, payload })
    t.equal(sent.statusCode, 400)
    t.equal(sent.json().code, code)
    t.ok(admits(sent.json()))
    t.strictSame(examples[code]?.value, sent.json())
  }
  t.strictSame(examples['FST_ERR_VALIDATION']?.value, {
    statusCode: 400,
    code: 'FST_ERR_VALIDATION',
    error: 'Bad Request',
    message: 'body must be object',
  })
})

t.test('routes without validation have only the auth error', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const handler = async () => ({})
  app.post('/none', { config }, handler)
  const response = { 200: { type: 'object' } }
  app.post('/response', { config, schema: { response } }, handler)
  app.post('/attached', { config, schema: { body: id }, attachValidation: true }, handler)
  app.post('/open', { config: { auth: false }, schema: { body: id } }, handler)
  await app.ready()
  for (const url of ['/none', '/response', '/attached']) {
    const { admits, headers } = documented400(app, url)
    t.strictSame(
      Object.values(headers).map(({ required }) => required),
      [true, true],
      url,
    )
    const body = { statusCode: 400, error: 'Bad Request', message: '' }
    t.ok(admits({ ...body, code: 'ERR_REQUEST_INVALID' }))
    t.notOk(admits({ ...body, code: 'FST_ERR_VALIDATION' }))
  }
  t.strictSame(Object.keys(operation(app.swagger(), 'post', '/open').responses), ['200'])
})

t.test('a 400 response that the route declares takes precedence', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  const response = { 400: { description: 'Mine', type: 'object' } }
  app.post('/', { config, schema: { body: id, response } }, async () => ({}))
  await app.ready()
  const { responses } = operation(app.swagger(), 'post', '/')
  t.strictSame(responses['400'], {
    description: 'Mine',
    content: { 'application/json': { schema: { description: 'Mine', type: 'object' } } },
  })
})

t.test('headers of the other responses stay required', async (t) => {
  const app = await describedApp(t)
  await app.register(cognitoAuth, pool.options())
  app.post('/', { config, schema: { body: id } }, async () => ({}))
  await app.ready()
  const { responses } = operation(app.swagger(), 'post', '/')
  for (const status of ['401', '403', '503']) {
    for (const header of Object.values(responses[status]?.headers ?? {})) {
      t.equal(header.required, true, status)
    }
  }
})
