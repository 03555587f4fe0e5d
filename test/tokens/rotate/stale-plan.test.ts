/** Runs whose plan is out of date: another run has promoted its secret meanwhile. */
import t, { type Test } from 'tap'
import {
  FIRST_SECRET,
  failAt,
  intercept,
  rotationErrorOf,
  setUpRotation,
  stop,
} from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { ALL_SERVICES } from '../../support/secret-stores.ts'

const DAY_MS = 86_400_000

for (const [name, createService] of Object.entries(ALL_SERVICES)) {
  t.test(`${name}: a late start changes nothing of the promoted rotation`, async (t: Test) => {
    const { pool, clock, rotate } = await setUpRotation(t)
    const store = createService().createStore()
    const late = intercept(store, async (operation, call) => {
      // Another run ends in its grace period.
      if (operation === 'putPending') await rotate({ store, sleep: stop }).catch(() => {})
      return call()
    })
    const error = await rotationErrorOf(rotate({ store: late }))
    t.equal(error.code, 'ERR_ROTATION_CONFLICT', error.message)
    const { current, pending } = await store.get()
    t.equal(pending, undefined)
    t.match(current.rotation, { promotedAt: Number })
    clock.now += DAY_MS
    const { steps } = await rotate({ store })
    t.strictSame(steps, ['test', 'grace', 'delete'])
    t.strictSame(pool.clients[0]?.clientSecrets, [current.value])
  })

  t.test(`${name}: a failed run does not release another that resumed too`, async (t: Test) => {
    const { pool, cognito, rotate } = await setUpRotation(t)
    const store = createService().createStore()
    const failing = failAt(cognito, 'addUserPoolClientSecret')
    await rotationErrorOf(rotate({ store, cognito: failing }))
    const second = intercept(store, async (operation, call) => {
      if (operation !== 'putPending') return call()
      let result: unknown
      const first = intercept(store, async (firstOperation, firstCall) => {
        const firstResult = await firstCall()
        if (firstOperation !== 'putPending' || result !== undefined) return firstResult
        result = await call()
        throw new Error('stop')
      })
      t.equal((await rotationErrorOf(rotate({ store: first }))).code, 'ERR_ROTATION_STORE')
      const third = await rotationErrorOf(rotate({ store }))
      t.equal(third.code, 'ERR_ROTATION_CONFLICT', third.message)
      return result
    })
    t.match(await rotate({ store: second }), { resumed: true })
    const { current, pending } = await store.get()
    t.strictSame([current.rotation, pending], [undefined, undefined])
    t.strictSame(pool.clients[0]?.clientSecrets, [current.value])
  })
}

t.test('finishSecret promotes no secret that the app client does not have', async (t) => {
  const { pool, secretsManager, begin, call } = await setUpHandler(t)
  const token = begin()
  await call('createSecret', token)
  for (const step of ['testSecret', 'finishSecret'] as const) {
    const error = await rotationErrorOf(call(step, token))
    t.match(error, { code: 'ERR_ROTATION_SECRETS', message: /does not have the pending secret/ })
  }
  t.equal(secretsManager.valueOf('AWSCURRENT'), FIRST_SECRET)
  for (const step of STEPS) await call(step, token)
  t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET, secretsManager.valueOf('AWSCURRENT')])
})
