/** What an act came to: one row of numbers, out of answers, issued tokens and requests to Cognito. */
import { findError, isPastExpiry, isRefusal } from './answers.mjs'
import { NOTICE_MS, RECOVERY_MS, REFRESH_SHARE } from './scale.mjs'

const SECOND = 1000

/** A list is too long to be spread into arguments. */
const maxOf = (numbers) => numbers.reduce((max, number) => Math.max(max, number), 0)

/** Later than this, timeouts of a healthy system run out: of one command to Redis, and of a whole request. */
const TOO_BUSY = { p99: 30, max: 300 }

/** Whether the machine is too busy for an act to say much, by the process that runs nothing under test. */
export function isTooBusy({ delays: { harness } }) {
  return harness.p99 > TOO_BUSY.p99 || harness.max > TOO_BUSY.max
}

/**
 * How late this machine made an answer at worst: the event loops on its way, added up, or a request that needs
 * neither store nor Cognito.
 */
export function measureLag({ delays: { harness, cognito, proxies }, heartbeatMs }) {
  const loops = harness.max + cognito.max + maxOf(proxies.map(({ max }) => max))
  return Math.max(loops, heartbeatMs)
}

/**
 * Tokens issued in an act, in relation to the lives that their predecessors of the same caller got to use. A token
 * counts as used up when its renewal is due, however long nobody asks for the next. So this is 1 / 0.75 where no token
 * is requested twice, in an act of seconds and of hours.
 */
function requestsPerLife({ beganAt, endedAt }, tokens) {
  const last = new Map()
  let [count, lives] = [0, 0]
  for (const token of tokens) {
    const name = `${token.clientId} ${token.scope}`
    const before = last.get(name)
    last.set(name, token)
    if (before === undefined || token.issuedAt < beganAt || token.issuedAt >= endedAt) continue
    count += 1
    const share = (token.issuedAt - before.issuedAt) / (before.expiresAt - before.issuedAt)
    lives += Math.min(REFRESH_SHARE, share)
  }
  return count === 0 ? undefined : count / lives
}

/** Requests to Cognito in the busiest whole second, once the fault is noticed. NaN for a fault without one. */
function busiestSecond({ faultAt, healedAt }, requests) {
  const counts = []
  for (let from = faultAt + NOTICE_MS; from + SECOND <= healedAt; from += SECOND) {
    counts.push(requests.filter(({ at }) => at >= from && at < from + SECOND).length)
  }
  return counts.length === 0 ? Number.NaN : maxOf(counts)
}

/** Requests to Cognito for the first client without a cached token, which asks one process alone. */
function uncachedRequests({ faultAt, healedAt }, requests) {
  const isFirst = ({ clientId, at }) =>
    /^uncached-.*-0$/.test(clientId) && at >= faultAt && at < healedAt
  return requests.filter(isFirst).length
}

/** @returns The row of an act, as judge.mjs takes it. */
export function createRow(act, { answers, tokens, requests, stalls, acts }) {
  const lagMs = measureLag(act)
  const own = answers.filter((answer) => answer.act === act)
  const measureWait = ({ sentAt, answeredAt }) => Math.round(answeredAt - sentAt)
  const refusals = own.filter(isRefusal)
  const noticed = refusals.filter(
    ({ sentAt, answeredAt }) => sentAt >= act.faultAt + NOTICE_MS && answeredAt < act.healedAt,
  )
  const isBusy = isTooBusy(act)
  const record = { tokens, acts, stalls, lagMs, isBusy }
  return {
    ...{ name: act.name, limits: act.limits, isBusy, lagMs, delays: act.delays },
    heartbeatMs: act.heartbeatMs,
    durationMs: act.endedAt - act.beganAt,
    faultMs: act.healedAt - act.faultAt,
    requests: own.length,
    refusals: refusals.length,
    worstWaitMs: maxOf(own.map(measureWait)),
    slowest: own.toSorted((one, other) => measureWait(other) - measureWait(one))[0],
    refusalWaitMs: maxOf(noticed.map(measureWait)),
    requestsPerLife: requestsPerLife(act, tokens),
    upstreamPerSecond: busiestSecond(act, requests),
    uncachedRequests: uncachedRequests(act, requests),
    lateRefusals: refusals.filter(({ sentAt }) => sentAt > act.healedAt + RECOVERY_MS + lagMs)
      .length,
    servedWithinMs: Math.round(maxOf(own.map(({ sinceFirstMs = 0 }) => sinceFirstMs))),
    wrong: own
      .map((answer) => ({ answer, reason: findError(answer, record) }))
      .filter(({ reason }) => reason !== undefined),
    pastExpiry: own.filter((answer) => isPastExpiry(answer, lagMs)),
  }
}
