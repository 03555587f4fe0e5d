/**
 * Rotations under load: callers get tokens during every operation, and most runs are killed at a random one. Clocks are
 * injected. No caller sees an error, and the app client has at most two secrets, and one in the end.
 */
import t, { type Test } from 'tap'
import { createTokenClient, type TokenClient } from '../../../src/tokens/client/index.ts'
import type { ClientSecretStore } from '../../../src/tokens/rotate/index.ts'
import { createRandom } from '../../support/random.ts'
import {
  CLIENT_ID,
  intercept,
  KilledError,
  type RotationWorld,
  setUpRotation,
} from '../../support/rotation.ts'
import { sampleSize } from '../../support/sample.ts'
import { AWS_SERVICES } from '../../support/secret-stores.ts'

const CALLERS = 6

/** Operations of a run without a resumption, the wait included. */
const OPERATIONS = 11
const GRACES = [0, 600, 86_400]
/** Seconds: longer than a run holds a rotation. */
const AFTER_HOLD = 1000

/** Callers that load the secret from the store, and what they saw. */
function createLoad(t: Test, store: ClientSecretStore, world: RotationWorld) {
  const { pool, clock } = world
  const now = (): number => clock.now
  const callers: TokenClient[] = []
  for (let count = 0; count < CALLERS; count += 1) {
    const client = createTokenClient({
      tokenEndpoint: pool.tokenEndpoint,
      clientId: CLIENT_ID,
      clientSecret: async () => (await store.get()).current.value,
      now,
      monotonicNow: now,
    })
    callers.push(client)
    t.teardown(() => client.close())
  }
  const seen = { tokens: new Set<string>(), errors: [] as unknown[], mostSecrets: 0 }
  const getTokens = async (): Promise<void> => {
    const results = await Promise.allSettled(callers.map((caller) => caller.getToken()))
    for (const result of results) {
      if (result.status === 'fulfilled') seen.tokens.add(result.value.accessToken)
      else seen.errors.push(result.reason)
    }
    const count = pool.clients[0]?.clientSecrets.length ?? 0
    seen.mostSecrets = Math.max(seen.mostSecrets, count)
  }
  return { seen, getTokens }
}

/** Runs a rotation with load during each operation. Resolves to whether it was killed. */
async function runOnce(
  { cognito, clock, rotate }: RotationWorld,
  store: ClientSecretStore,
  random: (limit: number) => number,
  getTokens: () => Promise<void>,
  killedAt: number,
): Promise<boolean> {
  const isAfter = random(2) === 1
  let count = -1
  let isKilled = false
  const onCall = async (_name: string, call: () => Promise<unknown>): Promise<unknown> => {
    if (isKilled) throw new KilledError()
    count += 1
    // From time to time all tokens expire.
    clock.now += random(8) === 0 ? 4_000_000 : random(20_000)
    const loading = getTokens()
    if (count === killedAt) isKilled = true
    const result = isKilled && !isAfter ? undefined : await call()
    await loading
    await getTokens()
    if (isKilled) throw new KilledError()
    return result
  }
  const sleep = async (milliseconds: number): Promise<void> => {
    for (let piece = 0; piece < 4; piece += 1) {
      clock.now += milliseconds / 4
      await getTokens()
    }
  }
  const run = rotate({
    cognito: intercept(cognito, onCall),
    store: intercept(store, onCall),
    grace: GRACES[random(GRACES.length)] as number,
    sleep: (milliseconds) => onCall('sleep', () => sleep(milliseconds)),
  })
  await run.catch((error: unknown) => {
    if (!isKilled) throw error
  })
  return isKilled
}

const total = sampleSize('rotations under load', { complete: 1000, sampled: 60 })

for (const [name, createService] of Object.entries(AWS_SERVICES)) {
  t.test(`${name}: no caller sees an error`, { timeout: 3_600_000 }, async (t) => {
    const world = await setUpRotation(t)
    const { pool, clock } = world
    const store = createService().createStore()
    const random = createRandom(name.length)
    const { seen, getTokens } = createLoad(t, store, world)
    const values = new Set<string>()
    let kills = 0
    for (let rotation = 0; rotation < total / 2; rotation += 1) {
      // Some runs are not killed.
      const killedAt = random(Math.ceil(OPERATIONS * 1.5))
      if (await runOnce(world, store, random, getTokens, killedAt)) {
        kills += 1
        clock.now += (86_400 + AFTER_HOLD) * 1000
        await getTokens()
        await runOnce(world, store, random, getTokens, -2)
      }
      const { current, pending } = await store.get()
      const secrets = pool.clients[0]?.clientSecrets
      if (secrets?.length !== 1 || secrets[0] !== current.value || pending !== undefined) {
        t.fail(`rotation ${rotation}: ${secrets?.length} secrets`)
      }
      values.add(current.value)
    }
    await getTokens()
    t.strictSame(seen.errors, [])
    t.equal(seen.mostSecrets, 2)
    t.equal(values.size, total / 2, 'each rotation has a new secret')
    t.ok(kills > total / 8, `${kills} runs were killed`)
    t.ok(seen.tokens.size > total, `${seen.tokens.size} tokens`)
  })
}
