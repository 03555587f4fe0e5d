/** One request for a token at a time, for all its callers. */
import { request as httpRequest } from 'node:http'
import t, { type Test } from 'tap'
import { memoryStore } from '../../../src/tokens/proxy/index.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import {
  createRequest,
  encryptionKeys,
  issue,
  READ,
  reply,
  setUpProxy,
  sharedStore,
  startProxy,
  startUpstream,
  until,
  WRITE,
} from '../../support/proxy.ts'
import { RealLimit } from '../../support/real-limit.ts'

t.test('10,000 callers at once, one client: one request upstream', async (t) => {
  // The machine may be busy: no caller runs out of time meanwhile.
  const timeout = new RealLimit(29_000).milliseconds / 1000
  const { inject, wire } = await setUpProxy(t, { timeout })
  const answers = await Promise.all(Array.from({ length: 10_000 }, () => inject()))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ json }) => json['access_token'])).size, 1)
  t.equal(wire.count, 1)
})

t.test('500 callers at once over sockets: one request upstream', async (t) => {
  const { send, wire } = await setUpProxy(t)
  const answers = await Promise.all(Array.from({ length: 500 }, () => send()))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(wire.count, 1)
})

t.test('different scopes do not wait for each other', async (t) => {
  const { inject, wire } = await setUpProxy(t)
  const requests = [{ scope: READ }, { scope: WRITE }, {}].flatMap((it) => [it, it, it])
  const answers = await Promise.all(requests.map((it) => inject(it)))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(wire.count, 3)
})

t.test('a caller that disconnects does not end the flight of others', async (t) => {
  const { send, port, wire } = await setUpProxy(t)
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { path, method, headers, body } = createRequest({})
  const gone = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false })
  gone.on('error', () => {})
  gone.end(body)
  await until(() => wire.count === 1)
  const others = [send(), send()]
  gone.destroy()
  await new Promise((resolve) => gone.once('close', resolve))
  open()
  for (const { status } of await Promise.all(others)) t.equal(status, 200)
  t.equal((await send()).status, 200)
  t.equal(wire.count, 1)
})

t.test('the flight of a caller that disconnects still stores the token', async (t) => {
  const { send, port, wire, app } = await setUpProxy(t)
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { path, method, headers, body } = createRequest({})
  const gone = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false })
  gone.on('error', () => {})
  gone.end(body)
  await until(() => wire.count === 1)
  gone.destroy()
  await new Promise((resolve) => gone.once('close', resolve))
  open()
  await until(() => app.tokenProxy.status().inFlight === 0)
  t.equal((await send()).status, 200)
  t.equal(wire.count, 1)
})

/** Two proxies over one store represent two processes: they do not share flights. */
async function startTwoProxies(t: Test) {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = memoryStore({ now, monotonicNow })
  const first = await setUpProxy(t, { tokenEndpoint, store }, clocks)
  const second = await startProxy(t, { tokenEndpoint, store, now, monotonicNow })
  return { requests, store, first, second }
}

t.test('of two processes, one requests the token and the other waits for it', async (t) => {
  const { requests, first, second } = await startTwoProxies(t)
  let open = (): void => {}
  first.wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const leader = first.send()
  await until(() => first.wire.count === 1)
  const waiters = [second.send(), second.send()]
  open()
  const answers = await Promise.all([leader, ...waiters])
  t.same(
    answers.map(({ json }) => json['access_token']),
    ['token-1', 'token-1', 'token-1'],
  )
  t.equal(requests.length, 1)
})

t.test('the second process takes over if the first stores no token', async (t) => {
  const { requests, first, second } = await startTwoProxies(t)
  let open = (): void => {}
  first.wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  first.wire.isDown = true
  const leader = first.send()
  await until(() => first.wire.count === 1)
  const waiter = second.send()
  open()
  t.equal((await leader).status, 503)
  t.equal((await waiter).json['access_token'], 'token-1')
  t.equal(requests.length, 1)
})

t.test('a caller without a response of the store joins the request in flight', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const clocks = new Clocks()
  const store = sharedStore(clocks)
  const { inject, wire } = await setUpProxy(t, { tokenEndpoint, store, encryptionKeys }, clocks)
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const first = inject()
  await until(() => wire.count === 1)
  let looks = 0
  store.get = async () => {
    looks += 1
    throw new Error('away')
  }
  const second = inject()
  await until(() => looks > 0)
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  open()
  const answers = await Promise.all([first, second])
  t.strictSame(
    answers.map(({ json }) => json['access_token']),
    ['token-1', 'token-1'],
  )
  t.equal(requests.length, 1)
})

t.test(
  'a joining caller gets the lifetime that is left, and no token that has ended',
  async (t) => {
    for (const [seconds, expected] of [
      [0, '200 token-1 3600'],
      [1800, '200 token-1 1800'],
      [3599, '200 token-1 1'],
      [3600, '503 temporarily_unavailable 1'],
      [Number.NaN, '200 token-1 3600'],
    ] as const) {
      const clocks = new Clocks()
      const { tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
        reply(response, 200, issue(count)),
      )
      const { inject, wire } = await setUpProxy(t, { tokenEndpoint }, clocks)
      let open = (): void => {}
      wire.gate = new Promise<void>((resolve) => {
        open = resolve
      })
      const first = inject()
      await until(() => wire.count === 1)
      const second = inject()
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      // The process was suspended.
      clocks.advance(1000 * seconds)
      open()
      t.equal((await first).status, 200)
      const { status, headers, json } = await second
      const { access_token: token, expires_in: left = headers['retry-after'], error } = json
      t.equal(`${status} ${token ?? error} ${left}`, expected)
      t.equal(wire.count, 1)
    }
  },
)

t.test('a process that waits too long for another sends a request', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  // A process that hangs with each lock in its hands.
  const store = sharedStore(new Clocks())
  store.lock = async () => false
  const { send } = await startProxy(t, { tokenEndpoint, store, encryptionKeys, timeout: 0.5 })
  t.equal((await send()).json['access_token'], 'token-1')
  t.equal(requests.length, 1)
})
