/** The soak of the proxy: every wrong answer is seen, and every answer that can be right is accepted. */
import t from 'tap'
import {
  type Act,
  type Answer,
  type AnswerRecord,
  findError,
  isPastExpiry,
  type Token,
} from '../../../soak/proxy/answers.mjs'

const caller = { clientId: 'client-1', scope: 'orders/read' }
/** Lives from 10 to 20 s of the clock; served until 19 s, and surely in every process from 10.2 to 18.8 s. */
const token: Token = { ...caller, issuedAt: 10_000, expiresAt: 20_000 }

const quiet: Act = {
  beganAt: 0,
  endedAt: 30_000,
  faultAt: 500,
  healedAt: 500,
  refusals: 'none',
}
const outage: Act = { ...quiet, refusals: 'uncached', healedAt: 25_000, uncached: {} }
const ownClient: Act = { ...quiet, healedAt: 25_000, uncached: {} }

const served = { status: 200, token, expiresIn: 5 } as const
const refused = { status: 503, retryAfter: '1' } as const

function at(sentAt: number, answer: Partial<Answer>, act: Act = quiet): Answer {
  return {
    process: 1,
    kind: 'ordinary',
    act,
    ...caller,
    sentAt,
    answeredAt: sentAt + 10,
    ...answer,
  }
}

function judged(answer: Answer, more: Partial<AnswerRecord> = {}) {
  return findError(answer, { tokens: [token], acts: [answer.act], stalls: [], lagMs: 0, ...more })
}

t.test('without a fault, only a token of the caller is right', async (t) => {
  t.equal(judged(at(12_000, served)), undefined)
  t.equal(judged(at(12_000, refused)), '503')
  t.equal(judged(at(25_000, refused)), '503', 'cached or not')
  for (const status of [400, 401, 403, 429, 500, 502]) {
    t.equal(judged(at(12_000, { status })), String(status))
  }
  t.equal(judged(at(12_000, { code: 'ECONNRESET' })), 'no answer (ECONNRESET)')
  t.equal(judged(at(12_000, { status: 200 })), '200 without a token')
})

t.test('a token of another client or scope set is wrong, whatever fails', async (t) => {
  for (const act of [quiet, outage, { ...quiet, refusals: 'any' } as const]) {
    for (const other of [{ clientId: 'client-2' }, { scope: 'orders/write' }]) {
      const answer = at(12_000, { ...served, token: { ...token, ...other } }, act)
      t.equal(judged(answer), 'token of another caller')
      t.equal(judged(answer, { isBusy: true }), 'token of another caller')
    }
  }
})

t.test('a 503 names the time to wait', async (t) => {
  const act = { ...quiet, refusals: 'any' } as const
  t.equal(judged(at(12_000, refused, act)), undefined)
  t.equal(judged(at(12_000, { status: 503 }, act)), '503 without Retry-After')
})

t.test('in an outage, only who has no good cached token is rejected', async (t) => {
  const refusedAt = (sentAt: number, more: Partial<Answer> = {}) =>
    judged(at(sentAt, { ...refused, ...more }, outage))
  t.equal(refusedAt(10_200), undefined, 'just issued')
  t.equal(refusedAt(10_201), '503')
  t.equal(refusedAt(18_789), '503')
  t.equal(refusedAt(18_790), undefined, 'answered when it may have ended')
  t.equal(refusedAt(12_000, { scope: 'orders/write' }), undefined, 'another scope set')
  t.equal(refusedAt(12_000, { clientId: 'client-2' }), undefined, 'another client')
})

t.test('a long life ends five seconds before its expiry', async (t) => {
  const tokens = [{ ...token, expiresAt: 3_610_000 }]
  const refusedAt = (sentAt: number) => {
    const answer = at(sentAt, refused, { ...outage, endedAt: 4_000_000 })
    return judged(answer, { tokens })
  }
  t.equal(refusedAt(3_604_789), '503')
  t.equal(refusedAt(3_604_790), undefined)
})

t.test('the lag of the machine shortens what counts as cached', async (t) => {
  const refusedAt = (sentAt: number) =>
    findError(at(sentAt, refused, outage), {
      tokens: [token],
      acts: [outage],
      stalls: [],
      lagMs: 300,
    })
  t.equal(refusedAt(10_500), undefined)
  t.equal(refusedAt(10_501), '503')
  t.equal(refusedAt(18_490), undefined)
})

t.test('an act permits refusals of what was sent before it and answered in it', async (t) => {
  const before = { ...quiet, endedAt: 22_000 }
  const later = { ...outage, beganAt: 22_000 }
  const answer = at(21_995, refused, before)
  const record = { tokens: [token], acts: [before, later], stalls: [], lagMs: 0 }
  t.equal(findError(answer, record), undefined)
  t.equal(findError({ ...answer, answeredAt: 21_999 }, record), '503')
  const after = at(22_100, refused, quiet)
  const ended = { ...outage, endedAt: 22_000 }
  t.equal(findError(after, { tokens: [], acts: [ended, quiet], stalls: [], lagMs: 100 }), undefined)
  t.equal(findError(after, { tokens: [], acts: [ended, quiet], stalls: [], lagMs: 99 }), '503')
})

t.test('a client that Cognito gives no token gets 503, and others are served', async (t) => {
  const uncached = { kind: 'uncached', clientId: 'uncached-1-0' } as const
  const own = { ...token, clientId: uncached.clientId }
  const invalid = { ...uncached, ...served, token: own }
  t.equal(judged(at(12_000, { ...uncached, ...refused }, ownClient)), undefined)
  t.match(judged(at(12_000, invalid, ownClient)), /no valid token/)
  t.equal(judged(at(24_995, invalid, ownClient)), undefined, 'Cognito may be back')
  t.equal(judged(at(400, invalid, ownClient)), undefined, 'sent before')
  t.equal(judged(at(12_000, refused, ownClient)), '503')
  t.equal(judged(at(12_000, { ...uncached, status: 429 }, ownClient)), '429')
})

t.test(
  '429 is passed on to the client that Cognito throttles, with the time to wait',
  async (t) => {
    const act = { ...ownClient, isThrottled: true } as const
    const throttled = { kind: 'uncached', status: 429, retryAfter: '30' } as const
    t.equal(judged(at(12_000, throttled, act)), undefined)
    t.equal(judged(at(12_000, throttled, ownClient)), '429', 'in no other act')
    t.equal(judged(at(12_000, { ...throttled, kind: 'ordinary' }, act)), '429', 'to nobody else')
    const { retryAfter: _, ...hasty } = throttled
    t.equal(judged(at(12_000, hasty, act)), '429 without Retry-After')
  },
)

t.test(
  'a cached token may be out of reach while Redis, the links or the proxy stand still',
  async (t) => {
    const refusedWith = (stalls: AnswerRecord['stalls'], act = outage) =>
      judged(at(12_000, refused, act), { stalls })
    t.equal(refusedWith([{ from: 11_950, until: 12_001 }]), undefined)
    t.equal(refusedWith([{ from: 11_950, until: 12_000 }]), '503', 'too short')
    const halves = [
      { from: 11_990, until: 12_020, proxy: 1 },
      { from: 12_009, until: 12_031 },
    ]
    t.equal(refusedWith(halves), undefined, 'together')
    t.equal(refusedWith([{ from: 11_900, until: 12_100, proxy: 2 }]), '503', 'another proxy')
    t.equal(refusedWith([{ from: 11_900, until: 11_999 }]), '503', 'before')
    t.equal(refusedWith([{ from: 12_011, until: 12_100 }]), '503', 'after')
    t.equal(refusedWith([{ from: 11_900, until: 12_100 }], quiet), '503', 'while Cognito is well')
  },
)

t.test('new clients may be rejected where there are too many', async (t) => {
  const act = { ...quiet, refusals: 'new' } as const
  t.equal(judged(at(12_000, { ...refused, kind: 'new' }, act)), undefined)
  t.equal(judged(at(12_000, refused, act)), '503')
})

t.test(
  'a machine that is too busy excuses refusals and missing answers, and nothing else',
  async (t) => {
    const busy = { isBusy: true }
    t.equal(judged(at(12_000, refused), busy), undefined)
    t.equal(judged(at(12_000, { code: 'ETIMEDOUT' }), busy), undefined)
    t.equal(judged(at(12_000, { status: 500 }), busy), '500')
    t.equal(judged(at(12_000, { status: 200 }), busy), '200 without a token')
  },
)

t.test('a token is past its expiry, or says so too late', async (t) => {
  const past = (sentAt: number, expiresIn: number, lagMs = 0) =>
    isPastExpiry(at(sentAt, { ...served, expiresIn }), lagMs)
  t.equal(past(19_999, 0), false)
  t.equal(past(20_000, 0), true)
  t.equal(past(15_000, 5), false)
  t.equal(past(15_000, 6), false)
  t.equal(past(15_001, 6), true, 'expires_in ends more than a second after the token')
  t.equal(past(15_300, 6, 300), false)
  t.equal(past(15_301, 6, 300), true)
  t.equal(isPastExpiry(at(30_000, refused), 0), false)
})
