/** The limits of the proxy's soak: each one exceeded is a breach, and the machine's lag lengthens waits only. */
import t from 'tap'
import type { Answer } from '../../../soak/proxy/answers.mjs'
import { type Breach, judge, listUnjudgedActs } from '../../../soak/proxy/judge.mjs'
import type { Limits, Row } from '../../../soak/proxy/rows.mjs'

/** From soak/proxy/scale.mjs, in milliseconds. */
const SLACK = 200

const good: Row = {
  name: 'a fault',
  limits: {},
  isBusy: false,
  lagMs: 0,
  durationMs: 6000,
  faultMs: 5000,
  worstWaitMs: 100,
  refusalWaitMs: 50,
  servedWithinMs: 0,
  requestsPerLife: 1.3,
  upstreamPerSecond: 4,
  uncachedRequests: 5,
  lateRefusals: 0,
  wrong: [],
  pastExpiry: [],
}
const faultFree: Row = { ...good, name: 'no fault' }

const act = { beganAt: 0, endedAt: 1, faultAt: 0, healedAt: 1, refusals: 'none' } as const
const answer: Answer = {
  kind: 'ordinary',
  process: 0,
  act,
  clientId: 'client-1',
  scope: 'orders/read',
  sentAt: 0,
  answeredAt: 1,
}

function breaches(row: Partial<Row>): readonly Breach[] {
  return judge([{ ...good, ...row }], faultFree)
}

/** Limit, the member that is measured, the most that is allowed without lag, and by how much it is exceeded. */
const limits: readonly (readonly [Limits, keyof Row, number, number, string])[] = [
  [{ waitMs: 3000 }, 'worstWaitMs', 3000 + SLACK, 1, 'worst wait'],
  [{ extraWaitMs: 1500 }, 'worstWaitMs', 100 + 1500, 1, 'worst wait'],
  [{ refusalWaitMs: 300 }, 'refusalWaitMs', 300 + SLACK, 1, 'worst wait for a refusal'],
  [{ servedWithinMs: 6000 }, 'servedWithinMs', 6000 + 3 * SLACK, 1, 'token for every new client'],
  [{ requestsPerLife: 1.4 }, 'requestsPerLife', 1.4, 0.001, 'token requests per life'],
  [
    ...([{ requestRatio: 1.05 }, 'requestsPerLife', 1.3 * 1.05, 0.002] as const),
    'token requests to those without a fault',
  ],
  [{ upstreamPerSecond: 40 }, 'upstreamPerSecond', 40, 1, 'requests to Cognito in a second'],
  [{ uncachedRequests: 12 }, 'uncachedRequests', 12, 1, 'requests to Cognito of one name'],
  [{ lateRefusals: 0 }, 'lateRefusals', 0, 1, 'refusals after the recovery'],
]

for (const [limit, member, most, more, name] of limits) {
  t.test(`${Object.keys(limit)[0]}: what exceeds it is a breach`, async (t) => {
    t.strictSame(breaches({ limits: limit, [member]: most }), [], 'reached')
    const [breach, ...others] = breaches({ limits: limit, [member]: most + more })
    t.match(breach, { act: 'a fault', limit: name })
    t.ok((breach?.measured ?? 0) > (breach?.allowed ?? 0))
    t.match(breach?.text, `a fault: ${name}: `)
    t.strictSame(others, [])
  })
}

t.test('a breach says by how much', async (t) => {
  const [breach] = breaches({ limits: { extraWaitMs: 1500 }, worstWaitMs: 6011 })
  t.equal(breach?.text, 'a fault: worst wait: 6,011 ms, 4,411 ms over 1,600 ms')
})

t.test('wrong answers and tokens past expiry are breaches in every act, busy or not', async (t) => {
  for (const isBusy of [false, true]) {
    const wrong = [{ answer, reason: 'token of another caller' }]
    t.match(breaches({ isBusy, wrong }), [{ limit: 'wrong answers', measured: 1, allowed: 0 }])
    const pastExpiry = [answer]
    t.match(breaches({ isBusy, pastExpiry }), [{ limit: 'tokens past expiry', measured: 1 }])
  }
})

t.test('the lag of the machine is added to waits, and to nothing else', async (t) => {
  const lagMs = 600
  for (const [limit, member, most, more] of limits) {
    const isWait = member.endsWith('Ms')
    const isShare = member === 'requestsPerLife'
    const tries = member === 'servedWithinMs' ? 3 : 1
    const allowed = isWait ? most + tries * lagMs : isShare ? most * 1.1 : most
    const key = String(Object.keys(limit)[0])
    t.strictSame(breaches({ lagMs, limits: limit, [member]: allowed - 0.0001 }), [], key)
    t.equal(breaches({ lagMs, limits: limit, [member]: allowed + more }).length, 1, key)
  }
})

t.test('what a busy machine did without a fault excuses nothing', async (t) => {
  const limits = { waitMs: 1000, requestsPerLife: 1.4 }
  const busy = { ...faultFree, limits, isBusy: true, worstWaitMs: 9000, requestsPerLife: 7 }
  const judged = (row: Partial<Row>) => judge([{ ...good, ...row }], busy).length
  const [wait, ratio] = [{ extraWaitMs: 1500 }, { requestRatio: 1.05 }]
  t.equal(judged({ limits: wait, worstWaitMs: 2500 }), 0)
  t.equal(judged({ limits: wait, worstWaitMs: 2501 }), 1)
  t.equal(judged({ limits: ratio, requestsPerLife: 1.46 }), 0)
  t.equal(judged({ limits: ratio, requestsPerLife: 1.48 }), 1)
})

t.test('a longer fault permits more requests of one name', async (t) => {
  const row = { limits: { uncachedRequests: 12 }, faultMs: 10_000 }
  t.strictSame(breaches({ ...row, uncachedRequests: 24 }), [])
  t.equal(breaches({ ...row, uncachedRequests: 25 }).length, 1)
  t.equal(breaches({ ...row, faultMs: 1000, uncachedRequests: 13 }).length, 1, 'never fewer')
})

t.test('a fault too short for a whole second is a breach', async (t) => {
  const limits = { upstreamPerSecond: 40 }
  t.equal(breaches({ limits, upstreamPerSecond: Number.NaN }).length, 1)
})

t.test('a ratio that could not be measured is a breach', async (t) => {
  const { requestsPerLife: _, ...unmeasured } = good
  for (const limit of [{ requestRatio: 1.05 }, { requestsPerLife: 1.4 }]) {
    t.equal(judge([{ ...unmeasured, limits: limit }], faultFree).length, 1)
  }
})

t.test(
  'on a machine that is too busy, requests to Cognito are judged, and waits are not',
  async (t) => {
    const counted = ['upstreamPerSecond', 'uncachedRequests']
    for (const [limit, member, most, more] of limits) {
      const found = breaches({ isBusy: true, limits: limit, [member]: most + more })
      t.equal(found.length, counted.includes(member) ? 1 : 0, member)
    }
  },
)

t.test('an act that was too busy each time is named', async (t) => {
  const rows = [
    { name: 'one', isBusy: true },
    { name: 'one', isBusy: false },
    { name: 'two', isBusy: true },
    { name: 'two', isBusy: true },
    { name: 'three', isBusy: false },
  ]
  t.strictSame(listUnjudgedActs(rows), ['two'])
})
