/** A rollback of the store during a rotation: the secret that callers load again is never deleted. */
import t, { type Test } from 'tap'
import {
  deleteSecret,
  FIRST_SECRET,
  intercept,
  KilledError,
  listIds,
  type RotationWorld,
  rotationErrorOf,
  setUpRotation,
  stop,
} from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { ALL_SERVICES, moveCurrent } from '../../support/secret-stores.ts'

const DAY_MS = 86_400_000
const HOLD_MS = 900_000

/** Both secrets are valid, and callers load the first one. */
function assertKept(
  t: Test,
  { pool }: Pick<RotationWorld, 'pool'>,
  current: string | undefined,
): void {
  t.equal(current, FIRST_SECRET)
  t.equal(pool.clients[0]?.clientSecrets[0], FIRST_SECRET)
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
}

for (const [name, createService] of Object.entries(ALL_SERVICES)) {
  t.test(`${name}: a rollback in the grace period stops the run before the deletion`, async (t) => {
    const world = await setUpRotation(t)
    const { pool, cognito, clock, rotate } = world
    const target = createService()
    const store = target.createStore()
    const sleep = async (milliseconds: number): Promise<void> => {
      if (milliseconds === DAY_MS) await target.rollBack()
      clock.now += milliseconds
    }
    const error = await rotationErrorOf(rotate({ store, sleep }))
    const [, newId = ''] = await listIds(cognito, pool)
    t.match(error, {
      code: 'ERR_ROTATION_SECRETS',
      step: 'delete',
      message: new RegExp(`rolled back.*Delete the secret ${newId} .*run again`),
    })
    assertKept(t, world, target.readCurrent())
    // At once, and also after the time for which a killed run would hold the rotation.
    for (const delayMs of [0, 10 * DAY_MS]) {
      clock.now += delayMs
      const again = await rotationErrorOf(rotate({ store }))
      t.equal(again.code, 'ERR_ROTATION_SECRETS', again.message)
      assertKept(t, world, target.readCurrent())
    }
  })

  t.test(`${name}: a rollback after a run was killed in the grace period`, async (t) => {
    const world = await setUpRotation(t)
    const { clock, rotate } = world
    const target = createService()
    let isKilled = false
    const onCall = async (_name: string, call: () => Promise<unknown>): Promise<unknown> => {
      if (isKilled) throw new KilledError()
      return call()
    }
    const sleep = async (): Promise<never> => {
      isKilled = true
      throw new KilledError()
    }
    await t.rejects(rotate({ store: intercept(target.createStore(), onCall), sleep }))
    await target.rollBack()
    clock.now += DAY_MS + HOLD_MS
    const error = await rotationErrorOf(rotate({ store: target.createStore() }))
    t.equal(error.code, 'ERR_ROTATION_SECRETS', error.message)
    assertKept(t, world, target.readCurrent())
  })

  t.test(`${name}: the next rotation after a rollback has its own grace period`, async (t) => {
    const world = await setUpRotation(t)
    const { pool, clock, sleeps, rotate } = world
    const target = createService()
    const store = target.createStore()
    await t.rejects(rotate({ store, sleep: stop }), { message: 'stop' })
    await target.rollBack()
    await deleteSecret(world, 1)
    clock.now += 10 * DAY_MS
    sleeps.splice(0)
    await rotate({ store })
    t.strictSame(sleeps, [DAY_MS])
    t.strictSame(pool.clients[0]?.clientSecrets, [target.readCurrent()])
    t.not(target.readCurrent(), FIRST_SECRET)
    await rotate({ store })
    t.strictSame(pool.clients[0]?.clientSecrets, [target.readCurrent()])
  })
}

t.test('a rollback of a rotation by Secrets Manager, and the return from it', async (t) => {
  const world = await setUpHandler(t)
  const { pool, clock, secretsManager, handler, begin, call } = world
  const [first] = secretsManager.versions
  const token = begin()
  for (const step of STEPS) await call(step, token)
  await moveCurrent(secretsManager, first?.id)
  clock.now += DAY_MS
  const error = await rotationErrorOf(handler({}))
  t.match(error, { code: 'ERR_ROTATION_SECRETS', message: /rolled back/ })
  t.match(await rotationErrorOf(call('createSecret', token)), { code: 'ERR_ROTATION_SECRETS' })
  assertKept(t, world, secretsManager.valueOf('AWSCURRENT'))
  await moveCurrent(secretsManager, token)
  await handler({})
  t.strictSame(pool.clients[0]?.clientSecrets, [secretsManager.valueOf('AWSCURRENT')])
})

t.test('a current secret that is read late does not stop the run', async (t) => {
  const { pool, store, sleeps, rotate } = await setUpRotation(t)
  let isPromoted = false
  let stale = 2
  const late = intercept(store, async (name, call) => {
    const before = store.secrets
    const result = await call()
    if (name === 'promote') isPromoted = true
    if (name !== 'get' || !isPromoted || stale === 0) return result
    stale -= 1
    return { ...before, current: { value: FIRST_SECRET } }
  })
  await rotate({ store: late, grace: 0 })
  t.strictSame(sleeps, [1000, 2000])
  t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
})
