/** The Lambda function for Secrets Manager: its four steps, repeated steps, and the scheduled deletion. */
import t from 'tap'
import { createRotationHandler, secretsManagerStore } from '../../../src/tokens/rotate/index.ts'
import { AwsError } from '../../support/aws-fakes.ts'
import { FIRST_SECRET, intercept, listIds, rotationErrorOf } from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { ARN } from '../../support/secret-stores.ts'

const DAY_MS = 86_400_000

t.test('a rotation keeps the old secret, and a scheduled event deletes it', async (t) => {
  const { pool, cognito, secretsManager, clock, handler, begin, call } = await setUpHandler(t)
  const token = begin()
  for (const step of STEPS) await call(step, token)
  const current = secretsManager.valueOf('AWSCURRENT')
  t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET, current])
  await handler({})
  clock.now += DAY_MS - 1000
  await handler({})
  t.equal((await listIds(cognito, pool)).length, 2, 'within the grace period')
  clock.now += 1000
  await handler({})
  t.strictSame(pool.clients[0]?.clientSecrets, [current])
  t.strictSame(secretsManager.ownLabels, [])
  await handler({})
  t.equal((await listIds(cognito, pool)).length, 1)
})

t.test('each step can be repeated', async (t) => {
  const { pool, secretsManager, begin, call } = await setUpHandler(t, { grace: 0 })
  const token = begin()
  for (const step of STEPS) {
    await call(step, token)
    await call(step, token)
  }
  t.strictSame(pool.clients[0]?.clientSecrets, [secretsManager.valueOf('AWSCURRENT')])
})

t.test('the next rotation deletes the old secret first, after its grace period', async (t) => {
  const { pool, secretsManager, clock, begin, call } = await setUpHandler(t)
  const token = begin()
  for (const step of STEPS) await call(step, token)
  const second = begin()
  await t.rejects(call('createSecret', second), {
    code: 'ERR_ROTATION_CONFLICT',
    message: /ends in 86400 s/,
  })
  clock.now += DAY_MS
  for (const step of STEPS) await call(step, second)
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
  t.equal(pool.clients[0]?.clientSecrets[1], secretsManager.valueOf('AWSCURRENT'))
})

t.test('the grace period begins again if its start was not saved', async (t) => {
  const { pool, secretsManager, clock, handler, begin, call } = await setUpHandler(t)
  const token = begin()
  for (const step of STEPS) await call(step, token)
  const removeTime = (): void => {
    for (const { stages } of secretsManager.versions) {
      for (const label of stages) if (label.includes('promoted-at')) stages.delete(label)
    }
  }
  removeTime()
  clock.now += DAY_MS
  await handler({})
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
  clock.now += DAY_MS
  await handler({})
  t.equal(pool.clients[0]?.clientSecrets.length, 1)
})

t.test('a run of the command line and the function exclude each other', async (t) => {
  const { secretsManager, begin, call, rotate } = await setUpHandler(t)
  const token = begin()
  await call('createSecret', token)
  const store = secretsManagerStore({ secretsManager, secretId: ARN })
  await t.rejects(rotate({ store }), { code: 'ERR_ROTATION_CONFLICT' })
  const other = await setUpHandler(t)
  const sleep = async (): Promise<void> => {
    await t.rejects(other.handler({}), { code: 'ERR_ROTATION_CONFLICT' })
  }
  const otherStore = secretsManagerStore({
    secretsManager: other.secretsManager,
    secretId: ARN,
  })
  await other.rotate({ store: otherStore, sleep })
})

t.test('an error of Secrets Manager has its name and no text', async (t) => {
  const { options, secretsManager, begin } = await setUpHandler(t)
  const token = begin()
  for (const failing of [0, 1, 2, 3, 4]) {
    let count = 0
    const denied = intercept(secretsManager, async (_name, call) => {
      count += 1
      if (count > failing) throw new AwsError('AccessDeniedException', { FIRST_SECRET })
      return call()
    })
    const handler = createRotationHandler({ ...options, secretsManager: denied })
    const event = { Step: 'createSecret', SecretId: ARN, ClientRequestToken: token } as const
    const error = await rotationErrorOf(handler(event))
    t.match(error, { code: 'ERR_ROTATION_STORE', exception: 'AccessDeniedException' })
    t.notMatch(`${error} ${JSON.stringify(error)}`, FIRST_SECRET)
  }
})

t.test('events of another secret and unknown steps are rejected', async (t) => {
  const { secretsManager, handler } = await setUpHandler(t)
  const event = { Step: 'createSecret', ClientRequestToken: 'a'.repeat(32) } as const
  await t.rejects(handler({ ...event, SecretId: `${ARN}x` }), {
    code: 'ERR_OPTION_INVALID',
    option: 'SecretId',
  })
  await t.rejects(handler(event), {
    code: 'ERR_OPTION_INVALID',
    option: 'SecretId',
    problem: /got undefined/,
  })
  await t.rejects(handler({ ...event, SecretId: ARN, Step: 'dropSecret' as never }), {
    code: 'ERR_OPTION_INVALID',
    option: 'Step',
    problem: /got "dropSecret"/,
  })
  await t.rejects(handler({ Step: 'createSecret', SecretId: ARN }), {
    code: 'ERR_OPTION_INVALID',
    option: 'versionId',
  })
  t.strictSame(secretsManager.calls, [])
})

t.test('wrong options are rejected when the function is loaded', async (t) => {
  const { options } = await setUpHandler(t)
  const cases: readonly (readonly [object, string])[] = [
    [{ secretsManager: {} }, 'secretsManager'],
    [{ secretId: '' }, 'secretId'],
    [{ field: '' }, 'field'],
    [{ store: {} }, 'store'],
    [{ grace: -1 }, 'grace'],
  ]
  for (const [changes, option] of cases) {
    t.throws(() => createRotationHandler({ ...options, ...changes }), {
      code: 'ERR_OPTION_INVALID',
      option,
    })
  }
})
