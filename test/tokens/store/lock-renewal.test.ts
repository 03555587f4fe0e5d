/** A lock outlives the longest token request, and ends soon after its owner. */
import t from 'tap'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { createTokenProxyHandler } from '../../../src/tokens/proxy/lambda.ts'
import { LOCK_TTL_MS } from '../../../src/tokens/store/resilient-store.ts'
import type { TokenStore } from '../../../src/tokens/store/token-store.ts'
import { tokenAnswer } from '../../support/client.ts'
import { createFormEvent } from '../../support/function-url.ts'
import { createRequest, encryptionKeys } from '../../support/proxy.ts'
import {
  type Clock,
  process,
  type SharedStore,
  setUpTimedStore,
  WAIT,
  wrapStore,
} from '../../support/shared-store.ts'

const NAME = 'name'
/** Milliseconds: four attempts of a client, each with both Regions, and their delays take less. So does the proxy. */
const LONGEST_REQUEST_MS = 60_000

t.test('a lock outlives the longest token request, and is free at once after it', async (t) => {
  const { clock, shared, pass } = setUpTimedStore(t)
  const [mine, theirs] = [process(shared, clock).store, process(shared, clock).store]
  const lock = await mine.acquire(NAME, WAIT)
  for (let passed = 0; passed < LONGEST_REQUEST_MS; passed += 250) {
    await pass(250)
    if ((await theirs.acquire(NAME, WAIT)) !== undefined) t.fail(`free after ${passed} ms`)
  }
  await lock?.release()
  t.ok(await theirs.acquire(NAME, WAIT))
})

t.test('a process that was frozen does not take a lock again that it has lost', async (t) => {
  const { clock, shared, pass } = setUpTimedStore(t)
  const [mine, theirs] = [process(shared, clock).store, process(shared, clock).store]
  await mine.acquire(NAME, WAIT)
  // Frozen: no timer runs.
  clock.pass(LOCK_TTL_MS)
  const lock = await theirs.acquire(NAME, WAIT)
  t.ok(lock)
  await lock?.release()
  shared.commands.length = 0
  await pass(500)
  await pass(500)
  t.strictSame(shared.commands, [])
  t.ok(await theirs.acquire(NAME, WAIT))
})

/** A store whose first lock belongs to a process that has died. */
function ownedByTheDead(shared: SharedStore): TokenStore {
  let isFirst = true
  return wrapStore(shared, {
    lock: async (name, owner, ttl) => {
      if (isFirst) await shared.lock(name, 'dead', LOCK_TTL_MS)
      isFirst = false
      return shared.lock(name, owner, ttl)
    },
  })
}

const waiters: Readonly<
  Record<string, (store: TokenStore, clock: Clock, fetch: typeof globalThis.fetch) => unknown>
> = {
  client: (store, { options }, fetch) =>
    createTokenClient({
      tokenEndpoint: 'https://a.example/oauth2/token',
      clientId: 'billing',
      clientSecret: 'secret',
      store,
      fetch,
      ...options,
    }).getToken(),
  proxy: (store, { options }, fetch) =>
    createTokenProxyHandler({
      tokenEndpoint: 'https://a.example/oauth2/token',
      store,
      encryptionKeys,
      fetch,
      ...options,
    })(createFormEvent(String(createRequest({}).body))),
}

for (const [name, start] of Object.entries(waiters)) {
  t.test(`a waiting ${name} takes over 2 s after the owner of the lock has died`, async (t) => {
    const { clock, shared, pass } = setUpTimedStore(t)
    let isSent = false
    void start(ownedByTheDead(shared), clock, async () => {
      isSent = true
      return tokenAnswer('token')
    })
    let passed = 0
    while (!isSent && passed < 10_000) {
      await pass(50)
      passed += 50
    }
    t.ok(passed >= LOCK_TTL_MS, `after ${passed} ms`)
    t.ok(passed <= LOCK_TTL_MS + 200, `after ${passed} ms`)
  })
}
