/** What ends the wait for a token: signal and timeout of the call, timeout of the client, `close`. */
import { getEventListeners } from 'node:events'
import t from 'tap'
import { type GetTokenOptions, memoryStore, OptionError } from '../../../src/tokens/client/index.ts'
import { waitFor } from '../../../src/tokens/client/token-source.ts'
import {
  codeOf,
  failureOf,
  refusal,
  settle,
  setUpClient,
  timers,
  tokenAnswer,
} from '../../support/client.ts'

const HOUR = 3_600_000

/** A client whose token endpoint responds when the test calls `answer`. */
function hanging(options: Parameters<typeof setUpClient>[0] = {}) {
  const { client, world } = setUpClient(options)
  let answer = (_response: Response): void => {}
  world.answer = () => new Promise((resolve) => (answer = resolve))
  return { client, world, answer: (response: Response) => answer(response) }
}

t.test('a signal ends the wait of its call only', async (t) => {
  const { client, world, answer } = hanging()
  const one = new AbortController()
  const other = new AbortController()
  const reason = new Error('no longer needed')
  const ended = failureOf(client.getToken({ signal: one.signal }))
  const waiting = [client.getToken(), client.getToken({ signal: other.signal })]
  await settle()
  one.abort(reason)
  t.equal(await ended, reason)
  answer(tokenAnswer('shared'))
  for (const token of await Promise.all(waiting)) t.equal(token.accessToken, 'shared')
  t.equal(world.requests.length, 1, 'its token request went on')
  other.abort()
})

t.test('the token request continues without a caller, and its token is cached', async (t) => {
  const { client, world, answer } = hanging()
  const controller = new AbortController()
  const ended = failureOf(client.getToken({ signal: controller.signal }))
  await settle()
  controller.abort()
  t.match(await ended, { name: 'AbortError' })
  answer(tokenAnswer('kept'))
  await settle()
  t.equal((await client.getToken()).accessToken, 'kept')
  t.equal(world.requests.length, 1)
})

t.test('an aborted signal rejects at once, even if a token is cached', async (t) => {
  const { client, world } = setUpClient()
  const reason = new Error('over')
  const signal = AbortSignal.abort(reason)
  t.equal(await failureOf(client.getToken({ signal })), reason)
  t.equal(world.requests.length, 0, 'nothing is requested either')
  const token = await client.getToken()
  t.equal(await failureOf(client.getToken({ signal })), reason)
  t.equal(await failureOf(client.renew(token, { signal })), reason)
  t.equal(world.requests.length, 1)
})

t.test('a signal also ends the wait for a renewal', async (t) => {
  const { client, world } = setUpClient()
  await client.getToken()
  world.pass(HOUR - 10_000)
  world.answer = () => new Promise(() => {})
  const controller = new AbortController()
  const reason = new Error('over')
  const ended = failureOf(client.getToken({ signal: controller.signal }))
  await settle()
  controller.abort(reason)
  t.equal(await ended, reason)
  client.close()
})

t.test('10,000 calls with one signal add one listener and remove it', async (t) => {
  const warned: string[] = []
  const hear = (warning: Error): void => void warned.push(warning.message)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const { client, answer } = hanging()
  const controller = new AbortController()
  const { signal } = controller
  const listeners = (): number => getEventListeners(signal, 'abort').length
  const waiting = Array.from({ length: 10_000 }, () => client.getToken({ signal }))
  t.equal(listeners(), 1)
  await settle()
  answer(tokenAnswer('one'))
  t.equal(new Set(await Promise.all(waiting)).size, 1)
  t.equal(listeners(), 0)
  await client.getToken({ signal })
  t.equal(listeners(), 0, 'a cached token needs none')
  const ended = Array.from({ length: 10_000 }, () =>
    failureOf(client.getToken({ signal, scopes: 'a/b' })),
  )
  t.equal(listeners(), 1)
  controller.abort()
  t.equal(new Set(await Promise.all(ended)).size, 1, 'all with the same reason')
  t.equal(listeners(), 0)
  t.strictSame(warned, [])
  client.close()
})

t.test('a timeout limits the wait of its call only', async (t) => {
  const pass = timers(t)
  const { client, world, answer } = hanging()
  const ended = failureOf(client.getToken({ timeout: 2 }))
  const waiting = client.getToken()
  let isOver = false
  ended.then(() => (isOver = true))
  await pass(1999)
  t.equal(isOver, false)
  await pass(1)
  t.match(await ended, {
    name: 'TokenClientError',
    code: 'ERR_TOKEN_TIMEOUT',
    message: 'No token was available within the timeout of the call',
  })
  answer(tokenAnswer('late'))
  t.equal((await waiting).accessToken, 'late')
  t.equal(world.requests.length, 1)
})

t.test('a call for an expiring token returns it at the timeout', async (t) => {
  const pass = timers(t)
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.pass(HOUR - 10_000)
  world.answer = () => new Promise(() => {})
  const waiting = client.getToken({ timeout: 0.2 })
  await pass(200)
  t.equal(await waiting, first)
  client.close()
})

t.test('renew: a timeout returns the rejected token, a signal rejects', async (t) => {
  const pass = timers(t)
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.answer = () => new Promise(() => {})
  const { signal } = new AbortController()
  const waiting = client.renew(first, { timeout: 3, signal })
  const controller = new AbortController()
  const ended = failureOf(client.renew(first, { signal: controller.signal }))
  const usual = client.renew(first)
  await settle()
  const reason = new Error('over')
  controller.abort(reason)
  t.equal(await ended, reason)
  await pass(3000)
  t.equal(await waiting, first)
  await pass(17_000)
  t.equal(await usual, first, 'the cap holds for it too')
  client.close()
})

t.test('renew returns the rejected token at once during a backoff', async (t) => {
  const { client, world } = setUpClient()
  const first = await client.getToken()
  world.pass(0.75 * HOUR)
  world.answer = () => refusal('invalid_client')
  await client.getToken()
  await settle()
  t.equal(await client.renew(first), first)
  t.equal(world.requests.length, 2)
})

/** What hangs, each for ever. */
const hangs: Readonly<Record<string, () => Parameters<typeof setUpClient>[0]>> = {
  'the token endpoint': () => ({ fetch: () => new Promise(() => {}) }),
  'the secret': () => ({ clientSecret: () => new Promise<string>(() => {}) }),
  'the lock of another process': () => {
    const store = memoryStore()
    return { store: Object.assign(Object.create(store), { lock: async () => false }) }
  },
  'the store': () => {
    const never = (): Promise<never> => new Promise(() => {})
    const store = { get: never, set: never, delete: never, invalidate: never, lock: never }
    return { store: { ...store, shared: true, unlock: never, close: never } }
  },
  'an endpoint that asks to wait': () => ({
    fetch: async () => new Response('', { status: 503, headers: { 'retry-after': '5' } }),
  }),
}

for (const [what, options] of Object.entries(hangs)) {
  t.test(`without a token, no call waits longer than 20 s: ${what}`, async (t) => {
    const pass = timers(t)
    const { client, world } = setUpClient({ fetch: () => new Promise(() => {}), ...options() })
    const ends: string[] = []
    const call = (end: string): void => void codeOf(client.getToken()).then(() => ends.push(end))
    call('first')
    for (let passed = 0; passed < 20_000; passed += 250) {
      if (passed === 10_000) call('second')
      world.pass(250)
      await pass(250)
    }
    t.ok(ends.includes('first'), 'ended')
    for (let passed = 0; passed < 10_000; passed += 250) {
      world.pass(250)
      await pass(250)
    }
    t.strictSame(ends.sort(), ['first', 'second'])
    client.close()
  })
}

t.test('a slow secret and a slow endpoint share one timeout', async (t) => {
  const pass = timers(t)
  const slowly = <Value>(value: Value): Promise<Value> =>
    new Promise((resolve) => setTimeout(() => resolve(value), 4900))
  const secrets = ['old', 'new']
  const { client, world } = setUpClient({ clientSecret: () => slowly(secrets.shift() as string) })
  // Refused after 9.8 s, another secret after 14.7 s, a token after 24.5 s, as its endpoint fails once.
  const answers = [
    refusal('invalid_client'),
    new Response('', { status: 503 }),
    tokenAnswer('late'),
  ]
  world.answer = () => slowly(answers.shift() as Response)
  const ends: string[] = []
  codeOf(client.getToken()).then((code) => ends.push(code))
  client.getToken({ timeout: 30 }).then(({ accessToken }) => ends.push(accessToken))
  const ended = async (seconds: number): Promise<readonly string[]> => {
    for (let passed = 0; passed < seconds * 10; passed += 1) {
      world.pass(100)
      await pass(100)
    }
    return [...ends]
  }
  t.strictSame(await ended(19.9), [])
  t.strictSame(await ended(0.1), ['ERR_TOKEN_TIMEOUT'])
  t.strictSame(await ended(6), ['ERR_TOKEN_TIMEOUT', 'late'])
})

t.test('the option timeout of the client limits all calls', async (t) => {
  const pass = timers(t)
  const { client } = setUpClient({ timeout: 1.5, fetch: () => new Promise(() => {}) })
  const ended = codeOf(client.getToken())
  const patient = codeOf(client.getToken({ timeout: 4 }))
  let isOver = false
  ended.then(() => (isOver = true))
  await pass(1499)
  t.equal(isOver, false)
  await pass(1)
  t.equal(await ended, 'ERR_TOKEN_TIMEOUT')
  await pass(2500)
  t.equal(await patient, 'ERR_TOKEN_TIMEOUT')
  client.close()
})

t.test('close ends every wait at once, also for a pending secret', async (t) => {
  const { client } = setUpClient({ clientSecret: () => new Promise<string>(() => {}) })
  const { signal } = new AbortController()
  const waiting = [client.getToken(), client.getToken({ signal, timeout: 300 })].map(codeOf)
  await settle()
  client.close()
  t.strictSame(await Promise.all(waiting), ['ERR_CLIENT_CLOSED', 'ERR_CLIENT_CLOSED'])
  t.equal(getEventListeners(signal, 'abort').length, 0)

  const expiring = setUpClient()
  const first = await expiring.client.getToken()
  expiring.world.pass(HOUR - 10_000)
  expiring.world.answer = () => new Promise(() => {})
  const served = expiring.client.getToken()
  const renewed = expiring.client.renew(first)
  await settle()
  expiring.client.close()
  t.equal(await served, first)
  t.equal(await renewed, first)
})

t.test('a call after its deadline does not wait', async (t) => {
  const never = new Promise<never>(() => {})
  const limits = { timeoutMs: 60_000, signal: undefined }
  t.equal(await codeOf(waitFor(never, limits, AbortSignal.abort())), 'ERR_CLIENT_CLOSED')
})

t.test('an invalid timeout or signal is rejected, whether a token is cached or not', async (t) => {
  const { client, world } = setUpClient({ origins: ['https://api.example.com'] })
  const token = await client.getToken({ scopes: 'a/b' })
  const cases: readonly (readonly [object, string, RegExp])[] = [
    ...[0, -1, 0.0001, 301, Number.NaN, Number.POSITIVE_INFINITY, '2', null, undefined].map(
      (timeout) =>
        [{ timeout }, 'timeout', /expected a number of seconds from 0\.001 to 300/] as const,
    ),
    ...[null, undefined, {}, 'abort', new AbortController()].map(
      (signal) =>
        [
          { signal },
          'signal',
          /expected an AbortSignal, got .* Pass an AbortSignal or leave it out\.$/,
        ] as const,
    ),
    [
      { timeouts: 1 },
      'timeouts',
      /expected one of scopes, clientMetadata, timeout, signal, got an unknown name/,
    ],
  ]
  for (const [wrong, option, problem] of cases) {
    const options = { scopes: 'a/b', ...wrong } as GetTokenOptions
    for (const call of [client.getToken(options), client.renew(token, options)]) {
      const error: unknown = await failureOf(call)
      t.ok(error instanceof OptionError, `${option} ${Object.values(wrong)}`)
      t.match(error, { code: 'ERR_OPTION_INVALID', option, problem })
    }
  }
  const inFetch: unknown = await failureOf(
    client.fetch('https://api.example.com', {}, { signal: AbortSignal.abort() } as never),
  )
  t.match(inFetch, { code: 'ERR_OPTION_INVALID', option: 'signal', problem: /Pass it in init/ })
  const odd = { signal: {} } as RequestInit
  const oddSignal: unknown = await failureOf(client.fetch('https://api.example.com', odd))
  t.match(oddSignal, { code: 'ERR_OPTION_INVALID', option: 'signal' })
  t.equal(world.requests.length, 1)
})

t.test('members of a polluted prototype are not options of a call', async (t) => {
  for (const [name, value] of [
    ['signal', AbortSignal.abort()],
    ['timeout', 0],
  ] as const) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true })
    t.teardown(() => Reflect.deleteProperty(Object.prototype, name))
  }
  const { client } = setUpClient()
  t.equal((await client.getToken({ scopes: 'a/b' })).accessToken, 'token-1')
  t.equal((await client.getToken()).accessToken, 'token-2')
})

t.test('timeout of client.fetch limits the wait for the token only', async (t) => {
  const pass = timers(t)
  const api = 'https://api.example.com'
  let isAnswering = false
  const calls: string[] = []
  const { client } = setUpClient({
    origins: [api],
    fetch: async (url) => {
      if (String(url).startsWith(api)) {
        calls.push('api')
        await new Promise((resolve) => setTimeout(resolve, 60_000))
        return new Response('done')
      }
      return isAnswering ? tokenAnswer('a') : new Promise(() => {})
    },
  })
  const ended = codeOf(client.fetch(api, {}, { timeout: 1 }))
  await pass(1000)
  t.equal(await ended, 'ERR_TOKEN_TIMEOUT')
  client.close()
  isAnswering = true
  t.strictSame(calls, [])

  const second = setUpClient({
    origins: [api],
    fetch: async (url) => {
      if (!String(url).startsWith(api)) return tokenAnswer('a')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return new Response('done')
    },
  })
  const slow = second.client.fetch(api, {}, { timeout: 1 })
  await pass(60_000)
  t.equal(await (await slow).text(), 'done')
})
