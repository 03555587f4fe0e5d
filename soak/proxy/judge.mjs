/** The judge: rows in, exceeded limits out. The machine's own lag in an act is added to what a caller may wait. */
import { SLACK_MS } from './scale.mjs'

/** A new client that is refused asks this often within its limit, and is late each time. */
const MAX_TRIES = 3

/** Requests of one client without a cached token are limited per five seconds of a fault. */
const UNCACHED_PERIOD_MS = 5000

const milliseconds = (value) => `${Math.round(value).toLocaleString('en')} ms`
const times = (value) => `${value.toFixed(3)} ×`
const count = (value) => value.toLocaleString('en', { maximumFractionDigits: 1 })

/**
 * Every limit by its key in story.mjs: what it is called, what was measured, and what is allowed. `row` is of the act, `faultFree` of the act
 * without a fault. `isBusyProof`: holds on a machine that is too busy to answer in time.
 */
const LIMITS = {
  waitMs: {
    name: 'worst wait',
    show: milliseconds,
    measured: ({ worstWaitMs }) => worstWaitMs,
    allowed: (limit, { lagMs }) => limit + SLACK_MS + lagMs,
  },
  extraWaitMs: {
    name: 'worst wait',
    show: milliseconds,
    measured: ({ worstWaitMs }) => worstWaitMs,
    allowed: (limit, { lagMs }, faultFree) =>
      atMost(faultFree, 'worstWaitMs', 'waitMs') + limit + lagMs,
  },
  refusalWaitMs: {
    name: 'worst wait for a refusal',
    show: milliseconds,
    measured: ({ refusalWaitMs }) => refusalWaitMs,
    allowed: (limit, { lagMs }) => limit + SLACK_MS + lagMs,
  },
  servedWithinMs: {
    name: 'token for every new client',
    show: milliseconds,
    measured: ({ servedWithinMs }) => servedWithinMs,
    allowed: (limit, { lagMs }) => limit + MAX_TRIES * (SLACK_MS + lagMs),
  },
  requestsPerLife: {
    name: 'token requests per life',
    show: times,
    measured: ({ requestsPerLife }) => requestsPerLife ?? Number.NaN,
    allowed: (limit, row) => limit * busyShare(row),
  },
  requestRatio: {
    name: 'token requests to those without a fault',
    show: times,
    measured: ({ requestsPerLife = Number.NaN }, faultFree) =>
      requestsPerLife / atMost(faultFree, 'requestsPerLife', 'requestsPerLife'),
    allowed: (limit, row) => limit * busyShare(row),
  },
  upstreamPerSecond: {
    isBusyProof: true,
    name: 'requests to Cognito in a second',
    show: count,
    measured: ({ upstreamPerSecond }) => upstreamPerSecond,
    allowed: (limit) => limit,
  },
  uncachedRequests: {
    isBusyProof: true,
    name: 'requests to Cognito of one name',
    show: count,
    measured: ({ uncachedRequests }) => uncachedRequests,
    allowed: (limit, { faultMs }) => limit * Math.max(1, faultMs / UNCACHED_PERIOD_MS),
  },
  lateRefusals: {
    name: 'refusals after the recovery',
    show: count,
    measured: ({ lateRefusals }) => lateRefusals,
    allowed: (limit) => limit,
  },
}

/** What was measured without a fault: no more than its own limit, in case the machine was too busy to judge it. */
const atMost = ({ limits, ...row }, member, limit) =>
  Math.min(row[member], limits[limit] ?? Infinity)

/** Of every act. */
const ALWAYS = [
  ['wrong answers', ({ wrong }) => wrong.length],
  ['tokens past expiry', ({ pastExpiry }) => pastExpiry.length],
]

/** A process that stands still misses what others stored in that time, and requests it too. */
const busyShare = ({ lagMs, durationMs }) => 1 + lagMs / durationMs

/**
 * @param rows Of every act, as often as it was run.
 * @param faultFree The row of the act without a fault.
 * @returns Each exceeded limit as `{ act, limit, measured, allowed, text }`. An act on a machine that was too busy is
 *   judged by its tokens and by the requests to Cognito.
 */
export function judge(rows, faultFree) {
  const breaches = rows.flatMap((row) => [
    ...ALWAYS.map(([name, measured]) => findBreach(row, name, measured(row), 0, count)),
    ...Object.entries(row.limits).map(([key, limit]) => {
      const { name, show, measured, allowed, isBusyProof = false } = LIMITS[key]
      if (row.isBusy && !isBusyProof) return undefined
      return findBreach(row, name, measured(row, faultFree), allowed(limit, row, faultFree), show)
    }),
  ])
  return breaches.filter((breach) => breach !== undefined)
}

/** @returns The acts that no attempt could judge. */
export function listUnjudgedActs(rows) {
  const judged = new Set(rows.filter(({ isBusy }) => !isBusy).map(({ name }) => name))
  return [...new Set(rows.map(({ name }) => name))].filter((name) => !judged.has(name))
}

/** What could not be measured exceeds its limit. */
function findBreach({ name: act }, limit, measured, allowed, show) {
  if (measured <= allowed) return undefined
  const over = `${show(measured - allowed)} over ${show(allowed)}`
  return { act, limit, measured, allowed, text: `${act}: ${limit}: ${show(measured)}, ${over}` }
}
