/** Runs whose plan is out of date: another run has promoted its secret meanwhile. */
import t, { type Test } from 'tap'
import {
  type ClientSecretStore,
  secretsManagerStore,
  ssmStore,
} from '../../../src/tokens/rotate/index.ts'
import { FakeParameterStore, FakeSecretsManager } from '../../support/aws-fakes.ts'
import {
  FIRST_SECRET,
  intercept,
  MemorySecretStore,
  rotationErrorOf,
  setUpRotation,
} from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'

const NAME = '/prod/orders-client'
const DAY_MS = 86_400_000

const STORES: Readonly<Record<string, () => ClientSecretStore>> = {
  memory: () => new MemorySecretStore(FIRST_SECRET),
  secretsManagerStore: () =>
    secretsManagerStore({ secretsManager: new FakeSecretsManager(FIRST_SECRET), secretId: NAME }),
  ssmStore: () => ssmStore({ ssm: new FakeParameterStore(NAME, FIRST_SECRET), name: NAME }),
}

/** Another run that ends in its grace period, and is resumed after it. */
async function promoteOnce(
  store: ClientSecretStore,
  { rotate }: Awaited<ReturnType<typeof setUpRotation>>,
) {
  const stop = async (): Promise<never> => {
    throw new Error('stop')
  }
  await rotate({ store, sleep: stop }).catch(() => {})
}

for (const [name, create] of Object.entries(STORES)) {
  t.test(`${name}: a late start changes nothing of the promoted rotation`, async (t: Test) => {
    const world = await setUpRotation(t)
    const { pool, clock, rotate } = world
    const store = create()
    const late = intercept(store, async (operation, call) => {
      if (operation === 'putPending') await promoteOnce(store, world)
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
    const store = create()
    const failing = intercept(cognito, async (operation, call) => {
      if (operation === 'addUserPoolClientSecret') throw new Error('stop')
      return call()
    })
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
