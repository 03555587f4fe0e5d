/** The soak of the proxy: what answers, tokens and requests of an act come to. */
import t from 'tap'
import type { Answer, Token } from '../../../soak/proxy/answers.mjs'
import {
  createRow,
  type FinishedAct,
  isTooBusy,
  measureLag,
  type RunRecord,
} from '../../../soak/proxy/rows.mjs'

const delay = { p99: 1, max: 0 }
const delays = { harness: delay, cognito: delay, proxies: [delay, delay] }
/** The fault is from 1 to 6 s; the act from 0 to 10 s. */
const act: FinishedAct = {
  name: 'a fault',
  limits: {},
  beganAt: 0,
  endedAt: 10_000,
  faultAt: 1000,
  healedAt: 6000,
  refusals: 'any',
  heartbeatMs: 0,
  delays,
}
const caller = { clientId: 'client-1', scope: 'orders/read' }
const refused = { status: 503, retryAfter: '1' }

function answer(sentAt: number, waitMs: number, more: Partial<Answer> = {}): Answer {
  const answeredAt = sentAt + waitMs
  return { process: 0, kind: 'ordinary', act, ...caller, sentAt, answeredAt, ...refused, ...more }
}

function row(record: Partial<RunRecord>, finished: FinishedAct = act) {
  return createRow(finished, {
    acts: [finished],
    answers: [],
    tokens: [],
    requests: [],
    stalls: [],
    ...record,
  })
}

/** Of a life of 10 s. */
const issued = (issuedAt: number, of = caller): Token => ({
  ...of,
  issuedAt,
  expiresAt: issuedAt + 10_000,
})

t.test('the worst wait is that of any caller of the act', async (t) => {
  const other = answer(100, 9000, { act: { ...act } })
  const slowest = answer(5, 310)
  const it = row({ answers: [answer(0, 10), slowest, other] })
  t.equal(it.slowest, slowest)
  const { worstWaitMs, durationMs, faultMs } = it
  t.strictSame(
    { worstWaitMs, durationMs, faultMs },
    {
      worstWaitMs: 310,
      durationMs: 10_000,
      faultMs: 5000,
    },
  )
})

t.test('refusals are at once from a second after the fault until its end', async (t) => {
  const answers = [
    answer(1999, 3000),
    answer(2000, 40),
    answer(5000, 90),
    answer(5500, 600),
    answer(3000, 2000, { status: 200 }),
  ]
  t.equal(row({ answers }).refusalWaitMs, 90)
  const throttled: FinishedAct = { ...act, isThrottled: true }
  const answered = answer(3000, 700, { act: throttled, kind: 'uncached', status: 429 })
  t.equal(row({ answers: [answered] }, throttled).refusalWaitMs, 700, 'as well as 503')
})

t.test('refusals are late from the recovery and the lag on', async (t) => {
  const answers = [answer(8000, 10), answer(8001, 10), answer(8101, 10)]
  t.equal(row({ answers }).lateRefusals, 2)
  t.equal(row({ answers }, { ...act, heartbeatMs: 100 }).lateRefusals, 0, 'another act')
  const lagging = { ...act, heartbeatMs: 100 }
  const moved = answers.map((one) => ({ ...one, act: lagging }))
  t.equal(row({ answers: moved }, lagging).lateRefusals, 1)
})

t.test('requests per life are 1 / 0.75 where every token is used up', async (t) => {
  const exact = [issued(-7000), issued(500), issued(8000), issued(15_500)]
  t.equal(row({ tokens: exact }).requestsPerLife, 1 / 0.75)
  const late = [issued(-9000), issued(500), issued(9999), issued(10_000)]
  t.equal(row({ tokens: late }).requestsPerLife, 1 / 0.75, 'however late the next is asked for')
})

t.test('a token that is requested twice counts', async (t) => {
  const twice = [issued(-7000), issued(500), issued(500)]
  t.equal(row({ tokens: twice }).requestsPerLife, 2 / 0.75)
  const half = [issued(-7000), issued(500), issued(4250)]
  t.equal(row({ tokens: half }).requestsPerLife, 2 / (0.75 + 0.375))
})

t.test('names are counted apart, and a first token is no renewal', async (t) => {
  const other = { ...caller, scope: 'orders/write' }
  const tokens = [issued(-7000), issued(500), issued(600, other)]
  t.equal(row({ tokens }).requestsPerLife, 1 / 0.75)
  t.equal(row({ tokens: [issued(500)] }).requestsPerLife, undefined)
})

t.test('requests to Cognito: the busiest second, from a second after the fault', async (t) => {
  const clientId = 'client-1'
  const every = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ at: from + index, clientId }))
  const requests = [...every(1000, 500), ...every(2000, 30), ...every(3100, 41), ...every(6000, 90)]
  t.equal(row({ requests }).upstreamPerSecond, 41)
  const short = { ...act, healedAt: 2999 }
  t.ok(Number.isNaN(row({ requests }, short).upstreamPerSecond), 'too short to be measured')
})

t.test(
  'requests for the first client without a cached token are counted while the fault lasts',
  async (t) => {
    const first = 'uncached-a-fault-1-0'
    const others = ['uncached-a-fault-1-10', 'client-0', 'new-a-fault-1-0']
    const requests = [999, 1000, 5999, 6000].map((at) => ({ at, clientId: first }))
    const more = others.map((clientId) => ({ at: 3000, clientId }))
    t.equal(row({ requests: [...requests, ...more] }).uncachedRequests, 2)
  },
)

t.test('the last new client is served so long after it first asked', async (t) => {
  const answers = [
    { ...answer(0, 10), sinceFirstMs: 10 },
    { ...answer(4000, 10), sinceFirstMs: 4010 },
  ]
  t.equal(row({ answers }).servedWithinMs, 4010)
  t.equal(row({}).servedWithinMs, 0)
})

t.test('wrong answers and tokens past expiry are listed', async (t) => {
  const token = { ...issued(-20_000) }
  const answers = [
    answer(0, 10, { status: 500 }),
    answer(0, 10, { status: 200, token, expiresIn: 1 }),
    answer(0, 10),
  ]
  const { wrong, pastExpiry } = row({ answers })
  t.strictSame(
    wrong.map(({ reason }) => reason),
    ['500'],
  )
  t.strictSame(pastExpiry, [answers[1]])
})

t.test('the lag: event loops added up, or a request that needs no store', async (t) => {
  const [harness, cognito, one, two] = [10, 20, 30, 40].map((max) => ({ p99: 0, max }))
  const slow = { harness, cognito, proxies: [one, two] } as FinishedAct['delays']
  t.equal(measureLag({ delays: slow, heartbeatMs: 5 }), 70)
  t.equal(measureLag({ delays: slow, heartbeatMs: 500 }), 500)
})

t.test('too busy is a machine whose harness is late, often or for long', async (t) => {
  const busy = (harness: { p99: number; max: number }) =>
    isTooBusy({ delays: { ...delays, harness } })
  t.equal(busy({ p99: 30, max: 300 }), false)
  t.equal(busy({ p99: 31, max: 60 }), true)
  t.equal(busy({ p99: 5, max: 301 }), true)
  const proxies = [{ p99: 900, max: 9000 }]
  t.equal(isTooBusy({ delays: { ...delays, proxies } }), false, 'a proxy that blocks is no excuse')
})
