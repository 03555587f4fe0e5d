/** A rollback of the store during a rotation: the secret that callers load again is never deleted. */
import t, { type Test } from 'tap'
import {
  type ClientSecretStore,
  createRotationHandler,
  type RotationHandlerEvent,
  secretsManagerStore,
  ssmStore,
} from '../../../src/tokens/rotate/index.ts'
import { FakeParameterStore, FakeSecretsManager } from '../../support/aws-fakes.ts'
import {
  CLIENT_ID,
  FIRST_SECRET,
  intercept,
  KilledError,
  listIds,
  MemorySecretStore,
  rotationErrorOf,
  setUpRotation,
} from '../../support/rotation.ts'

const NAME = '/prod/orders-client'
const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-client-a1b2c3'
const DAY_MS = 86_400_000
const HOLD_MS = 900_000

interface RollbackStore {
  readonly store: ClientSecretStore
  /** What an operator does to restore the first secret. */
  readonly rollBack: () => Promise<void>
  readonly readCurrent: () => string | undefined
}

function createSecretsManagerStore() {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const [first] = fake.versions
  const moveCurrent = async (id: string | undefined): Promise<void> => {
    const owner = fake.versions.find(({ stages }) => stages.has('AWSCURRENT'))
    await fake.updateSecretVersionStage({
      SecretId: ARN,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: id,
      RemoveFromVersionId: owner?.id,
    })
  }
  return {
    fake,
    moveCurrent,
    store: secretsManagerStore({ secretsManager: fake, secretId: ARN }),
    rollBack: () => moveCurrent(first?.id),
    readCurrent: () => fake.valueOf('AWSCURRENT'),
  }
}

const STORES: Readonly<Record<string, () => RollbackStore>> = {
  memory: () => {
    const store = new MemorySecretStore(FIRST_SECRET)
    return {
      store,
      rollBack: async () => {
        store.secrets = { current: { value: FIRST_SECRET } }
      },
      readCurrent: () => store.secrets.current.value,
    }
  },
  secretsManagerStore: createSecretsManagerStore,
  ssmStore: () => {
    const fake = new FakeParameterStore(NAME, FIRST_SECRET)
    return {
      store: ssmStore({ ssm: fake, name: NAME }),
      rollBack: async () => {
        await fake.putParameter({
          Name: NAME,
          Type: 'SecureString',
          Value: FIRST_SECRET,
          Overwrite: true,
        })
      },
      readCurrent: () => fake.valueOf(NAME),
    }
  },
}

type World = Awaited<ReturnType<typeof setUpRotation>>

/** Both secrets are valid, and callers load the first one. */
async function assertKept(t: Test, world: World, { readCurrent }: RollbackStore) {
  const { pool } = world
  t.equal(readCurrent(), FIRST_SECRET)
  t.equal(pool.clients[0]?.clientSecrets[0], FIRST_SECRET)
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
}

for (const [name, create] of Object.entries(STORES)) {
  t.test(`${name}: a rollback in the grace period stops the run before the deletion`, async (t) => {
    const world = await setUpRotation(t)
    const { pool, cognito, clock, rotate } = world
    const target = create()
    const { store } = target
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
    await assertKept(t, world, target)
    // At once, and also after the time for which a killed run would hold the rotation.
    for (const delayMs of [0, 10 * DAY_MS]) {
      clock.now += delayMs
      const again = await rotationErrorOf(rotate({ store }))
      t.equal(again.code, 'ERR_ROTATION_SECRETS', again.message)
      await assertKept(t, world, target)
    }
  })

  t.test(`${name}: a rollback after a run was killed in the grace period`, async (t) => {
    const world = await setUpRotation(t)
    const { clock, rotate } = world
    const target = create()
    let isKilled = false
    const onCall = async (_name: string, call: () => Promise<unknown>): Promise<unknown> => {
      if (isKilled) throw new KilledError()
      return call()
    }
    const sleep = async (): Promise<never> => {
      isKilled = true
      throw new KilledError()
    }
    await t.rejects(rotate({ store: intercept(target.store, onCall), sleep }))
    await target.rollBack()
    clock.now += DAY_MS + HOLD_MS
    const error = await rotationErrorOf(rotate({ store: target.store }))
    t.equal(error.code, 'ERR_ROTATION_SECRETS', error.message)
    await assertKept(t, world, target)
  })

  t.test(`${name}: the next rotation after a rollback has its own grace period`, async (t) => {
    const world = await setUpRotation(t)
    const { pool, cognito, clock, sleeps, rotate } = world
    const target = create()
    const { store } = target
    const stop = async (): Promise<never> => {
      throw new Error('stop')
    }
    await t.rejects(rotate({ store, sleep: stop }), { message: 'stop' })
    await target.rollBack()
    const [, ClientSecretId = ''] = await listIds(cognito, pool)
    const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
    await cognito.deleteUserPoolClientSecret({ ...client, ClientSecretId })
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
  const world = await setUpRotation(t)
  const { pool, cognito, clock } = world
  const target = createSecretsManagerStore()
  const { fake: secretsManager, moveCurrent } = target
  const { store: _, ...others } = world.options
  const handler = createRotationHandler({ ...others, secretsManager, secretId: ARN })
  const token = 'c0ffee00-0000-4000-8000-000000000001'
  secretsManager.versions.push({ id: token, value: undefined, stages: new Set(['AWSPENDING']) })
  const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const
  const call = (Step: RotationHandlerEvent['Step'] & string) =>
    handler({ Step, SecretId: ARN, ClientRequestToken: token })
  for (const step of steps) await call(step)
  await target.rollBack()
  clock.now += DAY_MS
  const error = await rotationErrorOf(handler({}))
  t.match(error, { code: 'ERR_ROTATION_SECRETS', message: /rolled back/ })
  t.match(await rotationErrorOf(call('createSecret')), { code: 'ERR_ROTATION_SECRETS' })
  await assertKept(t, world, target)
  await moveCurrent(token)
  await handler({})
  t.equal((await listIds(cognito, pool)).length, 1)
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
