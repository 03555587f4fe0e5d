/** Protection of Cognito: quotas, cached refusals, and lists of clients. */
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { NegativeCache, type Refusal } from '../../../src/tokens/proxy/cached-results.ts'
import type { TokenProxyOptions } from '../../../src/tokens/proxy/index.ts'
import { UpstreamQuota } from '../../../src/tokens/proxy/quota.ts'
import { captureLog } from '../../support/fastify.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import {
  CLIENT,
  issue,
  reply,
  SECRET,
  setUpProxy,
  startUpstream,
  ticks,
  until,
  WRONG,
} from '../../support/proxy.ts'

/** An upstream that accepts secrets that begin with "right", and records its requests. */
async function setUpVerifying(
  t: Test,
  options: Partial<TokenProxyOptions> = {},
  life = 3600,
  server: FastifyServerOptions = {},
) {
  const log: { readonly at: number; readonly isRight: boolean }[] = []
  const clock = { now: (): number => 0 }
  const { requests, tokenEndpoint } = await startUpstream(t, (response, { body }, count) => {
    const isRight = body.includes('client_secret=right')
    log.push({ at: clock.now(), isRight })
    if (isRight) reply(response, 200, issue(count, life))
    else reply(response, 400, { error: 'invalid_client' })
  })
  const setup = await setUpProxy(t, { tokenEndpoint, ...options }, undefined, server)
  clock.now = setup.clocks.monotonicNow
  /** Most requests in any second. */
  const most = (of: (it: (typeof log)[0]) => boolean): number => {
    const times = log.filter(of).map(({ at }) => at)
    return Math.max(
      0,
      ...times.map((at) => times.filter((it) => it >= at && it < at + SECOND).length),
    )
  }
  return { ...setup, requests, log, most }
}

const right = (index: number) => ({ clientId: `client-${index}`, secret: `right-${index}` })

t.test(
  '500 wrong secrets a second refuse no valid caller, and stay within the budget',
  async (t) => {
    const upstream = { perSecond: 60, unprovenPerSecond: 20, concurrency: 30 }
    // Tokens of 8 s: each caller needs a new one again and again, in the middle of the flood.
    const { inject, app, clocks, log, most } = await setUpVerifying(t, { upstream, timeout: 30 }, 8)
    const callers = Array.from({ length: 20 }, (_, index) => right(index))
    for (const caller of callers) t.equal((await inject(caller)).status, 200)
    clocks.advance(9 * SECOND)
    const begun = log.length
    const statuses = new Map<number, number>()
    const flood: Promise<{ readonly status: number }>[] = []
    let [refused, guess, mostQueued] = [0, 0, 0]
    for (let step = 0; step < 40; step += 1) {
      // 25 times their share of the budget: after a second, their queue is full.
      for (let index = 0; index < 50; index += 1) {
        guess += 1
        flood.push(inject({ clientId: `client-${guess % 40}`, secret: `guess-${guess}` }))
      }
      const served = callers.map((caller) => inject(caller))
      for (const { status } of await Promise.all(served)) refused += status === 200 ? 0 : 1
      // Requests arrive before the clock advances.
      await until(() => app.tokenProxy.status().inFlight === 0)
      mostQueued = Math.max(mostQueued, app.tokenProxy.status().queued.unproven)
      clocks.advance(100)
    }
    t.equal(mostQueued, 500, 'no more guesses wait')
    clocks.advance(2 * SECOND)
    for (const { status } of await Promise.all(flood)) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    t.equal(refused, 0)
    t.equal(guess, 2000)
    t.same([...statuses.keys()].sort(), [400, 503])
    t.ok(most(() => true) <= 60, `${most(() => true)} requests in a second`)
    t.ok(most(({ isRight }) => !isRight) <= 20, 'a share for guesses')
    const guesses = log.slice(begun).filter(({ isRight }) => !isRight).length
    // 20 a second for 4 s, and those whose turn came in the last two.
    t.ok(guesses >= 80 && guesses <= 100, `${guesses} guesses were sent`)
    t.equal(statuses.get(400), guesses)
  },
)

t.test(
  'a request over the quota waits 2 s for its turn, then gets 503 with Retry-After',
  async (t) => {
    const upstream = { perSecond: 2, unprovenPerSecond: 1 }
    const log = captureLog()
    const { inject, app, clocks, requests } = await setUpVerifying(t, { upstream }, 3600, {
      logger: log.logger,
    })
    const queued = () => app.tokenProxy.status().queued
    t.equal((await inject({ secret: 'right' })).status, 200)
    const guesses = [inject({ secret: 'right-2' }), inject({ secret: 'right-3' })]
    await until(() => queued().unproven === 2)
    t.equal(
      (await inject({ secret: 'right', scope: 'a/b' })).status,
      200,
      'a proven pair has its own',
    )
    const over = inject({ secret: 'right', scope: 'a/c' })
    await until(() => queued().proven === 1)
    t.equal(requests.length, 2)
    clocks.advance(999)
    await ticks()
    t.same(queued(), { proven: 1, unproven: 2 })
    clocks.advance(1)
    t.equal((await over).status, 200, 'proven clients go first')
    await until(() => queued().unproven === 1)
    clocks.advance(999)
    await ticks()
    t.same(queued(), { proven: 0, unproven: 1 })
    t.equal(requests.length, 4)
    clocks.advance(1)
    await until(() => queued().unproven === 0)
    for (const answer of guesses)
      t.equal((await answer).status, 200, 'a turn at the very end counts')
    const late = inject({ secret: 'right-4' })
    // Two more that take the turns of the next two seconds.
    const others = [inject({ secret: 'right-5' }), inject({ secret: 'right-6' })]
    await until(() => queued().unproven === 3)
    clocks.advance(1000)
    await until(() => queued().unproven === 2)
    clocks.advance(999)
    await ticks()
    t.equal(queued().unproven, 2)
    clocks.advance(1)
    const answers = await Promise.all([late, ...others])
    const refused = answers.filter(({ status }) => status === 503)
    t.equal(refused.length, 1)
    t.same(refused[0]?.json, { error: 'temporarily_unavailable' })
    t.equal(refused[0]?.headers['retry-after'], '1')
    t.equal(refused[0]?.headers['cache-control'], 'no-store')
    t.same(app.tokenProxy.status().unavailable, { ERR_OVER_BUDGET: 1, ERR_UPSTREAM_UNAVAILABLE: 0 })
    t.match(
      log.lines().filter(({ msg }) => /callers got no token/.test(String(msg))),
      [{ level: 40, ERR_OVER_BUDGET: 1, ERR_UPSTREAM_UNAVAILABLE: 0 }],
    )
  },
)

t.test('unverified secrets stay within their share while Cognito hangs', async (t) => {
  const upstream = { perSecond: 100, unprovenPerSecond: 50, concurrency: 4 }
  const { inject, wire, app, clocks } = await setUpVerifying(t, { upstream })
  await inject(right(1))
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const guesses = Array.from({ length: 10 }, (_, index) => inject({ secret: `guess-${index}` }))
  await until(() => app.tokenProxy.status().inFlight === 2)
  const known = inject({ ...right(1), scope: 'a/b' })
  await until(() => app.tokenProxy.status().inFlight === 3)
  clocks.advance(2 * SECOND)
  await until(() => app.tokenProxy.status().queued.unproven === 0)
  open()
  t.equal((await known).status, 200)
  const statuses = (await Promise.all(guesses)).map(({ status }) => status)
  t.equal(statuses.filter((it) => it === 400).length, 2)
  t.equal(statuses.filter((it) => it === 503).length, 8)
  t.equal(app.tokenProxy.status().inFlight, 0)
})

t.test('one verified client gets at most a quarter of the quota, for all its scopes', async (t) => {
  const upstream = { perSecond: 40, unprovenPerSecond: 10, concurrency: 40 }
  const { inject, app, clocks, requests, most } = await setUpVerifying(t, { upstream })
  const first = { clientId: 'client-1', secret: 'right-1' }
  const again = { clientId: 'client-1', secret: 'right-1b' }
  for (const caller of [first, again, right(2)]) t.equal((await inject(caller)).status, 200)
  clocks.advance(SECOND)
  const before = requests.length
  const many = Array.from({ length: 100 }, (_, index) => {
    const caller = index % 2 === 0 ? first : again
    return inject({ ...caller, metadata: `{"n":"${index}"}` })
  })
  await until(() => requests.length - before === 10)
  await until(() => app.tokenProxy.status().queued.proven === 20)
  await ticks()
  t.equal(requests.length - before, 10, 'its secrets share it')
  for (let index = 0; index < 10; index += 1) {
    const answer = await inject({ ...right(2), metadata: `{"n":"${index}"}` })
    t.equal(answer.status, 200, 'another client is not affected')
  }
  t.equal((await inject(first)).status, 200, 'a cached token costs nothing')
  clocks.advance(2 * SECOND)
  const statuses = (await Promise.all(many)).map(({ status }) => status)
  t.equal(statuses.filter((it) => it === 503).length, 80, '70 at once, 10 after 2 s')
  clocks.advance(SECOND)
  t.equal((await inject({ ...first, metadata: 'later' })).status, 200)
  t.ok(most(() => true) <= 40)
})

t.test('a verified client stays within its share while Cognito hangs', async (t) => {
  const upstream = { perSecond: 100, unprovenPerSecond: 50, concurrency: 8 }
  const { inject, wire, app, clocks } = await setUpVerifying(t, { upstream })
  for (const index of [1, 2]) t.equal((await inject(right(index))).status, 200)
  let open = (): void => {}
  wire.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const many = Array.from({ length: 8 }, (_, index) =>
    inject({ ...right(1), metadata: `{"n":"${index}"}` }),
  )
  await until(() => app.tokenProxy.status().inFlight === 2)
  await until(() => app.tokenProxy.status().queued.proven === 6)
  const other = inject({ ...right(2), scope: 'a/b' })
  await until(() => app.tokenProxy.status().inFlight === 3)
  clocks.advance(2 * SECOND)
  await until(() => app.tokenProxy.status().queued.proven === 0)
  open()
  t.equal((await other).status, 200)
  const statuses = (await Promise.all(many)).map(({ status }) => status)
  t.equal(statuses.filter((it) => it === 200).length, 2)
  t.equal(statuses.filter((it) => it === 503).length, 6)
  t.equal((await inject({ ...right(1), scope: 'a/b' })).status, 200, 'over once they are answered')
})

t.test('with a small quota, each client has at least one request', (t) => {
  const budget = new UpstreamQuota({ perSecond: 3, unprovenPerSecond: 1, concurrency: 3 })
  const release = budget.take(0, 'a')
  t.ok(release)
  release?.()
  t.equal(budget.take(999, 'a'), undefined)
  t.ok(budget.take(999, 'b'))
  t.ok(budget.take(1000, 'a'))
  t.equal(budget.inFlight, 2)
  t.equal(budget.countRecent(1000), 2, 'of the last second')
  t.equal(budget.countRecent(1999), 1)
  t.equal(budget.countRecent(Number.NaN), 0)
  t.end()
})

t.test('a clock that fails neither adds to the quota nor uses it up', (t) => {
  const budget = new UpstreamQuota({ perSecond: 2, unprovenPerSecond: 1, concurrency: 4 })
  t.equal(budget.take(Number.NaN, 'a'), undefined)
  t.ok(budget.take(5, 'a'))
  t.ok(budget.take(5, undefined))
  t.equal(budget.take(5, 'b'), undefined)
  t.ok(budget.take(1005, 'b'))
  t.equal(budget.inFlight, 3)
  t.end()
})

t.test('a refusal is cached for 10 s, for exactly this request', async (t) => {
  const { send, clocks, wire } = await setUpProxy(t)
  const wrong = await send({ secret: WRONG })
  t.equal(wrong.status, 400)
  t.same(wrong.json, { error: 'invalid_client' })
  clocks.advance(9_999)
  const again = await send({ secret: WRONG })
  t.equal(again.status, 400)
  t.same(again.json, wrong.json)
  t.equal(again.headers['cache-control'], 'no-store')
  t.equal(wire.count, 1)
  t.equal((await send()).status, 200, 'the right secret')
  t.equal((await send({ secret: WRONG, method: 'basic' })).status, 400)
  t.equal(wire.count, 3)
  clocks.advance(1)
  t.equal((await send({ secret: WRONG })).status, 400)
  t.equal(wire.count, 4)
})

t.test('the cache of refusals is bounded', (t) => {
  const cache = new NegativeCache(() => 0)
  const refusal: Refusal = {
    kind: 'refused',
    error: 'invalid_client',
    client: undefined,
    response: { status: 400, headers: {}, body: '{}' },
  }
  for (let index = 0; index <= 10_000; index += 1) cache.addRefusal(`${index}`, refusal)
  t.equal(cache.findRefusal('0'), undefined)
  t.equal(cache.findRefusal('1'), refusal)
  t.end()
})

t.test('clients that are not on the list are rejected by the proxy', async (t) => {
  for (const clients of [
    CLIENT,
    [CLIENT],
    (id: string) => id === CLIENT,
    async (id: string) => id === CLIENT,
  ]) {
    const { send, wire } = await setUpProxy(t, { clients })
    t.equal((await send()).status, 200)
    const stranger = await send({ clientId: 'shipping', secret: 'shipping-secret' })
    t.equal(stranger.status, 400)
    t.same(stranger.json, { error: 'invalid_client' })
    t.equal(stranger.headers['cache-control'], 'no-store')
    t.equal(wire.count, 1)
  }
})

t.test('a client removed from the list is rejected although its token is cached', async (t) => {
  const allowed = new Set([CLIENT])
  const { send, clocks, wire } = await setUpProxy(t, { clients: (id) => allowed.has(id) })
  t.equal((await send()).status, 200)
  allowed.clear()
  t.equal((await send()).status, 200, 'an answer holds for a minute')
  clocks.advance(60 * SECOND)
  t.equal((await send()).status, 400)
  t.equal(wire.count, 1)
})

t.test('a lookup that fails is 503, without the exception', async (t) => {
  for (const clients of [
    () => {
      throw new Error(SECRET)
    },
    async () => Promise.reject(new Error(SECRET)),
  ]) {
    const { send, wire } = await setUpProxy(t, { clients })
    const answer = await send()
    t.equal(answer.status, 503)
    t.same(answer.json, { error: 'temporarily_unavailable' })
    t.equal(answer.headers['retry-after'], '5')
    t.equal(wire.count, 0)
  }
})

t.test('a lookup is called at most 50 times a second', async (t) => {
  const lookups: string[] = []
  const clients = (id: string) => {
    lookups.push(id)
    return id === CLIENT
  }
  const { inject, clocks, wire } = await setUpProxy(t, { clients })
  t.equal((await inject()).status, 200)
  for (let index = 1; index < 50; index += 1) {
    t.equal((await inject({ clientId: `stranger-${index}` })).status, 400)
  }
  const over = await inject({ clientId: 'stranger-50' })
  t.equal(over.status, 503)
  t.same(over.json, { error: 'temporarily_unavailable' })
  t.equal(over.headers['retry-after'], '5')
  t.equal(over.headers['cache-control'], 'no-store')
  t.equal(lookups.length, 50)
  t.equal((await inject()).status, 200, 'what was answered needs no lookup')
  t.equal((await inject({ clientId: 'stranger-1' })).status, 400)
  clocks.advance(999)
  t.equal((await inject({ clientId: 'stranger-50' })).status, 503)
  clocks.advance(1)
  t.equal((await inject({ clientId: 'stranger-50' })).status, 400)
  t.equal(lookups.length, 51)
  t.equal(wire.count, 1)
})

t.test('a lookup has at most 16 concurrent calls, and one for each client', async (t) => {
  const lookups: string[] = []
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const clients = async (id: string) => {
    lookups.push(id)
    await gate
    return id === CLIENT
  }
  const { inject } = await setUpProxy(t, { clients })
  const both = [inject(), inject()]
  const strangers = Array.from({ length: 20 }, (_, index) => inject({ clientId: `s-${index}` }))
  await until(() => lookups.length === 16)
  const over = await Promise.race(strangers)
  t.equal(over.status, 503)
  t.same(over.json, { error: 'temporarily_unavailable' })
  t.equal(over.headers['retry-after'], '5')
  open()
  for (const answer of await Promise.all(both)) t.equal(answer.status, 200)
  const statuses = (await Promise.all(strangers)).map(({ status }) => status)
  t.equal(statuses.filter((it) => it === 400).length, 15)
  t.equal(statuses.filter((it) => it === 503).length, 5)
  t.equal(lookups.length, 16)
  t.equal((await inject({ clientId: 'later' })).status, 400)
})

t.test('at most 16 entries per client', async (t) => {
  const { send, requests, clocks } = await setUpVerifying(t)
  for (let index = 0; index < 17; index += 1) {
    t.equal((await send({ secret: 'right', scope: `s/${index}` })).status, 200)
    clocks.advance(SECOND)
  }
  for (let index = 1; index < 17; index += 1) await send({ secret: 'right', scope: `s/${index}` })
  t.equal(requests.length, 17)
  await send({ secret: 'right', scope: 's/0' })
  t.equal(requests.length, 18, 'the oldest made room')
})
