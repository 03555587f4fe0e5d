/** The limits of the soak of two Regions. Each function is pure. Times in milliseconds on one clock. */

/** Longest time from the first failed request to the first token of the secondary Region. */
const MAX_MOVE_MS = 5000
/** On a machine that is later than this, requests to a Region without a fault may time out. */
const MAX_LAG_MS = 500
/** Tokens, compared with the run without a fault. */
const MAX_TOKEN_RATIO = 1.05

/**
 * Summarizes the token requests of one client or proxy.
 *
 * @param requests In the order of sending: `region`, `sentAt`, `endedAt`, `isIssued`.
 */
export function summarizeRequests(requests, { faultAt, healedAt }) {
  const failed = requests.find(
    ({ region, sentAt, isIssued }) => region === 'primary' && sentAt >= faultAt && !isIssued,
  )
  const moved = requests.find(({ region, isIssued }) => region === 'secondary' && isIssued)
  const last = requests.filter(({ isIssued }) => isIssued).at(-1)
  return {
    tokens: requests.filter(({ isIssued }) => isIssued).length,
    // A Region that recovers earlier needs no failover.
    hasToMove: failed !== undefined && failed.sentAt < healedAt - MAX_MOVE_MS,
    moveMs: moved === undefined || failed === undefined ? undefined : moved.endedAt - failed.sentAt,
    isBack: last?.region === 'primary',
  }
}

/**
 * @param row `fault` (null without one), `errors` of callers with a valid token, and `sources`: summaries.
 * @param control The row without a fault.
 * @param lagMs Delay of the machine, added to the permitted time.
 * @param hasTimeToReturn Whether the run was long enough for a probe.
 * @returns One line for each limit that was exceeded.
 */
export function judgeRow(row, control, { lagMs, hasTimeToReturn }) {
  const { fault, errors, sources } = row
  const breaches = []
  const report = (text) => breaches.push(`${fault ?? 'no fault'}: ${text}`)
  if (errors > 0) report(`${errors} errors of callers with a valid token, expected 0`)
  const allowedMs = MAX_MOVE_MS + lagMs
  if (fault === null) {
    const moves = sources.filter(({ moveMs, isBack }) => moveMs !== undefined || !isBack)
    if (moves.length > 0 && lagMs < MAX_LAG_MS) report(`${moves.length} sources moved, expected 0`)
    return breaches
  }
  const moving = sources.filter(({ hasToMove }) => hasToMove)
  if (moving.length === 0) report('no source had to move, expected at least one')
  const late = moving.filter(({ moveMs }) => moveMs === undefined || moveMs > allowedMs)
  if (late.length > 0)
    report(`${late.length} sources moved later than ${allowedMs} ms, or not at all`)
  const away = sources.filter(({ isBack }) => !isBack)
  if (hasTimeToReturn && away.length > 0) report(`${away.length} sources did not move back`)
  const ratio = countTokens(row) / countTokens(control)
  if (ratio > MAX_TOKEN_RATIO) report(`${ratio.toFixed(3)} of the tokens without a fault`)
  return breaches
}

export function countTokens({ sources }) {
  return sources.reduce((total, { tokens }) => total + tokens, 0)
}
