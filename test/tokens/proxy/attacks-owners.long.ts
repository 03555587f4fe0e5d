/** Faulty hooks, stores and options: callers get a response, and the process continues. */

import t from 'tap'
import { memoryStore } from '../../../src/tokens/proxy/index.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import {
  issue,
  READ,
  reply,
  setUpProxy,
  startProxy,
  startUpstream,
  until,
} from '../../support/proxy.ts'

t.test(
  'with a memory store that another app closed, tokens are issued and not cached',
  async (t) => {
    const store = memoryStore()
    const { send, clocks, wire, app } = await setUpProxy(t, { store })
    await send()
    clocks.advance(2700 * SECOND)
    await store.close()
    t.equal((await send()).status, 200)
    t.equal((await send({ scope: READ })).status, 200)
    await until(() => app.tokenProxy.status().inFlight === 0)
    t.ok(wire.count >= 3)
    await app.tokenProxy.invalidate({ clientId: 'billing' })
  },
)

t.test('JSON of a firewall is a failure, and deletes no valid token', async (t) => {
  const upstream = { isBlocked: false }
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) => {
    if (upstream.isBlocked) reply(response, 403, { message: 'Forbidden' })
    else reply(response, 200, issue(count))
  })
  const { send, clocks } = await setUpProxy(t, { tokenEndpoint })
  await send()
  upstream.isBlocked = true
  clocks.advance(3400 * SECOND)
  t.equal((await send()).json['access_token'], 'token-1')
  t.equal((await send()).json['access_token'], 'token-1')
  const other = await send({ scope: READ })
  t.equal(other.status, 403)
  t.same(other.json, { message: 'Forbidden' })
  t.equal(other.headers['retry-after'], '1')
  upstream.isBlocked = false
  const again = await send({ scope: READ })
  t.same([again.status, again.text], [403, other.text], 'remembered for a second')
  clocks.advance(SECOND)
  t.equal((await send({ scope: READ })).status, 200)
})

t.test(
  'after a renewal that failed while the clock failed, the token is renewed once the clock works',
  async (t) => {
    const clock = { isBroken: false }
    const upstream = { isDown: false }
    const { tokenEndpoint } = await startUpstream(t, (response, _request, count) => {
      if (upstream.isDown) {
        clock.isBroken = true
        response.destroy()
      } else reply(response, 200, issue(count))
    })
    const { clocks } = await setUpProxy(t)
    const { send, app } = await startProxy(t, {
      tokenEndpoint,
      now: clocks.now,
      monotonicNow: () => (clock.isBroken ? Number.NaN : clocks.monotonicNow()),
    })
    await send()
    clocks.advance(2700 * SECOND)
    upstream.isDown = true
    await send()
    await until(() => clock.isBroken && app.tokenProxy.status().inFlight === 0)
    upstream.isDown = false
    clock.isBroken = false
    clocks.advance(100 * SECOND)
    await send()
    await until(() => app.tokenProxy.status().inFlight === 0)
    t.equal((await send()).json['access_token'], 'token-3')
  },
)

t.test('a polluted prototype does not turn responses of Cognito into failures', async (t) => {
  const answer = JSON.stringify(issue(1))
  const { inject } = await setUpProxy(t, { fetch: async () => new Response(answer) })
  Object.defineProperty(Object.prototype, 'code', {
    value: 'x',
    configurable: true,
    writable: true,
  })
  t.teardown(() => Reflect.deleteProperty(Object.prototype, 'code'))
  const { status } = await inject()
  Reflect.deleteProperty(Object.prototype, 'code')
  t.equal(status, 200)
})

t.test('unauthenticated callers evict no client from the cache of the lookup', async (t) => {
  const lookups: string[] = []
  const clients = (clientId: string): boolean => {
    lookups.push(clientId)
    return clientId === 'billing'
  }
  const { inject } = await setUpProxy(t, { clients })
  t.equal((await inject()).status, 200)
  for (let stranger = 0; stranger < 10_001; stranger += 1) {
    await inject({ clientId: `stranger${stranger}` })
  }
  lookups.length = 0
  t.equal((await inject()).status, 200)
  t.same(lookups, [])
})

t.test('concurrent requests cause no warning about a listener leak', async (t) => {
  const warned: string[] = []
  const hear = (warning: Error): void => void warned.push(warning.message)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const { wire, send } = await setUpProxy(t)
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const answers = Array.from({ length: 20 }, (_, index) => send({ secret: `guess-${index}` }))
  await until(() => wire.count === 20)
  open()
  await Promise.all(answers)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warned, [])
})

t.test('long refusals of an upstream are not cached', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, { body }) =>
    reply(response, 400, { error: 'invalid_scope', error_description: body }),
  )
  const { send } = await setUpProxy(t, { tokenEndpoint })
  for (const length of [100, 5000]) {
    const scope = 's'.repeat(length)
    t.equal((await send({ scope })).status, 400)
    t.equal((await send({ scope })).status, 400)
  }
  t.equal(requests.length, 3, 'the short one is remembered, the long one is not')
})
