/**
 * Run as a separate process: takes a lock of a store over Redis, and follows commands of its parent.
 *
 * `node locking-process.ts <settings as JSON>`
 */
import { Redis } from 'ioredis'
import { type EncryptionKey, redisStore } from '../../src/tokens/proxy/index.ts'
import { ResilientStore } from '../../src/tokens/store/resilient-store.ts'

/** What the parent hands over. */
export interface LockSettings {
  readonly redisUrl: string
  readonly name: string
  readonly encryptionKeys: readonly EncryptionKey[]
}

const { redisUrl, name, encryptionKeys } = JSON.parse(process.argv[2] ?? '') as LockSettings
const store = new ResilientStore({
  store: redisStore({ redis: new Redis(redisUrl, { lazyConnect: true }) }),
  encryptionKeys,
  logger: undefined,
  now: Date.now,
  monotonicNow: () => performance.now(),
})
// The wait is long enough to connect on a busy machine.
const lock = await store.acquire(name, 1250)
process.on('message', async () => {
  await store.close()
  process.send?.('closed')
  // Whatever still runs now keeps the process alive.
  process.disconnect()
})
process.send?.(lock === undefined ? 'refused' : 'held')
