/** Names and groups in a shared store are HMACs under the encryption key: ids cannot be guessed from them. */
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t from 'tap'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { readEncryptionKeys } from '../../../src/tokens/store/encryption-keys.ts'
import { redisStore } from '../../../src/tokens/store/redis-store.ts'
import { ResilientStore } from '../../../src/tokens/store/resilient-store.ts'
import { deriveGroup, deriveName, unseal as opened } from '../../../src/tokens/store/sealing.ts'
import { startRedis, withoutRedis } from '../../support/redis.ts'
import {
  acquireReleased,
  Clock,
  fill,
  found,
  KEY,
  process,
  SharedStore,
  WAIT,
} from '../../support/shared-store.ts'

const CLIENT = '5kek0i61pgkokoob4fsm9fo9it'
const CLIENT_OPTIONS = {
  tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
  clientId: CLIENT,
  fetch: async () => Response.json({ access_token: 'x', token_type: 'Bearer', expires_in: 3600 }),
}
const identity = Buffer.from(CLIENT)
const NEXT = { id: '2026-02', key: randomBytes(32).toString('base64') }

/** Hashes that an attacker without the key can compute from a guessed client id. */
const guesses = (id: string): string[] =>
  ['sha256', 'sha1', 'md5', 'sha512'].flatMap((hash) =>
    (['base64url', 'base64', 'hex'] as const).map((encoding) =>
      createHash(hash).update(id).digest(encoding),
    ),
  )

t.test('a group is an HMAC under a separate key, derived from the encryption key', (t) => {
  const bytes = Buffer.from(KEY.key as string, 'base64')
  const keys = readEncryptionKeys([KEY])
  const derived = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', bytes, '', `cognito-m2m token store ${purpose} 1`, 32))
  const hmac = (purpose: string) =>
    createHmac('sha256', derived(purpose)).update(CLIENT).digest('base64url')
  t.equal(deriveGroup(CLIENT, keys), hmac('grouping'))
  t.equal(deriveName(identity, keys), hmac('naming'))
  t.notOk(guesses(CLIENT).includes(deriveGroup(CLIENT, keys)))
  t.not(deriveGroup(CLIENT, readEncryptionKeys([NEXT])), deriveGroup(CLIENT, keys))
  const both = readEncryptionKeys([KEY, NEXT])
  t.equal(
    deriveGroup(CLIENT, both),
    [KEY, NEXT].map((key) => deriveGroup(CLIENT, readEncryptionKeys([key]))).join('.'),
  )
  t.end()
})

t.test('no name in the store can be computed from a guessed client id', async (t) => {
  const clock = new Clock()
  const shared = new SharedStore(clock)
  const names = new Set<string>()
  for (const method of ['get', 'set', 'delete', 'invalidate', 'lock', 'unlock'] as const) {
    const original = shared[method].bind(shared) as (...args: unknown[]) => Promise<never>
    shared[method] = (...args: unknown[]) => {
      for (const it of args) if (typeof it === 'string') names.add(it)
      return original(...args)
    }
  }
  const { store } = process(shared, clock, [NEXT, KEY])
  const [name, group] = [store.deriveName(identity), store.deriveGroup(CLIENT)]
  await fill(store, name, group, 'good')
  const lock = await store.acquire(name, WAIT)
  lock?.release()
  const next = await acquireReleased(store, name)
  next.release()
  await store.delete(name, group)
  t.equal(await store.invalidate(group), true)
  for (const guess of [CLIENT, ...guesses(CLIENT)]) {
    for (const text of names) t.notOk(text.includes(guess), text)
  }
})

t.test('during a rotation, an invalidation reaches entries under both keys', async (t) => {
  const orders = [[KEY], [KEY, NEXT], [NEXT, KEY], [NEXT]]
  for (const [index, left] of orders.slice(0, -1).entries()) {
    const clock = new Clock()
    const shared = new SharedStore(clock)
    const right = orders[index + 1] as typeof left
    const [one, two] = [process(shared, clock, left).store, process(shared, clock, right).store]
    for (const [writer, other] of [
      [one, two],
      [two, one],
    ] as const) {
      const place = (store: ResilientStore) =>
        [store.deriveName(identity), store.deriveGroup(CLIENT)] as const
      await fill(writer, ...place(writer), 'good')
      t.equal(await found(other, ...place(other)), 'good')
      t.equal(await other.invalidate(other.deriveGroup(CLIENT)), true)
      t.equal(await found(writer, ...place(writer)), undefined, 'neither the store’s nor a copy')
      t.equal(await found(other, ...place(other)), undefined)
      // A token requested before the invalidation is not stored after it.
      const { epoch } = await writer.get(...place(writer))
      await other.invalidate(other.deriveGroup(CLIENT))
      await writer.set(...place(writer), { value: Buffer.from('late'), epoch, ttl: 1000 })
      t.equal(await found(writer, ...place(writer)), undefined)
      t.equal(await found(other, ...place(other)), undefined)
    }
  }
})

t.test(
  'who guesses a client secret opens what clients share, as docs/client.md says',
  async (t) => {
    const page = readFileSync('docs/client.md', 'utf8')
    t.match(
      page,
      '### How strong the key is\n\nThe key is HKDF-SHA-256 of the client secret, without salt.',
    )
    t.match(page, 'can be guessed offline by anyone who reads the store')
    for (const other of ['docs/token-stores.md', 'docs/threat-model.md']) {
      t.match(readFileSync(other, 'utf8'), 'client.md#how-strong-the-key-is')
    }
    const shared = new SharedStore(new Clock())
    const secret = 'correct-horse-battery-staple'
    const client = createTokenClient({ ...CLIENT_OPTIONS, clientSecret: secret, store: shared })
    await client.getToken()
    const [[name, sealed]] = [...shared.values] as [[string, Uint8Array]]
    const open = (guess: string) => {
      const derive = (what: string, length: number) =>
        Buffer.from(hkdfSync('sha256', guess, '', `cognito-m2m/client 3 ${what}`, length))
      const id = derive('key id', 6).toString('hex')
      return opened(sealed, name, readEncryptionKeys([{ id, key: derive('key', 32) }]))
    }
    t.match(Buffer.from(open(secret)?.value ?? []).toString(), '"accessToken":"x"')
    t.equal(open('another'), undefined)
  },
)

t.test('in Redis itself', { skip: withoutRedis }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server.kill())
  const redis = new Redis(server.url)
  t.teardown(() => redis.disconnect())
  const clock = new Clock()
  const store = redisStore({ redis })
  const steady = new ResilientStore({
    store,
    encryptionKeys: [KEY],
    logger: undefined,
    ...clock.options,
  })
  t.teardown(() => steady.close())
  await fill(steady, steady.deriveName(identity), steady.deriveGroup(CLIENT), 'good')
  const lock = await steady.acquire(steady.deriveName(identity), WAIT)
  t.teardown(() => lock?.release())
  // Renewed while it is held, so that it is there again if this process was stopped for long.
  let locks: string[] = []
  while (locks.length === 0) locks = await redis.keys('*:lock:*')
  const shared = redisStore({ redis })
  const client = createTokenClient({
    ...CLIENT_OPTIONS,
    clientSecret: 'a secret',
    store: shared,
  })
  t.equal((await client.getToken()).accessToken, 'x')
  t.teardown(() => shared.close())
  const keys = await redis.keys('*')
  const fields = await Promise.all(
    keys.filter((key) => key.includes(':group:')).map((key) => redis.hkeys(key)),
  )
  t.equal(fields.length, 2, 'a group of each')
  for (const text of [...locks, ...keys, ...fields.flat()]) {
    for (const guess of [CLIENT, ...guesses(CLIENT)]) t.notOk(text.includes(guess), text)
  }
})
