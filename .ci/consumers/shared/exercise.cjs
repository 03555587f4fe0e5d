/** Uses every subpath once; the ESM and the CommonJS consumer load them and call it. */
const assert = require('node:assert/strict')
const { once } = require('node:events')

const FORM = 'application/x-www-form-urlencoded'

async function authorizeLambda({ createLambdaAuthorizer }, pool) {
  const authorizer = createLambdaAuthorizer({
    ...pool.options(),
    routes: {},
    default: {},
    resultTtl: 0,
  })
  const { principalId } = await authorizer({
    type: 'TOKEN',
    methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/',
    authorizationToken: `Bearer ${pool.accessToken()}`,
  })
  assert.equal(principalId, pool.clients[0].clientId)
}

async function getTokenFromLocalPool({ createTokenClient, startUserPool }) {
  const local = await startUserPool()
  const { tokenEndpoint, clients } = local
  const [{ clientId, clientSecrets }] = clients
  const [clientSecret] = clientSecrets
  const client = createTokenClient({ tokenEndpoint, clientId, clientSecret })
  const { accessToken } = await client.getToken()
  assert.equal(accessToken.split('.').length, 3)
  await local.close()
}

async function getTokenFromProxy({ Fastify, tokenProxy }) {
  const app = Fastify()
  app.register(tokenProxy, {
    tokenEndpoint: 'https://a/oauth2/token',
    fetch: async () => Response.json({ access_token: 'a', expires_in: 300, token_type: 'Bearer' }),
  })
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'a',
    client_secret: 'b',
  })
  const { statusCode, body } = await app.inject({
    method: 'POST',
    url: '/oauth2/token',
    headers: { 'content-type': FORM },
    payload: String(form),
  })
  assert.equal(statusCode, 200, body)
}

async function guardExpress({ express, expressAuth, getAuth }, pool) {
  const app = express()
  app.get('/', expressAuth(pool.options())(), (req, res) => res.end(getAuth(req).clientId))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const get = (headers) => fetch(`http://127.0.0.1:${server.address().port}/`, { headers })
  const accepted = await get({ authorization: `Bearer ${pool.accessToken()}` })
  assert.equal(await accepted.text(), pool.clients[0].clientId)
  assert.equal((await get({})).status, 401)
  server.close()
}

/** A Fastify API with its OpenAPI document, its usage and its metrics. */
async function guardFastify(modules, pool) {
  const { Fastify, cognitoAuth, cognitoOpenApi, createMetrics, createUsage, openApiParts } = modules
  const app = Fastify()
  const api = { tokenUrl: 'https://a.example/oauth2/token', scopes: [] }
  app.register(cognitoOpenApi, api)
  app.register(cognitoAuth, pool.options())
  const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
  // A register as that of prom-client, which is not installed here.
  const registered = new Map()
  const register = {
    registerMetric: (metric) => registered.set(metric.name, metric),
    removeSingleMetric: (name) => registered.delete(name),
  }
  const metrics = createMetrics({ register })
  app.ready(() => usage.attach(app.cognito))
  app.addHook('onClose', () => usage.close())
  app.register(async (child) => {
    child.get('/', async (request) => request.auth.clientId)
  })
  await app.ready()
  const { security } = app.swagger().paths['/'].get
  assert.equal(JSON.stringify(security), JSON.stringify(openApiParts(api).access({}).security))

  const authorization = `Bearer ${pool.accessToken()}`
  const { statusCode, body } = await app.inject({ url: '/', headers: { authorization } })
  assert.equal(statusCode, 200, body)
  assert.equal(body, pool.clients[0].clientId)
  assert.equal((await app.inject('/')).statusCode, 401)
  const { rows } = await usage.report()
  assert.equal(rows[0].clientId, pool.clients[0].clientId)
  assert.equal(rows[0].requests.accepted, 1)
  const decisions = await registered.get('cognito_m2m_decisions_total').get()
  assert.deepEqual(
    decisions.values.map(({ labels, value }) => [labels.code, labels.route, value]),
    [
      ['ok', '/', 1],
      ['ERR_TOKEN_MISSING', '/', 1],
    ],
  )
  metrics.close()
  assert.equal(registered.size, 0)
  await app.close()
}

module.exports = async (modules) => {
  // A promise that never settles ends the process quietly: only the last line makes it a success.
  process.exitCode = 1
  assert.equal(typeof modules.createResourceServer, 'function')
  const pool = modules.createTestUserPool()
  await authorizeLambda(modules, pool)
  await getTokenFromLocalPool(modules)
  await getTokenFromProxy(modules)
  await guardExpress(modules, pool)
  await guardFastify(modules, pool)
  process.exitCode = 0
}
