/**
 * Lambda freezes a process after its invocation. What an invocation leaves behind neither delays nor answers the next
 * one, and `close()` writes what has arrived.
 */
import t, { type Test } from 'tap'
import { createTokenProxyHandler } from '../../../src/tokens/proxy/lambda.ts'
import type { TokenStore } from '../../../src/tokens/store/token-store.ts'
import { settle, timers } from '../../support/client.ts'
import { createFormEvent } from '../../support/function-url.ts'
import { Clocks } from '../../support/key-endpoint.ts'
import { CLIENT, createRequest, encryptionKeys, issue, READ, WRITE } from '../../support/proxy.ts'
import { Clock, SharedStore, wrapStore } from '../../support/shared-store.ts'

/** A handler over a shared store, some of whose commands are replaced. Its timers are advanced by `tick`. */
function setUp(t: Test, overrides: (store: SharedStore) => Partial<TokenStore> = () => ({})) {
  const clocks = new Clocks()
  const { now, monotonicNow } = clocks
  const store = new SharedStore(new Clock())
  let count = 0
  const handler = createTokenProxyHandler({
    tokenEndpoint: 'https://a.example/oauth2/token',
    store: wrapStore(store, overrides(store)),
    encryptionKeys,
    timeout: 0.5,
    now,
    monotonicNow,
    fetch: async () => {
      count += 1
      return Response.json(issue(count))
    },
  })
  const tick = timers(t)
  return {
    handler,
    store,
    clocks,
    tick: async (milliseconds: number) => {
      clocks.advance(milliseconds)
      await tick(milliseconds)
    },
    /** Starts an invocation. `token` is undefined until it ends. */
    invoke(scope: string) {
      const invocation = { token: undefined as string | undefined }
      void handler(createFormEvent(String(createRequest({ scope }).body))).then(({ body }) => {
        invocation.token = JSON.parse(body).access_token ?? body
      })
      return invocation
    },
  }
}

t.test(
  'a token that is stored slowly delays neither the next invocation nor its lock',
  async (t) => {
    const world = { hangs: false }
    /** The name of the token, then that of the record of its credential. */
    const names = new Set<string>()
    const { invoke, tick, store } = setUp(t, (store) => ({
      lock: (name, owner, ttl) => {
        names.add(name)
        if (world.hangs && name === [...names][1]) return new Promise(() => {})
        return store.lock(name, owner, ttl)
      },
    }))
    const first = invoke(READ)
    await settle()
    t.equal(first.token, 'token-1')
    world.hangs = true
    const slow = invoke(WRITE)
    await tick(499)
    t.equal(slow.token, undefined, 'waits for the store')
    await tick(1)
    t.equal(slow.token, 'token-2', 'at most `timeout`')
    const commands = store.commands.length
    const cached = invoke(READ)
    await settle()
    t.equal(cached.token, 'token-1', 'at once')
    const same = invoke(WRITE)
    await settle()
    t.strictSame(
      store.commands.slice(commands),
      ['get', 'get', 'lock', 'get'],
      'takes the lock of the token at once',
    )
    await tick(500)
    t.equal(same.token, 'token-3', 'which it requests itself')
  },
)

t.test('an invocation ends once its lock is free in the store', async (t) => {
  let free = (): void => {}
  const { invoke } = setUp(t, (store) => ({
    unlock: async (key, owner) => {
      await new Promise<void>((resolve) => {
        free = resolve
      })
      return store.unlock(key, owner)
    },
  }))
  const invocation = invoke(READ)
  await settle()
  t.equal(invocation.token, undefined)
  free()
  await settle()
  free()
  await settle()
  t.equal(invocation.token, 'token-1')
})

t.test('close stores a token that has arrived, and frees its lock', async (t) => {
  let stored = (): void => {}
  const { handler, invoke, store } = setUp(t, (store) => ({
    set: async (...entry) => {
      await new Promise<void>((resolve) => {
        stored = resolve
      })
      return store.set(...entry)
    },
  }))
  void invoke(READ)
  await settle()
  const before = store.commands.length
  const closed = handler.close()
  await settle()
  // The record of the credential, then the token.
  stored()
  await settle()
  stored()
  await closed
  t.strictSame(store.commands.slice(before), ['set', 'unlock', 'set', 'unlock', 'close'])
})

t.test('close sends an invalidation again that the store has missed', async (t) => {
  const { handler, store } = setUp(t)
  store.fault = 'rejects'
  t.equal(await handler.invalidate({ clientId: CLIENT }), false)
  store.fault = undefined
  store.commands.length = 0
  await handler.close()
  t.strictSame(store.commands, ['invalidate', 'close'])
})

t.test('a token request that close ends is no failure of Cognito', async (t) => {
  const lines: string[] = []
  const log = (_details: object, message: string): void => void lines.push(message)
  const handler = createTokenProxyHandler({
    tokenEndpoint: 'https://a.example/oauth2/token',
    fetch: () => new Promise(() => {}),
    logger: { info: log, warn: log, error: log },
  })
  const invocation = handler(createFormEvent(String(createRequest({}).body)))
  await settle()
  t.equal(handler.status().inFlight, 1)
  await handler.close()
  t.equal((await invocation).statusCode, 503)
  t.equal(handler.status().endpoint.lastError, null)
  t.strictSame(lines, ['cognito-m2m: callers got no token'])
})

t.test('close ends the wait for a function of headers, and calls none after it', async (t) => {
  let calls = 0
  let isUnlocked = false
  const clocks = new Clocks()
  const store = new SharedStore(new Clock())
  const handler = createTokenProxyHandler({
    tokenEndpoint: 'https://a.example/oauth2/token',
    store: wrapStore(store, {
      lock: async (name, owner, ttl) => {
        while (calls > 0 && !isUnlocked) await settle()
        return store.lock(name, owner, ttl)
      },
    }),
    encryptionKeys,
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    headers: {
      'x-a': () => {
        calls += 1
        return new Promise(() => {})
      },
    },
    fetch: () => Promise.reject(new Error('sent')),
  })
  const invoke = (scope: string) => handler(createFormEvent(String(createRequest({ scope }).body)))
  const first = invoke(READ)
  await settle()
  t.equal(calls, 1)
  const second = invoke(WRITE)
  await settle()
  const closed = handler.close()
  isUnlocked = true
  await closed
  t.equal((await first).statusCode, 503)
  t.equal((await second).statusCode, 503)
  t.equal(calls, 1)
})

t.test('close ends in bounded time if the store hangs', async (t) => {
  const { handler, invoke, store, tick } = setUp(t)
  void invoke(READ)
  await settle()
  store.fault = 'hangs'
  void invoke(WRITE)
  void handler.invalidate({ clientId: CLIENT })
  await tick(100)
  let isClosed = false
  void handler.close().then(() => {
    isClosed = true
  })
  for (let count = 0; count < 11 && !isClosed; count += 1) await tick(100)
  await tick(100)
  t.equal(isClosed, true)
})

t.test('an invocation waits for its lock no longer than 100 ms', async (t) => {
  const { invoke, tick } = setUp(t, () => ({ unlock: () => new Promise(() => {}) }))
  const invocation = invoke(READ)
  await tick(99)
  t.equal(invocation.token, undefined)
  await tick(1)
  t.equal(invocation.token, 'token-1')
})
