/**
 * Whether one answer can be right. Knows which tokens Cognito issued, what failed and when, and nothing of the
 * proxies. Milliseconds of one clock.
 */
import { SLACK_MS } from './scale.mjs'

/** Served until five seconds before the expiry, or a sixteenth of the life; a second is the least `expires_in`. */
const MAX_MARGIN_MS = 5000
const MAX_MARGIN_SHARE = 1 / 16
const MIN_EXPIRES_IN_MS = 1000
/** The least difference of clocks that would matter is far above this. */
const EXPIRES_IN_TOLERANCE_MS = 1000

const expiryMargin = ({ issuedAt, expiresAt }) =>
  Math.max(MIN_EXPIRES_IN_MS, Math.min(MAX_MARGIN_MS, (expiresAt - issuedAt) * MAX_MARGIN_SHARE))

/** @returns Whether a good token of the caller's was in the store all the time. */
function hasCachedToken({ clientId, scope, sentAt, answeredAt }, { tokens, lagMs }) {
  const slackMs = SLACK_MS + lagMs
  return tokens.some(
    (token) =>
      token.clientId === clientId &&
      token.scope === scope &&
      token.issuedAt + slackMs < sentAt &&
      answeredAt < token.expiresAt - expiryMargin(token) - slackMs,
  )
}

/** A caller waits for Redis a tenth of a second: half of it is the machine's. */
const EXCUSING_STALL_MS = 50

/** Whether Redis, its link and the proxy stood still for so long meanwhile that the store was as good as gone. */
function wasStalled({ process: index, sentAt, answeredAt }, { stalls }) {
  const during = stalls.filter(
    ({ from, until, proxy = index }) => proxy === index && from <= answeredAt && sentAt <= until,
  )
  return during.reduce((sum, { from, until }) => sum + until - from, 0) > EXCUSING_STALL_MS
}

const overlaps = ({ sentAt, answeredAt }, { beganAt, endedAt }, lagMs) =>
  beganAt <= answeredAt && sentAt <= endedAt + lagMs

function mayBeRefused(answer, record) {
  const permits = ({ refusals, uncached }) => {
    if (refusals === 'any') return true
    if (answer.kind === 'uncached' && uncached !== undefined) return true
    if (refusals === 'new') return answer.kind === 'new'
    if (refusals !== 'uncached') return false
    return !hasCachedToken(answer, record) || wasStalled(answer, record)
  }
  return record.acts.some((act) => overlaps(answer, act, record.lagMs) && permits(act))
}

/** A client without a cached token, from the moment Cognito gives it none until it does again. */
const isInFault = ({ kind, act, sentAt, answeredAt }) =>
  kind === 'uncached' && act.faultAt <= sentAt && answeredAt < act.healedAt

/** 503 for whatever reason, or 429 that comes from Cognito. */
export const isRefusal = ({ status, kind, act }) =>
  status === 503 || (status === 429 && kind === 'uncached' && act.isThrottled === true)

/**
 * @param record `tokens`, `acts` and `stalls` of the whole run. Of the answer's act `lagMs`, and `isBusy` if the
 *   machine was too busy to answer in time.
 * @returns What is wrong with the answer; undefined where it can be right.
 */
export function findError(answer, record) {
  const { status, code, token, clientId, scope, retryAfter } = answer
  if (status === undefined) return record.isBusy ? undefined : `no answer (${code})`
  if (isRefusal(answer)) {
    if (retryAfter === undefined) return `${status} without Retry-After`
    return record.isBusy || mayBeRefused(answer, record) ? undefined : String(status)
  }
  if (status !== 200) return String(status)
  if (token === undefined) return '200 without a token'
  if (token.clientId !== clientId || token.scope !== scope) return 'token of another caller'
  return isInFault(answer) ? '200 for an answer that is no valid token' : undefined
}

/** Whether the token is past its expiry, or `expires_in` says that it ends after it. */
export function isPastExpiry({ token, sentAt, expiresIn }, lagMs) {
  if (token === undefined) return false
  const claimedEnd = sentAt + 1000 * expiresIn
  return sentAt >= token.expiresAt || claimedEnd > token.expiresAt + EXPIRES_IN_TOLERANCE_MS + lagMs
}
