/** A later version of a secret in Secrets Manager with the same client secret, for example after a change of another member. */
import t from 'tap'
import { secretsManagerStore } from '../../../src/tokens/rotate/index.ts'
import { FakeSecretsManager } from '../../support/aws-fakes.ts'
import { FIRST_SECRET, setUpRotation, stop } from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { ARN } from '../../support/secret-stores.ts'

const DAY_MS = 86_400_000
const field = 'clientSecret'

/** What an edit in the console does. */
async function edit(secretsManager: FakeSecretsManager, change: object): Promise<void> {
  const members = JSON.parse(secretsManager.valueOf('AWSCURRENT') as string) as object
  await secretsManager.putSecretValue({
    SecretId: ARN,
    ClientRequestToken: 'ed170000-0000-4000-8000-000000000001',
    SecretString: JSON.stringify({ ...members, ...change }),
    VersionStages: ['AWSCURRENT'],
  })
}

t.test('an edit in the grace period keeps the rotation, and the new secret', async (t) => {
  const { pool, clock, rotate } = await setUpRotation(t)
  const fake = new FakeSecretsManager(JSON.stringify({ [field]: FIRST_SECRET, host: 'a' }))
  const store = secretsManagerStore({ secretsManager: fake, secretId: ARN, field })
  await t.rejects(rotate({ store, sleep: stop }), { message: 'stop' })
  await edit(fake, { host: 'b' })
  clock.now += DAY_MS
  const { current, pending } = await store.get()
  t.match(current.rotation, { promotedAt: Number }, 'the state is that of the current secret')
  t.equal(pending, undefined)
  const result = await rotate({ store })
  t.strictSame(result.steps, ['test', 'grace', 'delete'])
  t.strictSame(pool.clients[0]?.clientSecrets, [current.value])
  t.match(JSON.parse(fake.valueOf('AWSCURRENT') as string), {
    [field]: current.value,
    host: 'b',
  })
  t.strictSame(fake.ownLabels, [], 'no label is left')
  await rotate({ store })
  t.strictSame(pool.clients[0]?.clientSecrets, [(await store.get()).current.value])
})

t.test('an edit while a run waits for the grace period', async (t) => {
  const { pool, clock, rotate } = await setUpRotation(t)
  const fake = new FakeSecretsManager(JSON.stringify({ [field]: FIRST_SECRET, host: 'a' }))
  const store = secretsManagerStore({ secretsManager: fake, secretId: ARN, field })
  const sleep = async (milliseconds: number): Promise<void> => {
    if (milliseconds === DAY_MS) await edit(fake, { host: 'b' })
    clock.now += milliseconds
  }
  await rotate({ store, sleep })
  t.strictSame(fake.ownLabels, [], 'no label is left')
  t.strictSame(pool.clients[0]?.clientSecrets, [(await store.get()).current.value])
})

t.test('the same secret, saved again after a rotation by Secrets Manager', async (t) => {
  const { pool, clock, secretsManager, handler, begin, call } = await setUpHandler(t)
  const token = begin()
  for (const step of STEPS) await call(step, token)
  const current = secretsManager.valueOf('AWSCURRENT') as string
  await secretsManager.putSecretValue({
    SecretId: ARN,
    ClientRequestToken: 'ed170000-0000-4000-8000-000000000001',
    SecretString: current,
    VersionStages: ['AWSCURRENT'],
  })
  clock.now += DAY_MS - 1000
  await handler({})
  t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET, current], 'within the grace period')
  clock.now += 1000
  await handler({})
  t.strictSame(pool.clients[0]?.clientSecrets, [current])
  t.strictSame(secretsManager.ownLabels, [])
})
