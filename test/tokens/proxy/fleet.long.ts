/**
 * An hour of eight proxies over one Redis, under one clock: the requests to Cognito, and the tokens served.
 * Timers use that clock too, so the test does not depend on the speed of Redis or of its machine. Every limit is one per
 * client, and each client costs as much as the others: a tenth of them runs here. `FLEET_CLIENTS=500` is the documented
 * number.
 */
import { randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisStore, tokenProxy } from '../../../src/tokens/proxy/index.ts'
import type { TokenStore } from '../../../src/tokens/store/token-store.ts'
import { createRequest } from '../../support/proxy.ts'
import { startRedis, withoutRedis } from '../../support/redis.ts'
import { sampleSize } from '../../support/sample.ts'
import { Clock } from '../../support/shared-store.ts'
import { mockTimeouts } from '../../support/timers.ts'

const PROXIES = 8
const CLIENTS = sampleSize(
  'clients of the fleet',
  { complete: 500, sampled: 50 },
  process.env['FLEET_CLIENTS'],
)
const WINDOW = 3600
/** Seconds: default of the proxy, and what a short token leaves of it. */
const MIN_REMAINING = 300
const HELD_BACK = 0.25
/** Callers at once. */
const AT_ONCE = 50

/** Counts, and issues tokens that say when they end. */
function cognito(clock: Clock, life: number) {
  const it = {
    requestCount: 0,
    fetch: async (): Promise<Response> => {
      it.requestCount += 1
      const ends = clock.now() / 1000 + life
      return Response.json({
        access_token: `${it.requestCount}.${ends}`,
        expires_in: life,
        token_type: 'Bearer',
      })
    },
  }
  return it
}

/** A store that knows whether anything asked of it is still to be answered. */
class Busy implements TokenStore {
  static commandCount = 0
  readonly shared = true
  readonly #store: TokenStore
  readonly #clock: Clock

  constructor(store: TokenStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Redis lives in real time: its clock stands for one that shows this test's time. */
  readonly get: TokenStore['get'] = async (...its) => ({
    ...(await this.#count(this.#store.get(...its))),
    now: this.#clock.now(),
  })
  readonly set: TokenStore['set'] = (...its) => this.#count(this.#store.set(...its))
  readonly delete: TokenStore['delete'] = (...its) => this.#count(this.#store.delete(...its))
  readonly invalidate: TokenStore['invalidate'] = (...its) =>
    this.#count(this.#store.invalidate(...its))
  readonly lock: TokenStore['lock'] = (...its) => this.#count(this.#store.lock(...its))
  readonly unlock: TokenStore['unlock'] = (...its) => this.#count(this.#store.unlock(...its))
  readonly close: TokenStore['close'] = () => this.#store.close()

  #count<Answer>(answer: Promise<Answer>): Promise<Answer> {
    Busy.commandCount += 1
    return answer.finally(() => {
      Busy.commandCount -= 1
    })
  }

  /** Resolves once what was begun is over, or waits for the clock. */
  static async quiet(): Promise<void> {
    for (let turns = 0; turns < 5; turns = Busy.commandCount === 0 ? turns + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

async function proxiesOf(t: Test, clock: Clock, fetch: typeof globalThis.fetch) {
  const redis = await startRedis()
  const encryptionKeys = [{ id: 'test', key: randomBytes(32) }]
  const connection = new Redis(redis.url, { lazyConnect: true })
  const apps = Array.from({ length: PROXIES }, () => fastify())
  t.teardown(async () => {
    await Promise.all(apps.map((app) => app.close()))
    await redis.kill()
  })
  for (const app of apps) {
    await app.register(tokenProxy, {
      ...clock.options,
      tokenEndpoint: 'https://cognito.example/oauth2/token',
      fetch,
      encryptionKeys,
      store: new Busy(redisStore({ redis: connection }), clock),
      // The clock stands still while all callers of a moment are answered.
      upstream: { perSecond: 10_000, unprovenPerSecond: 9_999, concurrency: 10_000 },
    })
    // Connected, before time stands still.
    await call(app, clock, -1, 1)
  }
  return apps
}

/** One caller, of a client and a scope set: what is left of the token it got, by the token itself. */
async function call(app: FastifyInstance, clock: Clock, caller: number, scopeSets: number) {
  const scope = `orders/${caller % scopeSets}`
  const clientId = `client-${Math.floor(caller / scopeSets)}`
  const { path: url, body: payload, headers } = createRequest({ clientId, scope })
  const answer = await app.inject({ method: 'POST', url, payload, headers: headers as never })
  const { access_token: token, expires_in: left } = answer.json()
  const really = Number(String(token).split('.')[1]) - clock.now() / 1000
  return { status: answer.statusCode, left: Number(left), really }
}

/** Waits for a lock use the test's clock: it advances once all other work is done. */
async function patiently(work: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    await Busy.quiet()
    mock.timers.tick(100)
  }
  await over
}

/** @returns Wrong responses, and the number of requests to Cognito. */
async function anHour(t: Test, life: number, step: number, scopeSets: number) {
  const clock = new Clock()
  const upstream = cognito(clock, life)
  const apps = await proxiesOf(t, clock, upstream.fetch)
  upstream.requestCount = 0
  mockTimeouts()
  t.teardown(() => mock.timers.reset())
  const callers = Array.from({ length: CLIENTS * scopeSets }, (_, caller) => caller)
  let [wrong, served] = [0, 0]
  for (let second = 0; second < WINDOW; second += step) {
    for (let first = 0; first < callers.length; first += AT_ONCE) {
      // Each call uses another proxy, and sometimes two in a row. Two of three callers call half as often.
      const some = callers.slice(first, first + AT_ONCE)
      const active = some.filter((caller) => caller % 3 === 0 || (second / step) % 2 === 0)
      const calls = active.map(async (caller) => {
        const turn = caller * 31 + second / step
        for (const at of turn % 7 === 0 ? [turn, turn + 3] : [turn]) {
          const app = apps[at % PROXIES] as FastifyInstance
          const { status, left, really } = await call(app, clock, caller, scopeSets)
          served += 1
          if (status !== 200 || !(really > 0) || !(left >= 1 && left <= really)) wrong += 1
        }
      })
      await patiently(Promise.all(calls))
    }
    await Busy.quiet()
    clock.pass(1000 * step)
    mock.timers.tick(1000 * step)
  }
  const degraded = apps.filter((app) => app.tokenProxy.status().store.degraded).length
  return { requestCount: upstream.requestCount, served, wrong, degraded }
}

for (const { life, step, scopeSets } of [
  { life: 3600, step: 300, scopeSets: 2 },
  { life: 300, step: 75, scopeSets: 1 },
]) {
  t.test(`tokens of ${life} s`, { skip: withoutRedis }, async (t) => {
    const { requestCount, served, wrong, degraded } = await anHour(t, life, step, scopeSets)
    const heldBack = Math.min(MIN_REMAINING, HELD_BACK * life)
    const bound = CLIENTS * scopeSets * Math.ceil(WINDOW / (life - heldBack)) * 1.05
    t.comment(`${served} answers, ${requestCount} token requests, at most ${bound} allowed`)
    t.equal(wrong, 0, 'none refused, none past its expiry')
    t.equal(degraded, 0)
    t.ok(requestCount >= CLIENTS * scopeSets)
    t.ok(requestCount <= bound, `${requestCount} of ${bound}`)
  })
}
