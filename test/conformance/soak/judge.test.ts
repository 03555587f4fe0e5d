/** The oracle of the soak: every wrong decision is seen, and every one that may be right is let be. */
import t, { type Test } from 'tap'
import {
  type Answered,
  columnOf,
  judge,
  type Outage,
  type Wrong,
  withBusyTimes,
} from '../../../soak/judge.mjs'

/** From soak/timing.mjs, in milliseconds: timeout of a fetch and slack, with cooldown, with refresh. */
const FETCH = 2000 + 500
const LEARN = 500 + FETCH
const REFRESH = 2000 * 1.1 + FETCH

const known = { publishedAt: Number.NEGATIVE_INFINITY }
const good = { status: 200 }
const unknown = { status: 401, code: 'ERR_KEY_UNKNOWN' }
const unavailable = { status: 503, code: 'ERR_KEYS_UNAVAILABLE' }
const signature = { status: 401, code: 'ERR_TOKEN_SIGNATURE' }
const fault = { status: 500, code: 'ERR_INTERNAL' }
const broken = { code: 'ECONNRESET' }

/** Ten seconds: backoff may have come to 8 s by its end. */
const outage = [{ from: 10_000, until: 20_000 }]
const RECOVERED = 20_000 + 8000 + FETCH
/** Cooldown and twice the slack: no good fetch can be recent any more. */
const LONG_OUT = 10_000 + 500 + 2 * 500 + 1

/** Sent and answered at a time, a valid token with a known key where nothing else is said. */
function at(sentAt: number, answer: Partial<Answered>): Answered {
  return { kind: 'valid', sentAt, answeredAt: sentAt + 10, key: known, ...answer }
}

type Case = readonly [name: string, answer: Answered, expected: Wrong | undefined]

function check(t: Test, cases: readonly Case[], outages: readonly Outage[] = []): void {
  for (const [name, answer, expected] of cases) t.equal(judge(answer, outages), expected, name)
}

t.test('a valid token of a known key is accepted, whatever the endpoint does', async (t) => {
  for (const outages of [[], outage, [{ from: 10_000 }]]) {
    check(
      t,
      [
        ['accepted', at(15_000, good), undefined],
        ['called invalid', at(15_000, unknown), 'valid refused'],
        ['bad signature', at(15_000, signature), 'valid refused'],
        ['not judged', at(15_000, unavailable), 'valid refused'],
        ['forbidden', at(15_000, { status: 403, code: 'ERR_ACCESS_DENIED' }), 'valid refused'],
        ['500', at(15_000, fault), 'valid refused'],
        ['connection broken', at(15_000, broken), 'valid refused'],
      ],
      outages,
    )
  }
})

t.test('a new key on a healthy endpoint is accepted within a cooldown', async (t) => {
  const key = { publishedAt: 10_000 }
  check(t, [
    ['accepted at once', at(10_001, { ...good, key }), undefined],
    ['unknown at first', at(10_001, { ...unknown, key }), undefined],
    ['unknown later', at(10_000 + LEARN, { ...unknown, key }), 'valid refused'],
    ['not judged', at(10_001, { ...unavailable, key }), 'other'],
    ['500', at(10_001, { ...fault, key }), 'other'],
    ['connection broken', at(10_001, { ...broken, key }), 'other'],
  ])
})

t.test('a new key in an outage is not judged, and never called invalid', async (t) => {
  const key = { publishedAt: LONG_OUT }
  const before = { publishedAt: 9999 }
  check(
    t,
    [
      ['503 in the outage', at(LONG_OUT, { ...unavailable, key }), undefined],
      ['503 while backing off', at(RECOVERED - 1, { ...unavailable, key }), undefined],
      ['503 after it', at(RECOVERED, { ...unavailable, key }), 'valid refused'],
      ['401 in the outage', at(LONG_OUT, { ...unknown, key }), 'other'],
      ['401 while backing off', at(25_000, { ...unknown, key }), 'other'],
      ['accepted while backing off', at(25_000, { ...good, key }), undefined],
      ['401, new before it', at(10_001, { ...unknown, key: before }), undefined],
      ['503, new before it', at(19_000, { ...unavailable, key: before }), undefined],
    ],
    outage,
  )
})

t.test('a token of a removed key is accepted for one refresh at most', async (t) => {
  const key = { ...known, removedAt: 10_000 }
  const last = 10_000 + REFRESH
  check(t, [
    ['before the removal', at(9000, { ...good, key }), undefined],
    ['refused before it', at(9000, { ...unknown, key }), 'valid refused'],
    ['in flight', at(9995, { ...unknown, key }), undefined],
    ['refused at once', at(10_001, { ...unknown, key }), undefined],
    ['accepted at the last moment', at(last, { ...good, key }), undefined],
    ['sent in time, answered late', at(last, { ...good, key, answeredAt: last + 900 }), undefined],
    ['accepted later', at(last + 1, { ...good, key }), 'removed accepted'],
    ['refused later', at(60_000, { ...unknown, key }), undefined],
    ['not judged', at(60_000, { ...unavailable, key }), 'other'],
  ])
})

t.test('a removal in an outage is noticed after it, not before', async (t) => {
  const key = { ...known, removedAt: LONG_OUT }
  check(
    t,
    [
      ['accepted in the outage', at(19_000, { ...good, key }), undefined],
      ['refused in the outage', at(19_000, { ...unknown, key }), 'valid refused'],
      ['not judged in the outage', at(19_000, { ...unavailable, key }), 'valid refused'],
      ['refused after it', at(20_001, { ...unknown, key }), undefined],
      ['accepted while backing off', at(RECOVERED, { ...good, key }), undefined],
      ['accepted later', at(RECOVERED + 1, { ...good, key }), 'removed accepted'],
    ],
    outage,
  )
  const endless = [{ from: 10_000 }]
  check(t, [['accepted for ever', at(900_000, { ...good, key }), undefined]], endless)
})

t.test('what is plainly invalid is 401 with its own code, always', async (t) => {
  const expired = { status: 401, code: 'ERR_TOKEN_EXPIRED' }
  const garbage = { status: 401, code: 'ERR_TOKEN_INVALID' }
  const { key: _, ...asked } = at(15_000, {})
  const answered = { ...asked, kind: 'expired' } as const
  const noise = { ...asked, kind: 'garbage' } as const
  const forged = at(15_000, { kind: 'bad signature' })
  for (const outages of [[], outage]) {
    check(
      t,
      [
        ['expired', { ...answered, ...expired }, undefined],
        ['expired, otherwise refused', { ...answered, ...garbage }, 'other'],
        ['expired, accepted', { ...answered, ...good }, 'invalid accepted'],
        ['expired, not judged', { ...answered, ...unavailable }, 'other'],
        ['garbage', { ...noise, ...garbage }, undefined],
        ['garbage, accepted', { ...noise, status: 204 }, 'invalid accepted'],
        ['garbage, 500', { ...noise, ...fault }, 'other'],
        ['garbage, connection broken', { ...noise, ...broken }, 'other'],
        ['bad signature', { ...forged, ...signature }, undefined],
        ['bad signature, accepted', { ...forged, ...good }, 'invalid accepted'],
        ['bad signature, not judged', { ...forged, ...unavailable }, 'other'],
        ['bad signature, unknown', { ...forged, ...unknown }, 'other'],
      ],
      outages,
    )
  }
})

t.test('a random kid is unknown, or not judged while the endpoint fails', async (t) => {
  const random = (sentAt: number, answer: Partial<Answered>): Answered => {
    const { key: _, ...asked } = at(sentAt, answer)
    return { ...asked, kind: 'random kid' }
  }
  check(
    t,
    [
      ['401 in health', random(5000, unknown), undefined],
      ['503 in health', random(5000, unavailable), 'other'],
      ['200 in health', random(5000, good), 'invalid accepted'],
      ['500 in health', random(5000, fault), 'other'],
      ['401 in flight as it breaks', random(9995, unknown), undefined],
      ['503 in flight as it breaks', random(9995, unavailable), undefined],
      ['401 right behind a good fetch', random(LONG_OUT - 1, unknown), undefined],
      ['503 in the outage', random(LONG_OUT, unavailable), undefined],
      ['401 in the outage', random(LONG_OUT, unknown), 'other'],
      ['200 in the outage', random(LONG_OUT, good), 'invalid accepted'],
      ['500 in the outage', random(LONG_OUT, fault), 'other'],
      ['503 while backing off', random(RECOVERED - 1, unavailable), undefined],
      ['503 after it', random(RECOVERED, unavailable), 'other'],
    ],
    outage,
  )
})

t.test('a machine that is too busy for the scale invents no wrong decision', async (t) => {
  const late = (sentAt: number, took: number): Answered => ({
    kind: 'garbage',
    sentAt,
    answeredAt: sentAt + took,
    status: 401,
    code: 'ERR_TOKEN_INVALID',
  })
  t.strictSame(withBusyTimes([], [late(1000, 249), late(1100, 250)]), [])
  const busy = withBusyTimes(outage, [late(5200, 700), late(5000, 300), late(25_000, 2000)])
  t.strictSame(busy, [
    { from: 5000, until: 5900, isBusy: true },
    { from: 10_000, until: 20_000 },
    { from: 25_000, until: 27_000, isBusy: true },
  ])
  const key = { publishedAt: 5100 }
  check(
    t,
    [
      ['503 for a new key', at(5300, { ...unavailable, key }), undefined],
      ['401 for a new key, long after', at(5100 + LEARN, { ...unknown, key }), undefined],
      ['503 while backing off', at(5900 + 2000, { ...unavailable, key }), undefined],
      ['503 for a known key', at(5300, unavailable), 'valid refused'],
      ['a bad signature', at(5300, { ...good, kind: 'bad signature' }), 'invalid accepted'],
      ['500', at(5300, { ...fault, key }), 'other'],
      ['503 before it', at(4000, { ...unavailable, key: { publishedAt: 3900 } }), 'other'],
      ['503 after it', at(9990, { ...unavailable, key: { publishedAt: 9900 } }), undefined],
    ],
    busy.slice(0, 2),
  )
  const removed = { publishedAt: 0, removedAt: 4900 }
  check(
    t,
    [
      [
        'removed, and accepted a little later',
        at(4900 + REFRESH + 1, { ...good, key: removed }),
        undefined,
      ],
    ],
    busy.slice(0, 1),
  )
  check(
    t,
    [
      [
        'in a busy time of an outage',
        at(LONG_OUT, { ...unknown, kind: 'random kid', key: { publishedAt: 0, removedAt: 1 } }),
        undefined,
      ],
    ],
    withBusyTimes(outage, [late(LONG_OUT - 500, 600)]),
  )
})

t.test('an outage that follows before backoff is over goes on with its steps', async (t) => {
  const again = [...outage, { from: 26_000, until: 27_000 }]
  const { key: _, ...asked } = at(27_000 + 15_000, unavailable)
  check(t, [['still backing off', { ...asked, kind: 'random kid' }, undefined]], again)
  const { key: __, ...later } = at(27_000 + 16_000 + FETCH, unavailable)
  check(t, [['over', { ...later, kind: 'random kid' }, 'other']], again)
})

t.test('a request is counted as what it is when it is sent', async (t) => {
  const key = { publishedAt: 10_000 }
  t.equal(columnOf(at(10_001, { key }), []), 'new key')
  t.equal(columnOf(at(10_000 + LEARN, { key }), []), 'known key')
  t.equal(columnOf(at(11_000, { key: { ...key, removedAt: 10_500 } }), []), 'removed key')
  t.equal(columnOf(at(11_000, { kind: 'garbage' }), []), 'garbage')
})
