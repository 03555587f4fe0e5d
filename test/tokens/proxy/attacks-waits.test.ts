/** Waits, invalidations and dropped secrets that an attacker or an unlucky moment could get around. */
import { mock } from 'node:test'
import t from 'tap'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import {
  CLIENT,
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
import { mockTimeouts } from '../../support/timers.ts'

/** Lets all work that needs no timer finish. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

t.test('a store that hangs leaves Cognito a part of a short timeout', async (t) => {
  const clocks = new Clocks()
  const store = sharedStore(clocks)
  store.get = () => new Promise(() => {})
  store.lock = () => new Promise(() => {})
  const fetch = async () => Response.json(issue(1))
  const options = { store, encryptionKeys, timeout: 1, fetch }
  const { inject } = await setUpProxy(t, options, clocks)
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const answers: number[] = []
  void inject().then(({ status }) => answers.push(status))
  for (let passed = 0; passed < 990; passed += 10) {
    await quiet()
    clocks.advance(10)
    mock.timers.tick(10)
  }
  await quiet()
  t.same(answers, [200])
  mock.timers.tick(10_000)
  await quiet()
})

t.test('a short timeout bounds the wait for a renewal while the store stalls', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const clocks = new Clocks()
  const store = sharedStore(clocks)
  const options = { tokenEndpoint, store, encryptionKeys, timeout: 0.4 }
  const { app, inject } = await setUpProxy(t, options, clocks)
  t.equal((await inject()).status, 200)
  await until(() => app.tokenProxy.status().inFlight === 0)
  let isWaiting = false
  store.lock = () => {
    isWaiting = true
    return new Promise(() => {})
  }
  clocks.advance(3400 * SECOND)
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const waiting = inject()
  await until(() => isWaiting)
  await quiet()
  mock.timers.tick(400)
  t.equal((await waiting).json['access_token'], 'token-1')
  mock.timers.tick(10_000)
  await quiet()
})

t.test('invalid_client drops the tokens of a pair while encryption keys rotate', async (t) => {
  const upstream = { refuses: false }
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) => {
    if (upstream.refuses) reply(response, 400, { error: 'invalid_client' })
    else reply(response, 200, issue(count))
  })
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = sharedStore(clocks)
  const [one, two] = [
    { id: 'a', key: Buffer.alloc(32, 1) },
    { id: 'b', key: Buffer.alloc(32, 2) },
  ] as const
  const shared = { tokenEndpoint, store, now, monotonicNow }
  const before = await startProxy(t, { ...shared, encryptionKeys: [one, two] })
  const after = await startProxy(t, { ...shared, encryptionKeys: [two, one] })
  t.equal((await before.send({ scope: READ })).json['access_token'], 'token-1')
  t.equal((await after.send({ scope: READ })).json['access_token'], 'token-1')
  upstream.refuses = true
  t.equal((await after.send({ scope: WRITE })).status, 400)
  t.equal((await after.send({ scope: READ })).status, 400)
  t.equal((await before.send({ scope: READ })).status, 400)
})

t.test('a request from before an invalidation is not joined after it', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = sharedStore(clocks)
  const { get, lock } = store
  const { inject, wire, app } = await setUpProxy(
    t,
    { tokenEndpoint, store, encryptionKeys },
    clocks,
  )
  const other = await startProxy(t, { tokenEndpoint, store, encryptionKeys, now, monotonicNow })
  store.get = () => Promise.reject(new Error('gone'))
  store.lock = () => Promise.reject(new Error('gone'))
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const early = inject()
  await until(() => app.tokenProxy.status().inFlight === 1)
  store.get = get
  store.lock = lock
  t.equal(await other.app.tokenProxy.invalidate({ clientId: CLIENT }), true)
  clocks.advance(2 * SECOND)
  const late = inject()
  await until(() => wire.count === 2)
  open()
  t.equal((await early).json['access_token'], 'token-1')
  t.equal((await late).json['access_token'], 'token-2')
})
