/**
 * Every subpath shares one copy of the error classes and of the registry that connects cognitoOpenApi to
 * cognitoAuth: the build puts each module into one chunk.
 */
import assert from 'node:assert/strict'
import { AuthError, createResourceServer, OptionError } from 'cognito-m2m'
import manifest from 'cognito-m2m/package.json' with { type: 'json' }
import express from 'express'
import Fastify from 'fastify'

const subpaths = Object.keys(manifest.exports).filter((it) => !it.endsWith('.json'))
const modules = Object.fromEntries(
  await Promise.all(
    subpaths.map(async (it) => [it.slice(2), await import(`cognito-m2m${it.slice(1)}`)]),
  ),
)

/** One invalid call of each subpath that checks options. */
const INVALID_CALLS = {
  '': () => createResourceServer({}),
  client: () => modules.client.createTokenClient({}),
  express: () => modules.express.cognitoAuth({}),
  fastify: () => Fastify().register(modules.fastify.cognitoAuth, {}).ready(),
  fetch: () => modules.fetch.createFetchAuth({}),
  hono: () => modules.hono.cognitoAuth({}),
  infra: () => modules.infra.checkScopes({}),
  koa: () => modules.koa.cognitoAuth({}),
  lambda: () => modules.lambda.createLambdaAuthorizer({}),
  mcp: () => modules.mcp.cognitoAuth({}),
  metrics: () => modules.metrics.createMetrics({}),
  nestjs: () => modules.nestjs.Auth({ scope: 'a/b' }),
  openapi: () => modules.openapi.openApiParts({}),
  'openapi/fastify': () =>
    Fastify().register(modules['openapi/fastify'].cognitoOpenApi, {}).ready(),
  proxy: () => Fastify().register(modules.proxy.tokenProxy, {}).ready(),
  'proxy/lambda': () => modules['proxy/lambda'].createTokenProxyHandler({}),
  rotate: () => modules.rotate.rotateClientSecret({}),
  testing: () => modules.testing.createTestUserPool({ clients: 'none' }),
  usage: () => modules.usage.createUsage({ price: 1 }),
  'usage/dashboard': () =>
    Fastify().register(modules['usage/dashboard'].usageDashboard, {}).ready(),
}
/** Types alone. */
const WITHOUT_OPTIONS = ['express/global']
assert.deepEqual(
  [...Object.keys(INVALID_CALLS), ...WITHOUT_OPTIONS].sort(),
  Object.keys(modules).sort(),
)
for (const [name, call] of Object.entries(INVALID_CALLS)) {
  await assert.rejects(
    async () => await call(),
    (error) => error instanceof OptionError && error.code === 'ERR_OPTION_INVALID',
    `cognito-m2m/${name}`,
  )
}

const pool = modules.testing.createTestUserPool()
const errors = {}
await createResourceServer(pool.options())
  .guard({})(undefined)
  .catch((error) => {
    errors.core = error
  })
const app = Fastify()
app.setErrorHandler((error, _request, reply) => {
  errors.fastify = error
  return reply.send('')
})
await app.register(modules.fastify.cognitoAuth, pool.options())
app.get('/', async () => '')
await app.inject('/')
const web = express()
web.get('/', modules.express.cognitoAuth({ ...pool.options(), errors: 'next' })())
web.use((error, _request, response, _next) => {
  errors.express = error
  response.end()
})
const server = web.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
await fetch(`http://127.0.0.1:${server.address().port}/`)
server.close()
for (const name of ['core', 'fastify', 'express']) {
  assert(errors[name] instanceof AuthError, name)
  assert.equal(errors[name].code, 'ERR_TOKEN_MISSING', name)
}
