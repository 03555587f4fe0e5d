/** `authorize`: before the body, the cache and the flight; it fails closed. */
import t from 'tap'
import type { TokenProxyOptions } from '../../../src/tokens/proxy/index.ts'
import { captureLog } from '../../support/fastify.ts'
import { SECRET, setUpProxy, startPool, startProxy, WRONG } from '../../support/proxy.ts'

t.test('authorize: only true admits', async (t) => {
  for (const verdict of [false, undefined, null, 1, 'true', {}]) {
    const { send, wire } = await setUpProxy(t, { authorize: () => verdict as boolean })
    const answer = await send()
    t.equal(answer.status, 403)
    t.same(answer.json, { error: 'access_denied' })
    t.equal(answer.headers['cache-control'], 'no-store')
    t.equal(wire.count, 0)
  }
  for (const authorize of [() => true, async () => true]) {
    t.equal((await (await setUpProxy(t, { authorize })).send()).status, 200)
  }
})

t.test('authorize is called for each request, with or without a cached token', async (t) => {
  let isOpen = true
  const { send, wire } = await setUpProxy(t, {
    authorize: ({ headers, body }) => isOpen && headers['x-key'] === 'k' && body === undefined,
  })
  const headers = { 'x-key': 'k' }
  t.equal((await send({ headers })).status, 200)
  t.equal((await send()).status, 403)
  t.equal((await send({ headers })).status, 200)
  isOpen = false
  t.equal((await send({ headers })).status, 403)
  t.equal(wire.count, 1)
})

t.test('the body of an unauthorized request is not read', async (t) => {
  const { send } = await setUpProxy(t, { authorize: () => false })
  t.equal((await send({ body: 'x'.repeat(20_000) })).status, 403)
  t.equal((await send({ secret: WRONG })).status, 403)
})

t.test('authorize: an exception or a timeout is 503, without the exception', async (t) => {
  const authorizes: TokenProxyOptions['authorize'][] = [
    () => {
      throw new Error(SECRET)
    },
    async () => Promise.reject(new Error(SECRET)),
    () => new Promise<boolean>(() => {}),
  ]
  for (const authorize of authorizes) {
    const pool = await startPool(t)
    const log = captureLog()
    const { tokenEndpoint } = pool
    const options = authorize === undefined ? { tokenEndpoint } : { tokenEndpoint, authorize }
    const { send } = await startProxy(t, options, { logger: log.logger })
    const answer = await send()
    t.equal(answer.status, 503)
    t.same(answer.json, { error: 'temporarily_unavailable' })
    t.equal(answer.headers['retry-after'], '5')
    t.match(log.text(), /the authorize function of the token proxy failed/)
    t.notMatch(log.text(), SECRET)
  }
})
