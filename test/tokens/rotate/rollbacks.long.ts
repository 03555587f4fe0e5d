/**
 * Runs are killed at a random call of the SDK, and some run two at once. An operator rolls the store back, removes labels and
 * deletes secrets. The current secret of the store is always valid, and the next run completes or names the rollback.
 */
import t from 'tap'
import { createRandom } from '../../support/random.ts'
import {
  deleteSecret,
  FIRST_SECRET,
  intercept,
  KilledError,
  type OnCall,
  setUpRotation,
} from '../../support/rotation.ts'
import { sampleSize } from '../../support/sample.ts'
import { AWS_SERVICES } from '../../support/secret-stores.ts'

/** Seconds: longer than a grace period and the time for which a killed run holds the rotation. */
const AFTER_HOLD = 90_000
const RUNS = 5

const total = sampleSize('rotations with rollbacks', { complete: 400, sampled: 40 })

for (const [name, createService] of Object.entries(AWS_SERVICES)) {
  t.test(`${name}: the current secret is always valid`, { timeout: 3_600_000 }, async (t) => {
    let rollbacks = 0
    for (let seed = 1; seed <= total / 2; seed += 1) {
      const world = await setUpRotation(t)
      const { pool, cognito, clock, rotate } = world
      const { createStore, readCurrent, rollBack, removePending } = createService()
      const random = createRandom(seed * 7919)
      const getSecrets = (): readonly string[] => pool.clients[0]?.clientSecrets ?? []
      const check = (after: string): void => {
        if (!getSecrets().includes(String(readCurrent()))) t.fail(`seed ${seed}: ${after}`)
      }
      const deleteOther = async (): Promise<void> => {
        const index = getSecrets().findIndex((value) => value !== readCurrent())
        if (getSecrets().length === 2 && index !== -1) await deleteSecret(world, index)
      }
      const operate = async (): Promise<void> => {
        const kind = random(3)
        if (kind === 0 && getSecrets().includes(FIRST_SECRET)) await rollBack()
        if (kind === 1) removePending()
        if (kind === 2) await deleteOther()
        check(`operator ${kind}`)
      }
      const run = async (killedAt: number): Promise<unknown> => {
        const isAfter = random(2) === 1
        const isOperated = random(2) === 1
        let count = -1
        const onCall: OnCall = async (operation, call) => {
          count += 1
          const isLast = count === killedAt
          if (killedAt >= 0 && (count > killedAt || (isLast && !isAfter))) throw new KilledError()
          if (operation === 'sleep' && isOperated) await operate()
          const result = await call()
          check(operation)
          if (isLast) throw new KilledError()
          return result
        }
        const sleep = (milliseconds: number) =>
          onCall('sleep', async () => {
            clock.now += milliseconds
          })
        const changes = { store: createStore(onCall), cognito: intercept(cognito, onCall), sleep }
        const grace = random(2) === 0 ? 0 : 86_400
        return rotate({ ...changes, grace }).catch((error: unknown) => error)
      }
      for (let index = 0; index < RUNS; index += 1) {
        const runs = random(3) === 0 ? [random(60), random(60)] : [random(60)]
        await Promise.all(runs.map(run))
        if (random(2) === 0) clock.now += AFTER_HOLD * 1000
        if (random(3) === 0) await operate()
      }
      clock.now += 7 * 86_400_000 + AFTER_HOLD * 1000
      const last = await rotate({ store: createStore() }).catch((error: unknown) => error)
      check('the last run')
      if (last instanceof Error) {
        rollbacks += 1
        t.match(last, { code: 'ERR_ROTATION_SECRETS', message: /was rolled back/ }, `seed ${seed}`)
      } else if (getSecrets().length !== 1) t.fail(`seed ${seed}: two secrets`)
    }
    t.ok(rollbacks < total / 4, `${rollbacks} rollbacks`)
  })
}
