/** `secretsManagerStore` and `ssmStore`: one contract, through the real SDK, and what differs. */
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { SSM } from '@aws-sdk/client-ssm'
import t, { type Test } from 'tap'
import {
  type ClientSecretStore,
  type SecretsManagerOperations,
  secretsManagerStore,
  ssmStore,
} from '../../../src/tokens/rotate/index.ts'
import {
  AwsError,
  FakeParameterStore,
  FakeSecretsManager,
  serveAws,
} from '../../support/aws-fakes.ts'
import {
  FIRST_SECRET,
  failAt,
  intercept,
  KilledError,
  listIds,
  MemorySecretStore,
  type OnCall,
  repeatCalls,
  rotationErrorOf,
  setUpRotation,
} from '../../support/rotation.ts'
import { AWS_SERVICES, NAME } from '../../support/secret-stores.ts'

const SECRET_ID = 'prod/orders-client'
const settings = {
  region: 'eu-west-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
}

async function createSecretsManager(t: Test, fake: FakeSecretsManager): Promise<SecretsManager> {
  const client = new SecretsManager({ ...settings, endpoint: await serveAws(t, fake) })
  t.teardown(() => client.destroy())
  return client
}

async function createSsm(t: Test, fake: FakeParameterStore): Promise<SSM> {
  const client = new SSM({ ...settings, endpoint: await serveAws(t, fake) })
  t.teardown(() => client.destroy())
  return client
}

const STORES: Readonly<Record<string, (t: Test) => Promise<ClientSecretStore>>> = {
  memory: async () => new MemorySecretStore(FIRST_SECRET),
  secretsManagerStore: async (t) => {
    const secretsManager = await createSecretsManager(t, new FakeSecretsManager(FIRST_SECRET))
    return secretsManagerStore({ secretsManager, secretId: SECRET_ID })
  },
  ssmStore: async (t) => {
    const ssm = await createSsm(t, new FakeParameterStore(NAME, FIRST_SECRET))
    return ssmStore({ ssm, name: NAME })
  },
}

const PENDING = {
  value: 'b'.repeat(64),
  rotation: {
    replaces: 'billing--1800000000',
    heldUntil: 1_800_000_900,
    heldBy: 'c0ffee00-0000-4000-8000-000000000001',
    promotedAt: undefined,
  },
}
const PROMOTED = {
  value: PENDING.value,
  rotation: { ...PENDING.rotation, heldUntil: 1_800_087_300, promotedAt: 1_800_000_010 },
}
const first = { current: { value: FIRST_SECRET, rotation: undefined }, pending: undefined }
/** Without members that are undefined, and without the command, which differs. */
const strip = (value: object): object =>
  JSON.parse(JSON.stringify({ ...value, pendingRemoval: undefined }))

for (const [name, create] of Object.entries(STORES)) {
  t.test(`${name}: a secret is pending, held, promoted and complete`, async (t) => {
    const store = await create(t)
    t.strictSame(strip(await store.get()), strip(first))
    t.equal(await store.putPending(PENDING), true)
    t.strictSame(strip(await store.get()), strip({ ...first, pending: PENDING }))
    const later = { ...PENDING, rotation: { ...PENDING.rotation, heldUntil: 1_800_001_800 } }
    t.equal(await store.putPending(later), true)
    t.strictSame(strip(await store.get()), strip({ ...first, pending: later }))
    const released = { ...PENDING, rotation: { replaces: PENDING.rotation.replaces } }
    t.equal(await store.putPending(released), true)
    t.strictSame(strip(await store.get()), strip({ ...first, pending: released }))
    t.equal(await store.promote(PROMOTED), true)
    t.equal(await store.putPending(PENDING), false, 'it is the current one')
    t.strictSame(strip(await store.get()), strip({ current: PROMOTED }))
    t.equal(await store.promote(PROMOTED), true)
    t.equal(await store.promote({ value: PENDING.value }), true)
    t.strictSame(strip(await store.get()), { current: { value: PENDING.value } })
    t.equal(await store.promote({ value: PENDING.value }), true)
  })

  t.test(`${name}: another value is not overwritten`, async (t) => {
    const store = await create(t)
    const other = { value: 'c'.repeat(64), rotation: { replaces: 'billing--2' } }
    t.equal(await store.promote(other), false, 'neither pending nor current')
    await store.putPending(PENDING)
    t.equal(await store.putPending(other), false)
    t.equal(await store.promote(other), false)
    t.equal(await store.promote({ value: FIRST_SECRET }), false, 'another secret is pending')
    t.strictSame(strip(await store.get()), strip({ ...first, pending: PENDING }))
  })

  t.test(`${name}: of two writes at once, one wins`, async (t) => {
    const store = await create(t)
    const other = { ...PENDING, value: 'c'.repeat(64) }
    const results = await Promise.all([store.putPending(PENDING), store.putPending(other)])
    t.strictSame(results.sort(), [false, true])
  })

  t.test(`${name}: rotations, one after the other`, async (t) => {
    const store = await create(t)
    const { pool, rotate } = await setUpRotation(t)
    for (let count = 0; count < 25; count += 1) await rotate({ store })
    const { current, pending } = await store.get()
    t.strictSame([current.rotation, pending], [undefined, undefined])
    t.strictSame(pool.clients[0]?.clientSecrets, [current.value])
  })
}

/** Fails at the n-th call of a client, before or after it. */
function createFailure(index: number, isAfter: boolean): OnCall {
  let count = 0
  return async (_name, call) => {
    const isLast = count === index
    count += 1
    if (isLast && !isAfter) throw new KilledError()
    const result = await call()
    if (isLast) throw new KilledError()
    return result
  }
}

for (const [name, createService] of Object.entries(AWS_SERVICES)) {
  t.test(`${name}: a process that ends within an operation leaves a state to resume`, async (t) => {
    for (const isAfter of [false, true]) {
      for (let index = 0; index < 40; index += 1) {
        const { pool, clock, rotate } = await setUpRotation(t)
        const { createStore, readCurrent } = createService()
        const store = createStore()
        const isComplete = await rotate({ store: createStore(createFailure(index, isAfter)) }).then(
          () => true,
          () => false,
        )
        clock.now += 86_400_000 + 900_000
        const result = await rotate({ store })
        t.strictSame(pool.clients[0]?.clientSecrets, [readCurrent()], `call ${index}`)
        t.equal((await store.get()).current.rotation, undefined)
        if (isComplete && !result.resumed) break
      }
    }
  })
}

t.test('Secrets Manager: labels of a complete rotation are removed', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const store = secretsManagerStore({ secretsManager: fake, secretId: SECRET_ID })
  const { rotate } = await setUpRotation(t)
  await rotate({ store })
  t.strictSame(fake.ownLabels, [])
  t.equal(fake.valueOf('AWSPENDING'), undefined)
})

t.test('Secrets Manager: an abandoned version does not block a new rotation', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const store = secretsManagerStore({ secretsManager: fake, secretId: SECRET_ID })
  for (let count = 0; count < 3; count += 1) {
    const value = String(count).repeat(64)
    t.equal(await store.putPending({ ...PENDING, value }), true)
    for (const { value: it, stages } of fake.versions) if (it === value) stages.clear()
  }
  const tooMany: SecretsManagerOperations = {
    getSecretValue: async (input) =>
      input.VersionId === undefined ? fake.getSecretValue(input) : {},
    putSecretValue: async (input) => {
      throw new AwsError('ResourceExistsException', input)
    },
    updateSecretVersionStage: async () => ({}),
  }
  const blocked = secretsManagerStore({ secretsManager: tooMany, secretId: SECRET_ID })
  t.equal(await blocked.putPending(PENDING), false)
})

t.test('Secrets Manager: the version of a rotation that it started', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const versionId = 'c0ffee00-0000-4000-8000-000000000001'
  fake.versions.push({ id: versionId, value: undefined, stages: new Set(['AWSPENDING']) })
  const options = { secretsManager: fake, secretId: SECRET_ID }
  const store = secretsManagerStore({ ...options, versionId })
  t.equal((await store.get()).pending, undefined)
  t.equal(await store.putPending(PENDING), true)
  t.equal(fake.versions.find(({ id }) => id === versionId)?.value, PENDING.value)
  t.equal((await store.get()).pending?.rotation?.heldUntil, undefined, 'its own')
  const other = secretsManagerStore(options)
  t.equal((await other.get()).pending?.rotation?.heldUntil, PENDING.rotation.heldUntil)
  for (const { id, stages } of fake.versions) if (id === versionId) stages.clear()
  t.equal(await store.putPending({ ...PENDING, value: 'c'.repeat(64) }), false, 'another value')
})

t.test('Secrets Manager: labels of others are kept, and malformed ones are ignored', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const store = secretsManagerStore({ secretsManager: fake, secretId: SECRET_ID })
  const [version] = fake.versions
  version?.stages.add('blue').add('cognito-m2m/held-until/soon')
  t.strictSame(strip(await store.get()), strip(first))
  await store.promote({ value: FIRST_SECRET })
  t.strictSame(fake.ownLabels, ['blue'])
  version?.stages.add('cognito-m2m/replaces/a--1').add('cognito-m2m/held-until/soon')
  t.match((await store.get()).current.rotation, { replaces: 'a--1', heldUntil: undefined })
})

t.test('Secrets Manager: only plain text is rotated', async (t) => {
  for (const text of ['{"client_secret":"a"}', 'a b', '']) {
    const fake = new FakeSecretsManager(text)
    const { rotate } = await setUpRotation(t)
    const store = secretsManagerStore({ secretsManager: fake, secretId: SECRET_ID })
    const error = await rotationErrorOf(rotate({ store }))
    t.match(error, { code: 'ERR_ROTATION_STORE', message: /AWSCURRENT .* as plain text/ })
    t.strictSame([...new Set(fake.calls)], ['GetSecretValue'])
  }
  const binary = intercept(new FakeSecretsManager('a'), async () => ({}))
  const store = secretsManagerStore({ secretsManager: binary, secretId: SECRET_ID })
  await t.rejects(store.get(), { code: 'ERR_ROTATION_STORE' })
  const unlabeled = intercept(new FakeSecretsManager('a'), async () => ({ SecretString: 'a' }))
  const bare = secretsManagerStore({ secretsManager: unlabeled, secretId: SECRET_ID })
  t.strictSame(strip(await bare.get()), { current: { value: 'a' } })
})

t.test(
  'Secrets Manager: a member of a JSON object is rotated, and the others are kept',
  async (t) => {
    const text = JSON.stringify({ client_id: 'billing', client_secret: FIRST_SECRET })
    const fake = new FakeSecretsManager(text)
    const { pool, rotate } = await setUpRotation(t)
    const options = { secretsManager: fake, secretId: SECRET_ID }
    await rotate({ store: secretsManagerStore({ ...options, field: 'client_secret' }) })
    const [value] = pool.clients[0]?.clientSecrets ?? []
    const current = JSON.parse(String(fake.valueOf('AWSCURRENT')))
    t.strictSame(current, { client_id: 'billing', client_secret: value })
    for (const field of ['secret', 'constructor', 'toString']) {
      const store = secretsManagerStore({ ...options, field })
      await t.rejects(store.get(), {
        code: 'ERR_ROTATION_STORE',
        message: new RegExp(`in the member ${field} of a JSON object`),
      })
    }
  },
)

t.test('errors of Secrets Manager and Parameter Store pass to the rotation', async (t) => {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const { rotate } = await setUpRotation(t)
  const missing = secretsManagerStore({ secretsManager: fake, secretId: 'missing' })
  const error = await rotationErrorOf(rotate({ store: missing }))
  t.match(error, {
    code: 'ERR_ROTATION_STORE',
    exception: 'ResourceNotFoundException',
    status: 400,
  })
  const denied = (method: string) => async (name: string, call: () => Promise<unknown>) => {
    if (name === method) throw new AwsError('AccessDeniedException', { FIRST_SECRET })
    return call()
  }
  const unreadable = intercept(fake, async (name, call) => {
    const result = Object(await call()) as { VersionStages?: readonly string[] }
    if (result.VersionStages?.includes('AWSPENDING')) throw new AwsError('DecryptionFailure', {})
    return name === 'getSecretValue' ? result : {}
  })
  const stores = [
    secretsManagerStore({
      secretsManager: intercept(fake, denied('putSecretValue')),
      secretId: SECRET_ID,
    }),
    ssmStore({
      ssm: intercept(new FakeParameterStore(NAME, FIRST_SECRET), denied('putParameter')),
      name: NAME,
    }),
  ]
  for (const store of stores) {
    const { message, ...facts } = await rotationErrorOf(rotate({ store }))
    t.match(facts, { code: 'ERR_ROTATION_STORE', step: 'pending', exception: /^AccessDenied/ })
    t.notMatch(message, FIRST_SECRET)
  }
  await secretsManagerStore({ secretsManager: fake, secretId: SECRET_ID }).putPending(PENDING)
  const store = secretsManagerStore({ secretsManager: unreadable, secretId: SECRET_ID })
  t.match(await rotationErrorOf(rotate({ store })), { exception: 'DecryptionFailure' })
})

t.test('Parameter Store: both parameters are SecureStrings, with the given key', async (t) => {
  const { rotate } = await setUpRotation(t)
  const fake = new FakeParameterStore('orders', FIRST_SECRET)
  const types: unknown[] = []
  const ssm = intercept(fake, async (_name, call) => {
    const result = await call()
    types.push(...[...fake.parameters.values()].map(({ Name, Type }) => `${Name} ${Type}`))
    return result
  })
  await rotate({ store: ssmStore({ ssm, name: 'orders', kmsKeyId: 'alias/orders' }) })
  t.strictSame([...new Set(types)], ['orders SecureString', '/orders/pending SecureString'])
  t.strictSame(
    [...fake.parameters.values()].map(({ Name, KeyId }) => [Name, KeyId]),
    [['orders', 'alias/orders']],
  )
})

t.test('Parameter Store: other types and contents are refused', async (t) => {
  const cases: readonly (readonly [FakeParameterStore, RegExp])[] = [
    [new FakeParameterStore(NAME, FIRST_SECRET, 'String'), /must be a SecureString/],
    [new FakeParameterStore('/other', FIRST_SECRET), /\/prod\/orders-client must exist/],
  ]
  for (const text of ['text', 'null', '{"value":"a"}', '{"replaces":"a"}']) {
    const fake = new FakeParameterStore(NAME, FIRST_SECRET)
    await fake.putParameter({
      Name: `${NAME}/pending`,
      Type: 'SecureString',
      Value: text,
      Overwrite: false,
    })
    await t.rejects(ssmStore({ ssm: fake, name: NAME }).get(), {
      code: 'ERR_ROTATION_STORE',
      message: /\/pending was not written by this package\. Delete it$/,
    })
  }
  for (const [ssm, message] of cases) {
    await t.rejects(ssmStore({ ssm, name: NAME }).get(), { code: 'ERR_ROTATION_STORE', message })
  }
  const empty = intercept(new FakeParameterStore(NAME, 'a'), async () => ({}))
  await t.rejects(ssmStore({ ssm: empty, name: NAME }).get(), { message: /must exist/ })
})

t.test('each wrong option has a message with the fix', async (t) => {
  const secretsManager = new FakeSecretsManager('a') as SecretsManagerOperations
  const ssm = new FakeParameterStore(NAME, 'a')
  const cases: readonly (readonly [() => unknown, string, RegExp])[] = [
    [
      () => secretsManagerStore({ secretsManager: {} as never, secretId: 'a' }),
      'secretsManager',
      /with the method getSecretValue/,
    ],
    [
      () => secretsManagerStore({ secretsManager, secretId: '' }),
      'secretId',
      /Pass the ARN or name/,
    ],
    [() => secretsManagerStore({ secretsManager, secretId: 'a', field: '' }), 'field', /a member/],
    [() => secretsManagerStore({ secretsManager, secretId: 7 as never }), 'secretId', /got 7/],
    [
      () => secretsManagerStore({ secretsManager, secretId: 'a', versionId: '' }),
      'versionId',
      /Pass the ClientRequestToken/,
    ],
    [() => ssmStore({ ssm: {} as never, name: NAME }), 'ssm', /with the method getParameters/],
    [() => ssmStore({ ssm, name: 'arn:aws:ssm:a' }), 'name', /not its ARN/],
    [() => ssmStore({ ssm, name: 7 as never }), 'name', /got 7/],
    [() => ssmStore({ ssm, name: NAME, kmsKeyId: '' }), 'kmsKeyId', /ID or ARN of a key/],
    [() => ssmStore({ ssm, name: NAME, kmsKeyId: 7 as never }), 'kmsKeyId', /got 7/],
  ]
  for (const [create, option, problem] of cases) {
    t.throws(create, { code: 'ERR_OPTION_INVALID', option, problem })
  }
})

t.test('Secrets Manager: other members keep their text, and later changes of them', async (t) => {
  const numbers = '"id":12345678901234567890,"rate":1.10,"list":[1e400,-0.0],"__proto__":{"a":1}'
  const create = (user: string, secret: string): string =>
    `{${numbers},"user":"${user}","client_secret":"${secret}"}`
  const fake = new FakeSecretsManager(create('a', FIRST_SECRET))
  const options = { secretsManager: fake, secretId: SECRET_ID, field: 'client_secret' }
  const { pool, cognito, rotate } = await setUpRotation(t)
  const store = secretsManagerStore(options)
  await rotationErrorOf(rotate({ store, cognito: failAt(cognito, 'addUserPoolClientSecret') }))
  // An operator edits the current version, which makes a new one.
  await fake.putSecretValue({
    SecretId: SECRET_ID,
    ClientRequestToken: 'f'.repeat(32),
    SecretString: create('b', FIRST_SECRET),
    VersionStages: ['AWSCURRENT'],
  })
  t.equal((await rotate({ store })).resumed, true)
  const [value = ''] = pool.clients[0]?.clientSecrets ?? []
  t.equal(fake.valueOf('AWSCURRENT'), create('b', value))
  t.strictSame(fake.ownLabels, [])
})

t.test('Secrets Manager: JSON that is no object has no member', async (t) => {
  for (const text of ['["a"]', '"a"', '7', 'null']) {
    const secretsManager = new FakeSecretsManager(text)
    const store = secretsManagerStore({ secretsManager, secretId: SECRET_ID, field: '0' })
    await t.rejects(store.get(), { code: 'ERR_ROTATION_STORE', message: /the member 0 of a JSON/ })
  }
})

t.test(
  'Parameter Store: a deletion that is repeated after a lost response is complete',
  async (t) => {
    const { rotate } = await setUpRotation(t)
    const fake = new FakeParameterStore(NAME, FIRST_SECRET)
    const twice = repeatCalls(fake, 'deleteParameter')
    await rotate({ store: ssmStore({ ssm: twice, name: NAME }) })
    t.strictSame([...fake.parameters.keys()], [NAME])
  },
)

t.test('Secrets Manager: no label stays behind, wherever a process ends', async (t) => {
  const versionId = 'c0ffee00-0000-4000-8000-000000000001'
  for (let index = 0; index < 25; index += 1) {
    const { pool, clock, cognito, rotate } = await setUpRotation(t)
    const fake = new FakeSecretsManager(FIRST_SECRET)
    const options = { secretId: SECRET_ID }
    const store = secretsManagerStore({ ...options, secretsManager: fake })
    const [replaces = ''] = await listIds(cognito, pool)
    const heldUntil = clock.now / 1000 + 900
    await store.putPending({ value: PENDING.value, rotation: { replaces, heldUntil } })
    clock.now += 900_000
    // Another rotation of Secrets Manager takes the label.
    for (const { stages } of fake.versions) stages.delete('AWSPENDING')
    fake.versions.push({ id: versionId, value: undefined, stages: new Set(['AWSPENDING']) })
    const killed = intercept(fake, createFailure(index, true))
    const adopted = secretsManagerStore({ ...options, secretsManager: killed, versionId })
    await rotate({ store: adopted, grace: 0 }).catch(() => {})
    clock.now += 900_000
    await rotate({ store, grace: 0 })
    t.equal((await rotate({ store, grace: 0 })).resumed, false)
    t.strictSame(fake.ownLabels, [], `call ${index}`)
  }
})
