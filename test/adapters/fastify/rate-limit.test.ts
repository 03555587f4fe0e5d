/** The recipe of docs/fastify.md: rate limits that count refused requests too. */
import { readFileSync } from 'node:fs'
import rateLimit from '@fastify/rate-limit'
import t from 'tap'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { get, MISSING, newApp, pool, right } from '../../support/fastify.ts'

const limits = { global: false, max: 2, timeWindow: 60_000 }
const handler = async () => 'reached'

t.test('counted from an instance hook before the plugin, every request is limited', async (t) => {
  const app = newApp(t)
  await app.register(rateLimit, limits)
  app.addHook('onRequest', app.rateLimit())
  await app.register(cognitoAuth, pool.options())
  app.get('/r', handler)
  t.equal(await get(app, '/r'), MISSING)
  t.equal(await get(app, '/nowhere', 'Bearer rubbish'), '401 ERR_TOKEN_INVALID')
  for (const authorization of [undefined, 'Bearer rubbish', right]) {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await app.inject({ url: '/r', headers })
    t.equal(response.statusCode, 429)
    t.match(response.headers, { 'retry-after': /^\d+$/ })
    t.notOk('www-authenticate' in response.headers)
  }
})

t.test(
  'as it comes, in either order, it does not see rejected requests: hence the recipe',
  async (t) => {
    for (const order of ['before', 'after']) {
      const app = newApp(t)
      if (order === 'after') await app.register(cognitoAuth, pool.options())
      await app.register(rateLimit, { ...limits, global: true })
      if (order === 'before') await app.register(cognitoAuth, pool.options())
      app.get('/r', handler)
      for (let times = 0; times < 4; times += 1) t.equal(await get(app, '/r'), MISSING, order)
      t.equal(await get(app, '/r', right), '200', order)
    }
  },
)

t.test('the page shows what was tested', async (t) => {
  const page = readFileSync('docs/fastify.md', 'utf8')
  t.match(
    page,
    "await app.register(rateLimit, { global: false, max: 100, timeWindow: '1 minute' })",
  )
  t.match(page, "app.addHook('onRequest', app.rateLimit())\nawait app.register(cognitoAuth, ")
})
