/** Abandoned rotations: the next one resumes from them, or its message has the command that removes what they left. */
import t from 'tap'
import { secretsManagerStore, ssmStore } from '../../../src/tokens/rotate/index.ts'
import { FakeParameterStore, FakeSecretsManager } from '../../support/aws-fakes.ts'
import {
  CLIENT_ID,
  deleteSecret,
  FIRST_SECRET,
  failAt,
  listIds,
  type RotationWorld,
  rotationErrorOf,
  setUpRotation,
  stop,
} from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { ARN, NAME, removePending } from '../../support/secret-stores.ts'

const HOLD_MS = 900_000

t.test('a failed rotation of Secrets Manager is resumed under another token', async (t) => {
  for (const last of STEPS.slice(0, 3)) {
    const world = await setUpHandler(t, { grace: 0 })
    const { pool, secretsManager, clock, begin, call, findVersion } = world
    const first = begin()
    for (const step of STEPS.slice(0, STEPS.indexOf(last) + 1)) await call(step, first)
    const value = findVersion(first)?.value
    const second = begin()
    const held = await rotationErrorOf(call('createSecret', second))
    t.equal(held.code, 'ERR_ROTATION_CONFLICT', 'the first try may still work')
    clock.now += HOLD_MS
    for (const step of STEPS) await call(step, second)
    t.equal(findVersion(second)?.value, value, 'no third secret')
    t.ok(findVersion(second)?.stages.has('AWSCURRENT'), `after ${last}`)
    t.strictSame(pool.clients[0]?.clientSecrets, [value])
    t.strictSame(secretsManager.ownLabels, [])
    const third = begin()
    for (const step of STEPS) await call(step, third)
    t.strictSame(pool.clients[0]?.clientSecrets, [secretsManager.valueOf('AWSCURRENT')])
  }
})

t.test('a failed rotation is resumed by its own token at once', async (t) => {
  const { pool, secretsManager, begin, call } = await setUpHandler(t, { grace: 0 })
  const token = begin()
  for (const step of STEPS.slice(0, 3)) await call(step, token)
  for (const step of STEPS) await call(step, token)
  t.strictSame(pool.clients[0]?.clientSecrets, [secretsManager.valueOf('AWSCURRENT')])
})

t.test('a rotation that is complete for its token is not a conflict', async (t) => {
  const { pool, begin, call } = await setUpHandler(t)
  const token = begin()
  for (const step of STEPS) await call(step, token)
  for (const step of STEPS) await call(step, token)
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
  const next = begin()
  t.match(await rotationErrorOf(call('createSecret', next)), { code: 'ERR_ROTATION_CONFLICT' })
})

t.test('Secrets Manager: a rotation whose label was removed is resumed', async (t) => {
  for (const method of ['addUserPoolClientSecret', 'deleteUserPoolClientSecret']) {
    const { pool, cognito, rotate } = await setUpRotation(t)
    const fake = new FakeSecretsManager(FIRST_SECRET)
    const store = secretsManagerStore({ secretsManager: fake, secretId: ARN })
    await rotationErrorOf(rotate({ store, cognito: failAt(cognito, method) }))
    removePending(fake)
    t.equal((await rotate({ store })).resumed, true)
    t.strictSame(pool.clients[0]?.clientSecrets, [fake.valueOf('AWSCURRENT')])
    t.strictSame(fake.ownLabels, [])
    await rotate({ store })
    t.strictSame(pool.clients[0]?.clientSecrets, [fake.valueOf('AWSCURRENT')])
  }
})

t.test(
  'Secrets Manager: a killed run is resumed after its hold, with or without its label',
  async (t) => {
    for (const isRemoved of [false, true]) {
      const { pool, cognito, clock, rotate } = await setUpRotation(t)
      const fake = new FakeSecretsManager(FIRST_SECRET)
      const store = secretsManagerStore({ secretsManager: fake, secretId: ARN })
      const [replaces = ''] = await listIds(cognito, pool)
      const heldUntil = clock.now / 1000 + 900
      await store.putPending({ value: 'b'.repeat(64), rotation: { replaces, heldUntil } })
      if (isRemoved) removePending(fake)
      t.match(await rotationErrorOf(rotate({ store })), { code: 'ERR_ROTATION_CONFLICT' })
      clock.now += HOLD_MS
      t.match(await rotate({ store }), { resumed: true })
      t.strictSame(pool.clients[0]?.clientSecrets, ['b'.repeat(64)])
    }
  },
)

t.test('a hold that no run can have is ignored', async (t) => {
  const { pool, cognito, clock, store, rotate } = await setUpRotation(t)
  const [replaces = ''] = await listIds(cognito, pool)
  const value = 'b'.repeat(64)
  const week = clock.now / 1000 + 604_800 + 900
  const hold = (heldUntil: number): void => {
    const { current } = store.secrets
    store.secrets = { current, pending: { value, rotation: { replaces, heldUntil } } }
  }
  hold(week)
  t.match(await rotationErrorOf(rotate()), { code: 'ERR_ROTATION_CONFLICT' })
  for (const heldUntil of [week + 1, Number.MAX_SAFE_INTEGER]) {
    hold(heldUntil)
    t.match(await rotate({ dryRun: true }), { resumed: true })
  }
  await rotate()
  t.strictSame(pool.clients[0]?.clientSecrets, [value])
})

t.test('a promotion in the future extends no grace period', async (t) => {
  const { clock, store, sleeps, pool, cognito, rotate } = await setUpRotation(t)
  await t.rejects(rotate({ sleep: stop }), { message: 'stop' })
  const { value, rotation } = store.secrets.current
  const promotedAt = clock.now / 1000 + 30 * 86_400
  store.secrets = { current: { value, rotation: { replaces: '', ...rotation, promotedAt } } }
  await rotate()
  t.strictSame(sleeps, [86_400_000])
  t.equal((await listIds(cognito, pool)).length, 1)
})

/** A pending secret whose old secret an operator has deleted. */
async function orphan(world: RotationWorld) {
  const { pool, cognito } = world
  const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
  const [ClientSecretId = ''] = await listIds(cognito, pool)
  await cognito.addUserPoolClientSecret({ ...client, ClientSecret: 'a'.repeat(32) })
  await deleteSecret(world, 0)
  return { value: 'b'.repeat(64), rotation: { replaces: ClientSecretId } }
}

t.test('the message has the command that removes a pending secret', async (t) => {
  const world = await setUpRotation(t)
  const { pool, rotate } = world
  const pending = await orphan(world)
  const fake = new FakeSecretsManager('a'.repeat(32))
  const store = secretsManagerStore({ secretsManager: fake, secretId: ARN })
  await store.putPending(pending)
  const id = fake.versions.find(({ value }) => value === pending.value)?.id
  const error = await rotationErrorOf(rotate({ store }))
  t.equal(error.code, 'ERR_ROTATION_SECRETS')
  const command = `aws secretsmanager update-secret-version-stage --secret-id ${ARN} --version-stage`
  t.ok(error.message.includes(`${command} cognito-m2m/rotation --remove-from-version-id ${id}`))
  t.ok(error.message.includes(`${command} AWSPENDING --remove-from-version-id ${id}`))
  for (const stage of ['AWSPENDING', 'cognito-m2m/rotation']) {
    await fake.updateSecretVersionStage({
      SecretId: ARN,
      VersionStage: stage,
      RemoveFromVersionId: id,
    })
  }
  t.match(await rotate({ store }), { resumed: false })
  t.strictSame(pool.clients[0]?.clientSecrets, [fake.valueOf('AWSCURRENT')])
})

t.test('the message has the command that deletes the parameter', async (t) => {
  const world = await setUpRotation(t)
  const { pool, rotate } = world
  const pending = await orphan(world)
  const fake = new FakeParameterStore(NAME, 'a'.repeat(32))
  const store = ssmStore({ ssm: fake, name: NAME })
  await store.putPending(pending)
  const error = await rotationErrorOf(rotate({ store }))
  t.match(error, {
    code: 'ERR_ROTATION_SECRETS',
    message: /aws ssm delete-parameter --name \/prod\/orders-client\/pending/,
  })
  await fake.deleteParameter({ Name: `${NAME}/pending` })
  t.match(await rotate({ store }), { resumed: false })
  t.strictSame(pool.clients[0]?.clientSecrets, [fake.valueOf(NAME)])
})

t.test('a pending secret of another app client is not removed', async (t) => {
  const { cognito, store, rotate } = await setUpRotation(t)
  const { current } = store.secrets
  const rotation = { replaces: 'orders--1700000000' }
  store.secrets = { current, pending: { value: 'b'.repeat(64), rotation } }
  const before = store.secrets
  t.match(await rotationErrorOf(rotate({ cognito })), {
    code: 'ERR_ROTATION_SECRETS',
    message: /of another app client, orders\. Check the client ID and the store/,
  })
  t.equal(store.secrets, before)
})
