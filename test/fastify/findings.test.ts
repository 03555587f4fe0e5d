/** Contract violations found so far: each fails until the source is mended, then moves to its file. */
import t from 'tap'
import { authDefault } from '../../src/fastify/index.ts'
import { get, MISSING, NOW, protectedApp, right, withAuth } from './support.ts'

const handler = async () => 'reached'

t.test(
  '10. a falsy rejection of authDefault leaves its context to the default around',
  async (t) => {
    const app = await protectedApp(t, { default: false })
    const options = Object.defineProperty({ auth: {} }, 'auth', {
      enumerable: true,
      get: () => {
        throw undefined
      },
    })
    app.register(async (child) => {
      child.register(authDefault, options)
      child.get('/r', handler)
    })
    t.not(await get(app, '/r').catch(() => 'does not start'), '200')
  },
)

t.test('11. an error of the owner’s code is not shown to callers', async (t) => {
  let broken = false
  const now = () => {
    const headers = { 'x-secret': 'secret' }
    if (broken) throw Object.assign(new Error('secret of the owner'), { headers, statusCode: 418 })
    return NOW
  }
  const app = await protectedApp(t, { now })
  app.get('/r', handler)
  await app.ready()
  broken = true
  const response = await app.inject({ url: '/r', headers: withAuth(right) })
  t.ok(response.statusCode >= 500, 'it could not be judged')
  t.notMatch(response.body, /secret/)
  t.notOk('x-secret' in response.headers)
  t.equal(await get(app, '/r'), MISSING, 'no clock is needed to see that')
})
