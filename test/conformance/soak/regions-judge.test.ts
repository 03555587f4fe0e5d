/** The limits of the soak of two Regions: each one exceeded is reported. */
import t from 'tap'
import {
  countTokens,
  judgeRow,
  type RecordedRequest,
  type RegionRow,
  type SourceSummary,
  summarizeRequests,
} from '../../../soak/regions/judge.mjs'

const times = { faultAt: 6000, healedAt: 13_000 }
const request = (
  region: 'primary' | 'secondary',
  sentAt: number,
  isIssued = true,
): RecordedRequest => ({ region, sentAt, endedAt: sentAt + 10, isIssued })

t.test('a source that moves and comes back', async (t) => {
  const requests = [
    request('primary', 1000),
    request('primary', 7000, false),
    request('primary', 7200, false),
    request('secondary', 7210),
    request('primary', 50_000),
  ]
  t.strictSame(summarizeRequests(requests, times), {
    tokens: 3,
    hasToMove: true,
    moveMs: 220,
    isBack: true,
  })
  t.match(summarizeRequests(requests.slice(0, 4), times), { isBack: false })
})

t.test('a source that need not move', async (t) => {
  t.strictSame(summarizeRequests([request('primary', 1000), request('primary', 7000)], times), {
    tokens: 2,
    hasToMove: false,
    moveMs: undefined,
    isBack: true,
  })
  const late = [request('primary', 8000, false), request('primary', 14_000)]
  t.match(summarizeRequests(late, times), { hasToMove: false, moveMs: undefined })
  t.match(summarizeRequests([], times), { tokens: 0, isBack: false })
})

const source: SourceSummary = { tokens: 20, hasToMove: true, moveMs: 4000, isBack: true }
const control: RegionRow = {
  fault: null,
  errors: 0,
  sources: [{ tokens: 20, hasToMove: false, moveMs: undefined, isBack: true }],
}
const limits = { lagMs: 100, hasTimeToReturn: true }
const judgeSource = (changes: Partial<SourceSummary>, row: Partial<RegionRow> = {}) =>
  judgeRow(
    { fault: 'hang', errors: 0, sources: [{ ...source, ...changes }], ...row },
    control,
    limits,
  )

t.test('limits', async (t) => {
  t.equal(countTokens(control), 20)
  t.strictSame(judgeSource({}), [])
  t.strictSame(judgeSource({ tokens: 21, moveMs: 5100 }), [])
  t.strictSame(judgeRow(control, control, limits), [])
  const late = ['hang: 1 sources moved later than 5100 ms, or not at all']
  t.strictSame(judgeSource({ moveMs: 5101 }), late)
  t.strictSame(judgeSource({ moveMs: undefined }), late)
  t.strictSame(judgeSource({ tokens: 22 }), ['hang: 1.100 of the tokens without a fault'])
  t.strictSame(judgeSource({ isBack: false }), ['hang: 1 sources did not move back'])
  t.strictSame(judgeSource({ hasToMove: false }), [
    'hang: no source had to move, expected at least one',
  ])
  t.strictSame(judgeSource({}, { errors: 2 }), [
    'hang: 2 errors of callers with a valid token, expected 0',
  ])
  const away = { fault: 'hang', errors: 0, sources: [{ ...source, isBack: false }] }
  t.strictSame(judgeRow(away, control, { ...limits, hasTimeToReturn: false }), [])
  const moved = { ...control, sources: [source] }
  t.strictSame(judgeRow(moved, control, limits), ['no fault: 1 sources moved, expected 0'])
  t.strictSame(judgeRow(moved, control, { ...limits, lagMs: 500 }), [], 'a busy machine')
})
