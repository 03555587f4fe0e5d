/** `rotateClientSecret`: the order of the steps, resumption, overlap, and states in which nothing may be deleted. */
import t from 'tap'
import type { RotationEvent, RotationStep } from '../../../src/tokens/rotate/index.ts'
import { refusal, tokenAnswer } from '../../support/client.ts'
import {
  CLIENT_ID,
  FIRST_SECRET,
  failAt,
  intercept,
  KilledError,
  listIds,
  type RotationWorld,
  repeatCalls,
  rotationErrorOf,
  setUpRotation,
} from '../../support/rotation.ts'

const ALL: readonly RotationStep[] = ['pending', 'add', 'test', 'promote', 'grace', 'delete']

t.test('a rotation takes six steps and returns the IDs of both secrets', async (t) => {
  const { pool, cognito, store, sleeps, clock, rotate } = await setUpRotation(t)
  const start = Math.floor(clock.now / 1000)
  const [oldSecretId] = await listIds(cognito, pool)
  const events: RotationEvent[] = []
  const result = await rotate({ onStep: (event) => events.push(event) })
  const [secretId, ...others] = await listIds(cognito, pool)
  t.strictSame(result, { resumed: false, steps: ALL, secretId, oldSecretId })
  t.strictSame(others, [])
  t.strictSame(
    events,
    ALL.map((step) => (step === 'grace' ? { step, until: start + 86_400 } : { step })),
  )
  t.strictSame(sleeps, [86_400_000])
  const { value } = store.secrets.current
  t.match(value, /^[\da-f]{64}$/)
  t.strictSame(store.secrets, { current: { value } })
  t.strictSame(pool.clients[0]?.clientSecrets, [value])
  t.notMatch(JSON.stringify([result, events]), value)
})

t.test('each operation happens in the order of the steps', async (t) => {
  const { cognito, store, options, rotate } = await setUpRotation(t)
  const calls: string[] = []
  const record = (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    calls.push(name)
    return call()
  }
  await rotate({
    cognito: intercept(cognito, record),
    store: intercept(store, record),
    fetch: (...args) => {
      calls.push('fetch')
      return globalThis.fetch(...args)
    },
    sleep: async (...args) => {
      calls.push('sleep')
      await options.sleep?.(...args)
    },
  })
  t.strictSame(calls, [
    ...['get', 'listUserPoolClientSecrets', 'fetch'],
    ...['putPending', 'addUserPoolClientSecret', 'fetch'],
    ...['listUserPoolClientSecrets', 'promote', 'sleep', 'listUserPoolClientSecrets', 'get'],
    ...['deleteUserPoolClientSecret', 'promote'],
  ])
})

t.test('a grace period of 0 does not wait', async (t) => {
  const { sleeps, rotate } = await setUpRotation(t)
  t.strictSame((await rotate({ grace: 0 })).steps, ALL)
  t.strictSame(sleeps, [])
})

t.test('the new secret is tested in both Regions, by either API', async (t) => {
  const { pool, rotate } = await setUpRotation(t)
  const urls: string[] = []
  const fetch: typeof globalThis.fetch = (url, init) => {
    urls.push(String(url))
    return globalThis.fetch(pool.tokenEndpoint, init)
  }
  const tokenEndpoint = ['https://a.example/oauth2/token', 'https://b.example/oauth2/token']
  await rotate({ tokenEndpoint, fetch })
  t.strictSame(urls, [...tokenEndpoint, ...tokenEndpoint], 'the current secret and the new one')
})

t.test('GetClientToken tests the secret of an app client without the OAuth flow', async (t) => {
  const { pool, rotate } = await setUpRotation(t)
  t.strictSame((await rotate({ userPoolsApi: pool.userPoolsApi })).steps, ALL)
})

t.test('a dry run returns the steps and changes nothing', async (t) => {
  const { pool, cognito, store, rotate } = await setUpRotation(t)
  const [oldSecretId] = await listIds(cognito, pool)
  const fetch = async (): Promise<never> => {
    throw new Error('no token request is expected')
  }
  const plan = await rotate({ dryRun: true, fetch })
  t.strictSame(plan, { resumed: false, steps: ALL, secretId: null, oldSecretId })
  t.strictSame(store.secrets, { current: { value: FIRST_SECRET } })
  t.equal((await listIds(cognito, pool)).length, 1)
})

t.test('a run that failed is resumed at once, at the step that failed', async (t) => {
  const cases: readonly (readonly [string, readonly RotationStep[], boolean])[] = [
    ['putPending', ALL, false],
    ['addUserPoolClientSecret', ALL.slice(1), true],
    ['promote', ALL.slice(2), true],
    ['deleteUserPoolClientSecret', ['test', 'grace', 'delete'], true],
  ]
  for (const [method, steps, resumed] of cases) {
    const { pool, cognito, store, rotate } = await setUpRotation(t)
    const changes = { cognito: failAt(cognito, method), store: failAt(store, method) }
    const { message } = await rotationErrorOf(rotate(changes))
    t.notMatch(message, FIRST_SECRET)
    const pending = store.secrets.pending?.value
    const plan = await rotate({ dryRun: true })
    t.strictSame([plan.steps, plan.resumed], [steps, resumed], method)
    const result = await rotate()
    t.strictSame([result.steps, result.resumed], [steps, resumed], method)
    t.equal(pending ?? store.secrets.current.value, store.secrets.current.value)
    t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
    t.strictSame(await listIds(cognito, pool), [result.secretId])
  }
})

t.test('a resumed run waits for the rest of the grace period', async (t) => {
  const world = await setUpRotation(t)
  const { clock, sleeps, rotate } = world
  const sleep = async (): Promise<never> => {
    clock.now += 3_600_000
    throw new Error('interrupted')
  }
  await t.rejects(rotate({ sleep }), { message: 'interrupted' })
  await rotate()
  t.strictSame(sleeps, [82_800_000])
})

/** Kills a run at its n-th operation, before or after it. Resolves to the name of the operation. */
async function killAt(
  world: RotationWorld,
  index: number,
  isAfter: boolean,
): Promise<string | undefined> {
  const { cognito, store, options, rotate } = world
  let count = 0
  let killed: string | undefined
  const onCall = async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    if (killed !== undefined) throw new KilledError()
    const isLast = count === index
    count += 1
    if (isLast) killed = name
    if (isLast && !isAfter) throw new KilledError()
    const result = await call()
    if (isLast) throw new KilledError()
    return result
  }
  const changes = {
    cognito: intercept(cognito, onCall),
    store: intercept(store, onCall),
    sleep: (milliseconds: number, signal: AbortSignal) =>
      onCall('sleep', async () => options.sleep?.(milliseconds, signal)) as Promise<unknown>,
  }
  await rotate(changes).catch(() => {})
  return killed
}

t.test('a run that was killed at any operation is resumed', async (t) => {
  const killed = new Set<string>()
  for (const isAfter of [false, true]) {
    for (let index = 0; ; index += 1) {
      const world = await setUpRotation(t)
      const { pool, cognito, store, clock, rotate } = world
      const name = await killAt(world, index, isAfter)
      if (name === undefined) break
      killed.add(name)
      t.ok((await listIds(cognito, pool)).length <= 2)
      const { current, pending } = store.secrets
      const { heldUntil } = (pending ?? current).rotation ?? {}
      if (heldUntil !== undefined) {
        const error = await rotationErrorOf(rotate())
        t.equal(error.code, 'ERR_ROTATION_CONFLICT', `${name}: held by the killed run`)
        t.match(error.message, new Date(heldUntil * 1000).toISOString())
      }
      clock.now += 86_400_000 + 900_000
      await rotate()
      t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value], name)
    }
  }
  t.equal(killed.size, 7)
})

t.test('of two runs that start at once, one refuses', async (t) => {
  const { pool, store, rotate } = await setUpRotation(t)
  const results = await Promise.allSettled([rotate(), rotate()])
  const [failed, ...others] = results.filter(({ status }) => status === 'rejected')
  t.match(failed, { reason: { code: 'ERR_ROTATION_CONFLICT', step: 'pending' } })
  t.strictSame(others, [])
  t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
})

t.test('a run refuses to start while another one works or waits', async (t) => {
  const { rotate } = await setUpRotation(t)
  const codes: string[] = []
  const onStep = async ({ step }: RotationEvent): Promise<void> => {
    if (step !== 'pending') codes.push((await rotationErrorOf(rotate())).code)
  }
  const sleep = async (): Promise<void> => {
    codes.push((await rotationErrorOf(rotate())).code)
  }
  await rotate({ onStep, sleep })
  t.ok(codes.length >= 4)
  t.strictSame([...new Set(codes)], ['ERR_ROTATION_CONFLICT'])
})

t.test('a run whose rotation was taken over stops', async (t) => {
  const { store, rotate } = await setUpRotation(t)
  const onStep = ({ step }: RotationEvent): void => {
    if (step === 'promote') store.secrets = { current: { value: 'another0secret' } }
  }
  const error = await rotationErrorOf(rotate({ onStep }))
  t.match(error, { code: 'ERR_ROTATION_CONFLICT', step: 'promote' })
  t.strictSame(store.secrets, { current: { value: 'another0secret' } })
})

t.test('nothing is deleted if the secrets do not match the store', async (t) => {
  const other = 'a'.repeat(32)
  const rotation = { replaces: 'billing--1' }
  const pending = { value: 'b'.repeat(32) }
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['two secrets without a rotation', {}, /the store does not know which one is old/],
    ['a pending secret of another tool', { pending }, /a pending secret of another tool/],
    [
      'the replaced secret is gone',
      { pending: { ...pending, rotation } },
      /replaces billing--1, which the app client no longer has/,
    ],
    [
      'the replaced secret has an ID of another form',
      { pending: { ...pending, rotation: { replaces: 'first' } } },
      /replaces first, which the app client no longer has/,
    ],
    [
      'a complete rotation, and another secret',
      { current: { value: FIRST_SECRET, rotation } },
      /the store does not know which one is old/,
    ],
  ]
  for (const [name, secrets, message] of cases) {
    const { pool, cognito, store, rotate } = await setUpRotation(t)
    const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
    await cognito.addUserPoolClientSecret({ ...client, ClientSecret: other })
    store.secrets = { ...store.secrets, ...secrets }
    const before = store.secrets
    t.match(await rotationErrorOf(rotate()), { message }, name)
    t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET, other], name)
    t.equal(store.secrets, before, name)
  }
})

t.test('a store without a secret of the app client is refused before any change', async (t) => {
  for (const isUserPoolsApi of [false, true]) {
    const { pool, cognito, store, sleeps, rotate } = await setUpRotation(t)
    const other = { current: { value: 'secret0of0another0app0client' } }
    store.secrets = other
    const { userPoolsApi } = pool
    const error = await rotationErrorOf(rotate(isUserPoolsApi ? { userPoolsApi } : {}))
    t.match(error, {
      code: 'ERR_ROTATION_SECRETS',
      step: undefined,
      message: /current secret of the store is not one of the app client\. Check the client ID/,
    })
    t.equal(store.secrets, other)
    t.strictSame(sleeps, [])
    t.equal((await listIds(cognito, pool)).length, 1)
    t.notMatch(JSON.stringify(error) + String(error), other.current.value)
  }
})

t.test('a token endpoint without tokens is reported before any change', async (t) => {
  const { pool, cognito, store, sleeps, rotate } = await setUpRotation(t)
  const before = store.secrets
  const error = await rotationErrorOf(rotate({ fetch: async () => refusal('invalid_scope') }))
  t.match(error, {
    code: 'ERR_ROTATION_TOKEN',
    step: undefined,
    cause: { error: 'invalid_scope' },
  })
  t.strictSame(sleeps, [])
  t.equal(store.secrets, before)
  t.equal((await listIds(cognito, pool)).length, 1)
})

t.test('nothing is deleted if the second secret is not the pending one', async (t) => {
  const { pool, cognito, store, sleeps, rotate } = await setUpRotation(t)
  const [replaces = ''] = await listIds(cognito, pool)
  const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
  await cognito.addUserPoolClientSecret({ ...client, ClientSecret: 'a'.repeat(32) })
  const { current } = store.secrets
  store.secrets = { current, pending: { value: 'b'.repeat(32), rotation: { replaces } } }
  const error = await rotationErrorOf(rotate())
  t.match(error, {
    code: 'ERR_ROTATION_SECRETS',
    step: 'test',
    message: /none is the pending one of the store/,
  })
  t.strictSame(
    sleeps,
    [1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * 1000),
  )
  t.equal((await listIds(cognito, pool)).length, 2)
})

t.test('a secret that another run has added is tested, not added again', async (t) => {
  const { pool, cognito, store, rotate } = await setUpRotation(t)
  const addTwice = repeatCalls(cognito, 'addUserPoolClientSecret')
  t.strictSame((await rotate({ cognito: addTwice })).steps, ALL)
  t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
})

t.test('an app client without a secret is refused', async (t) => {
  const { cognito, rotate } = await setUpRotation(t)
  for (const ClientSecrets of [[], undefined]) {
    const empty = intercept(cognito, async () => ({ ClientSecrets }))
    const error = await rotationErrorOf(rotate({ cognito: empty }))
    t.match(error, { code: 'ERR_ROTATION_SECRETS', message: /has no secret/ })
  }
})

t.test('the old secret is kept if the app client changed in the grace period', async (t) => {
  const { pool, cognito, rotate } = await setUpRotation(t)
  const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
  const sleep = async (): Promise<void> => {
    const [, ClientSecretId = ''] = await listIds(cognito, pool)
    await cognito.deleteUserPoolClientSecret({ ...client, ClientSecretId })
    await cognito.addUserPoolClientSecret({ ...client, ClientSecret: 'a'.repeat(32) })
  }
  const error = await rotationErrorOf(rotate({ sleep }))
  t.match(error, { code: 'ERR_ROTATION_SECRETS', step: 'delete', message: /no longer has exactly/ })
  t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET, 'a'.repeat(32)])
})

t.test('the new secret is not promoted if the app client lost the old one', async (t) => {
  const { pool, cognito, store, rotate } = await setUpRotation(t)
  const [ClientSecretId = ''] = await listIds(cognito, pool)
  const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
  let count = 0
  const fetch: typeof globalThis.fetch = async (...args) => {
    count += 1
    if (count === 1) return tokenAnswer('a.b.c')
    await cognito.deleteUserPoolClientSecret({ ...client, ClientSecretId })
    return globalThis.fetch(...args)
  }
  const error = await rotationErrorOf(rotate({ fetch }))
  t.match(error, { code: 'ERR_ROTATION_SECRETS', step: 'test' })
  t.equal(store.secrets.current.value, FIRST_SECRET)
})

t.test('a new secret that is not known yet is tried again', async (t) => {
  const { sleeps, rotate } = await setUpRotation(t)
  let count = 0
  const fetch: typeof globalThis.fetch = async () => {
    count += 1
    return count > 1 && count < 5 ? refusal('invalid_client') : tokenAnswer('a.b.c')
  }
  await rotate({ fetch, grace: 0 })
  t.strictSame(sleeps, [1000, 2000, 4000])
})

t.test('an aborted run ends before its next step, and can be resumed at once', async (t) => {
  const { store, rotate } = await setUpRotation(t)
  for (const last of ['add', 'promote'] as const) {
    const controller = new AbortController()
    const reason = new Error('stop')
    const onStep = ({ step }: RotationEvent): void => {
      if (step === last) controller.abort(reason)
    }
    await t.rejects(rotate({ onStep, signal: controller.signal }), reason)
    t.equal((store.secrets.pending ?? store.secrets.current).rotation?.heldUntil, undefined)
  }
  t.strictSame((await rotate()).steps, ['test', 'grace', 'delete'])
})

t.test('an abort ends the waits', async (t) => {
  const { options, rotate } = await setUpRotation(t)
  const { sleep: _, ...others } = options
  const { rotateClientSecret } = await import('../../../src/tokens/rotate/index.ts')
  const controller = new AbortController()
  const reason = new Error('stop')
  const onStep = ({ step }: RotationEvent): void => {
    if (step === 'grace') setImmediate(() => controller.abort(reason))
  }
  const { signal } = controller
  await t.rejects(rotateClientSecret({ ...others, onStep, signal }), reason)
  await rotate()
  t.equal(signal.aborted, true)
})

t.test('an aborted signal changes nothing', async (t) => {
  const { store, rotate } = await setUpRotation(t)
  await t.rejects(rotate({ signal: AbortSignal.abort(new Error('stop')) }), { message: 'stop' })
  t.strictSame(store.secrets, { current: { value: FIRST_SECRET } })
})

t.test('a deletion that is repeated after a lost response is complete', async (t) => {
  const { pool, cognito, store, rotate } = await setUpRotation(t)
  const twice = repeatCalls(cognito, 'deleteUserPoolClientSecret')
  t.strictSame((await rotate({ cognito: twice })).steps, ALL)
  t.strictSame(store.secrets, { current: { value: store.secrets.current.value } })
  t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
})

t.test('lists of secrets that are some seconds old are read again', async (t) => {
  const { pool, cognito, store, sleeps, rotate } = await setUpRotation(t)
  let stale: unknown
  let reads = 0
  const late = intercept(cognito, async (name, call) => {
    const result = await call()
    if (name !== 'listUserPoolClientSecrets') return result
    reads += 1
    stale ??= result
    return reads <= 3 ? stale : result
  })
  await rotate({ cognito: late, grace: 0 })
  t.strictSame(sleeps, [1000, 2000])
  t.strictSame(pool.clients[0]?.clientSecrets, [store.secrets.current.value])
})
