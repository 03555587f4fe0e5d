/** Usage of a proxy, an API and the pool behind them: each token counts once. */
import Fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { createUsage } from '../../../src/tokens/usage/index.ts'
import { FORM } from '../../support/http.ts'
import { PRICE } from '../../support/usage.ts'

t.test('token requests and API requests of one app are counted once', async (t) => {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: ['first'], scopes: ['orders/read'] }],
  })
  const usage = createUsage({ price: PRICE })
  const app = Fastify()
  await app.register(async (tokens) => {
    await tokens.register(tokenProxy, { tokenEndpoint: pool.tokenEndpoint })
    usage.attach(tokens.tokenProxy)
  })
  await app.register(async (api) => {
    await api.register(cognitoAuth, pool.options())
    api.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async () => [])
    api.get('/refunds', { config: { auth: { scopes: 'orders/write' } } }, async () => [])
    usage.attach(api.cognito)
  })
  usage.attach(pool)
  t.teardown(async () => {
    await app.close()
    await usage.close()
    await pool.close()
  })
  const post = (secret: string) =>
    app.inject({
      method: 'POST',
      url: '/oauth2/token',
      headers: { 'content-type': FORM },
      body: `grant_type=client_credentials&client_id=billing&client_secret=${secret}`,
    })
  const { access_token: token } = (await post('first')).json<{ access_token: string }>()
  for (let index = 0; index < 3; index += 1) t.equal((await post('first')).statusCode, 200)
  t.equal((await post('guess')).statusCode, 400)
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await app.inject({ url: '/orders', headers })).statusCode, 200)
  t.equal((await app.inject({ url: '/refunds', headers })).statusCode, 403)
  t.equal((await app.inject('/orders')).statusCode, 401)

  const { rows } = await usage.report()
  t.match(rows, [
    {
      kind: 'client',
      userPoolId: pool.userPoolId,
      clientId: 'billing',
      tokens: { issued: 1, cached: 3, refused: 0, unavailable: 0 },
      requests: { accepted: 1, refused: 1, byCode: { ERR_SCOPE_INSUFFICIENT: 1 } },
    },
    {
      kind: 'unverified',
      // Reported by the proxy and by its pool.
      tokens: { issued: 0, cached: 0, refused: 2, unavailable: 0 },
      requests: { accepted: 0, refused: 1, byCode: { ERR_TOKEN_MISSING: 1 } },
    },
  ])
  const { cachedShare, monthly } = await usage.cost()
  t.equal(cachedShare, 0.75)
  t.ok(Math.abs(monthly.saved / monthly.cost - 3) < 1e-9)
})
