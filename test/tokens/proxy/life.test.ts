/** Lifetime of an entry: when it is served, renewed in the background, and renewed before it is served. */
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { memoryStore, type TokenProxyOptions } from '../../../src/tokens/proxy/index.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { issue, reply, setUpProxy, startUpstream, until } from '../../support/proxy.ts'
import { mockTimeouts } from '../../support/timers.ts'

/** Lets all work that needs no timer finish. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A proxy in front of an upstream whose tokens are numbered and live so many seconds. */
async function setUpNumbered(t: Test, life: number, options: Partial<TokenProxyOptions> = {}) {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count, life)),
  )
  const { send, app, clocks, wire } = await setUpProxy(t, { tokenEndpoint, ...options })
  const seconds = (count: number): void => clocks.advance(count * SECOND)
  return {
    clocks,
    seconds,
    requests,
    wire,
    app,
    /** Which token, and how long it says it lives. */
    token: async () => {
      const { json } = await send()
      return `${json['access_token']} ${json['expires_in']}`
    },
    settled: () => until(() => app.tokenProxy.status().inFlight === 0),
  }
}

t.test('expires_in is the remaining lifetime in whole seconds, rounded down', async (t) => {
  const { token, clocks } = await setUpNumbered(t, 3600)
  t.equal(await token(), 'token-1 3600')
  t.equal(await token(), 'token-1 3600')
  clocks.advance(1)
  t.equal(await token(), 'token-1 3599')
  clocks.advance(999)
  t.equal(await token(), 'token-1 3599')
  clocks.advance(1)
  t.equal(await token(), 'token-1 3598')
})

for (const [life, due] of [
  [3600, 2700],
  [300, 225],
] as const) {
  t.test(`a token of ${life} s is replaced in the background from ${due} s`, async (t) => {
    const { token, clocks, seconds, requests, settled } = await setUpNumbered(t, life)
    t.equal(await token(), `token-1 ${life}`)
    seconds(due)
    clocks.advance(-1)
    t.equal(await token(), `token-1 ${life - due}`)
    t.equal(requests.length, 1)
    clocks.advance(1)
    t.equal(await token(), `token-1 ${life - due}`, 'the caller does not wait')
    await settled()
    t.equal(requests.length, 2)
    t.equal(await token(), `token-2 ${life}`)
    t.equal(requests.length, 2)
  })
}

for (const [life, expiring] of [
  [3600, 3300],
  [1200, 1050],
  [900, 787.5],
  [300, 262.5],
] as const) {
  t.test(`a token of ${life} s: callers wait for its renewal from ${expiring} s`, async (t) => {
    const { token, clocks, seconds, requests, wire, settled } = await setUpNumbered(t, life)
    await token()
    // The renewal fails, so that the token grows old.
    wire.isDown = true
    seconds(expiring)
    clocks.advance(-1)
    t.equal(await token(), `token-1 ${Math.floor(life - expiring + 0.001)}`, 'in the background')
    await settled()
    t.equal(wire.count, 2)
    clocks.advance(1)
    t.equal(await token(), `token-1 ${Math.floor(life - expiring)}`, 'no wait during a backoff')
    t.equal(wire.count, 2)
    wire.isDown = false
    seconds(2)
    t.equal(await token(), `token-2 ${life}`, 'this caller waited')
    t.equal(requests.length, 2)
  })
}

t.test('a caller waits 1 s for a renewal that hangs, then gets the cached token', async (t) => {
  const { token, seconds, wire, app } = await setUpNumbered(t, 3600)
  await token()
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  seconds(3300)
  let answered: string | undefined
  const waiting = token().then((it) => {
    answered = it
  })
  await until(() => app.tokenProxy.status().inFlight === 1)
  await quiet()
  mock.timers.tick(999)
  await quiet()
  t.equal(answered, undefined)
  mock.timers.tick(1)
  await waiting
  t.equal(answered, 'token-1 300')
  const joining = token()
  await quiet()
  open()
  t.equal(await joining, 'token-2 3600', 'joins the renewal that is under way')
  t.equal(wire.count, 2)
})

t.test('a cached token is served until 5 s before its expiry', async (t) => {
  const { token, clocks, seconds, wire, settled } = await setUpNumbered(t, 3600, {
    minRemaining: 0,
  })
  await token()
  wire.isDown = true
  seconds(3595)
  clocks.advance(-1)
  t.equal(await token(), 'token-1 5')
  await settled()
  clocks.advance(1)
  t.match(await token(), /^undefined/)
  wire.isDown = false
  seconds(1)
  t.equal(await token(), 'token-2 3600')
})

t.test('after maxAge, Cognito checks the secret again', async (t) => {
  const { token, seconds, clocks, requests, wire, settled } = await setUpNumbered(t, 86_400)
  await token()
  wire.isDown = true
  seconds(3600)
  clocks.advance(-1)
  t.equal(await token(), 'token-1 82800')
  await settled()
  clocks.advance(1)
  t.match(await token(), /^undefined/, 'not even while Cognito is down')
  wire.isDown = false
  seconds(1)
  t.equal(await token(), 'token-2 86400')
  t.equal(requests.length, 2)
})

t.test(
  'a token longer than maxAge is replaced in the background from three quarters of that',
  async (t) => {
    const { token, seconds, clocks, requests, settled } = await setUpNumbered(t, 86_400, {
      maxAge: 1000,
    })
    await token()
    seconds(750)
    clocks.advance(-1)
    await token()
    t.equal(requests.length, 1)
    clocks.advance(1)
    t.equal(await token(), 'token-1 85650')
    await settled()
    t.equal(await token(), 'token-2 86400')
  },
)

t.test('callers cannot force a refresh', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { send } = await setUpProxy(t, { tokenEndpoint })
  for (const headers of [
    {},
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { pragma: 'no-cache' },
    { 'if-none-match': '*' },
  ]) {
    t.equal((await send({ headers })).json['access_token'], 'token-1')
  }
  t.equal(requests.length, 1)
})

const invalid: readonly (readonly [string, Record<string, unknown>])[] = [
  ['another type', { token_type: 'mac' }],
  ['no type', { token_type: undefined }],
  ['no life', { expires_in: undefined }],
  ['a life in text', { expires_in: '3600' }],
  ['no time to live', { expires_in: 0 }],
  ['less than a second', { expires_in: 0.9 }],
  ['a life that is over', { expires_in: -3600 }],
  ['no token', { access_token: undefined }],
  ['an empty token', { access_token: '' }],
  ['a number as token', { access_token: 1 }],
  ['a token with a blank', { access_token: 'a b' }],
]

for (const [name, changes] of invalid) {
  t.test(`a 200 with ${name} is 503, and never cached`, async (t) => {
    const upstream = { isValid: false }
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      reply(response, 200, { ...issue(count), ...(upstream.isValid ? {} : changes) }),
    )
    const { send, app, clocks } = await setUpProxy(t, { tokenEndpoint })
    const answer = await send()
    t.equal(answer.status, 503)
    t.same(answer.json, { error: 'temporarily_unavailable' })
    t.equal(answer.headers['retry-after'], '1')
    t.equal(answer.headers['cache-control'], 'no-store')
    t.same(app.tokenProxy.status().endpoint, {
      available: true,
      lastError: { code: 'ERR_UPSTREAM_TOKEN', status: 200 },
      nextAttempt: null,
    })
    upstream.isValid = true
    clocks.advance(SECOND)
    t.same((await send()).json, issue(2))
    t.equal(requests.length, 2)
  })
}

for (const [life, served] of [
  [86_401, 86_400],
  [3600.5, 3600],
] as const) {
  t.test(`a life of ${life} s counts as ${served} s`, async (t) => {
    const { token } = await setUpNumbered(t, life)
    t.equal(await token(), `token-1 ${life}`)
    t.equal(await token(), `token-1 ${served}`)
  })
}

t.test('further members of the response are served from the cache too', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response) =>
    reply(response, 200, { ...issue(1), scope: 'ä/b', token_type: 'bearer' }),
  )
  const { send } = await setUpProxy(t, { tokenEndpoint })
  const first = (await send()).json
  t.same((await send()).json, first)
  t.equal(first['scope'], 'ä/b')
})

t.test('a clock that steps back serves no token for longer', async (t) => {
  const { token, seconds } = await setUpNumbered(t, 3600)
  await token()
  seconds(1800)
  t.equal(await token(), 'token-1 1800')
  seconds(-1830)
  t.equal(await token(), 'token-1 3600', 'half a minute is what clocks may differ')
  seconds(-31)
  t.equal(await token(), 'token-2 3600', 'an hour that was undone is not believed')
})

t.test('while the clock fails, nothing is cached and nothing crashes', async (t) => {
  const clock = { now: (): number => Number.NaN }
  const { token, requests } = await setUpNumbered(t, 3600, { now: () => clock.now() })
  t.equal(await token(), 'token-1 3600')
  t.equal(await token(), 'token-2 3600')
  clock.now = () => {
    throw new Error('no clock')
  }
  t.equal(await token(), 'token-3 3600')
  clock.now = () => 1
  t.equal(await token(), 'token-4 3600')
  t.equal(await token(), 'token-4 3600')
  t.equal(requests.length, 4)
})

t.test('an entry of another format version causes a token request', async (t) => {
  const store = memoryStore()
  const value = Buffer.from('2 in another form\n{}')
  store.entries.get = () => ({ value, expiresAt: Number.POSITIVE_INFINITY })
  const { send, wire } = await setUpProxy(t, { store })
  t.equal((await send()).status, 200)
  t.equal(wire.count, 1)
})
