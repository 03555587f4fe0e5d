/**
 * The acts of the soak, in order: what fails, who may be refused, and which limits hold. Seconds are those of a
 * run of 120 s and of the gate's 30 s; other lengths stretch them. An act without `gate` is left out there.
 *
 * `refusals`: who may get 503. `none`: nobody. `uncached`: callers without a good cached token, until tokens flow
 * again. `new`: new clients. `any`: everybody.
 */
import {
  RECOVERY_MS,
  REFRESH_SHARE,
  SHORT_TOKEN_LIFE,
  sleep,
  TIMEOUT_MS,
  TOKEN_LIFE,
} from './scale.mjs'

/** Milliseconds from one stall to the next, and what is left to look at after the last. */
const STALL_EVERY = 6000
const AFTER_STALL = 4000
/** Milliseconds of an act after the recovery. */
const AFTER_RECOVERY = RECOVERY_MS + 500

/** Milliseconds that count as at once: one poll of a lock, and one answer of Cognito's. */
const AT_ONCE = 300

const SHORT_FAULT = { extraWaitMs: 1500, requestRatio: 1.05 }
const OUTAGE = {
  waitMs: TIMEOUT_MS,
  refusalWaitMs: AT_ONCE,
  upstreamPerSecond: 40,
  uncachedRequests: 12,
  lateRefusals: 0,
}

/** Callers without a cached token: 10 requests per second of the first client, 40 of forty others. */
const UNCACHED = { clients: 41, perSecond: 50 }

const everySixSeconds = (begin, end, ms) => async (deployment, actMs) => {
  for (let left = actMs; left > ms; left -= STALL_EVERY) {
    await begin(deployment)
    await sleep(ms)
    await end(deployment)
    if (left - STALL_EVERY > AFTER_STALL) await sleep(STALL_EVERY - ms)
    else return
  }
}
const stalls = (ms) =>
  everySixSeconds(
    ({ redis }) => redis.stall(),
    ({ redis }) => redis.resume(),
    ms,
  )
const cognitoFault = (fault, afterMs) => async (deployment, actMs) => {
  await deployment.setFault(fault)
  await sleep(actMs - afterMs)
  await deployment.setFault(null)
}

const outage = (name, fault, seconds, gate) => ({
  ...{ name, seconds, gate, refusals: 'uncached', limits: OUTAGE, uncached: UNCACHED },
  run: cognitoFault(fault, AFTER_RECOVERY),
})

export const acts = [
  { name: 'cold start', seconds: 3, gate: 2, refusals: 'none', limits: {} },
  {
    ...{ name: 'no fault', seconds: 10, gate: 6, refusals: 'none' },
    // A wait for a renewal; and a token is renewed at 75 % of its life.
    limits: { waitMs: 1000, requestsPerLife: 1.05 / REFRESH_SHARE },
  },
  ...[250, 500, 1000].map((ms) => ({
    ...{ name: `Redis: ${ms / 1000} s stall`, seconds: 6, refusals: 'none', limits: SHORT_FAULT },
    ...(ms === 1000 ? { gate: 6 } : {}),
    run: stalls(ms),
  })),
  {
    ...{ name: 'one link: +150 ms', seconds: 6, refusals: 'none', limits: SHORT_FAULT },
    run: everySixSeconds(
      (deployment) => deployment.delayLink(0, 150),
      (deployment) => deployment.delayLink(0, 0),
      700,
    ),
  },
  {
    ...{ name: 'one client: 429', seconds: 4, gate: 3, refusals: 'none' },
    limits: { ...SHORT_FAULT, refusalWaitMs: AT_ONCE, uncachedRequests: 3 },
    uncached: { clients: 1, perSecond: 10 },
    isThrottled: true,
    run: cognitoFault('throttle', 0),
  },
  {
    ...{ name: 'invalid tokens', seconds: 4, gate: 3, refusals: 'none' },
    limits: { ...SHORT_FAULT, refusalWaitMs: AT_ONCE },
    uncached: { clients: 5, perSecond: 20 },
    run: cognitoFault('invalid', 0),
  },
  {
    ...{ name: '100 new clients', seconds: 3, refusals: 'none', limits: { waitMs: 2000 } },
    run: async ({ load }) => load.newClients(100, { retry: false }),
  },
  {
    ...{ name: '300 new clients', seconds: 7, refusals: 'new' },
    // The requests at once are work for a second on a slow machine, so only the whole wait is limited.
    limits: { waitMs: TIMEOUT_MS, servedWithinMs: 6000 },
    run: async ({ load }) => load.newClients(300, { retry: true }),
  },
  {
    ...{ name: 'short-lived tokens', seconds: 8, refusals: 'none', limits: SHORT_FAULT },
    run: async (deployment, actMs) => {
      await deployment.setLife(SHORT_TOKEN_LIFE)
      await sleep(actMs)
    },
  },
  outage('Cognito: 500', '500', 6),
  outage('Cognito: dropped', 'drop', 6),
  outage('Cognito: HTML', 'html', 6),
  outage('Cognito: 1 MiB', 'huge', 6),
  outage('Cognito: refused', 'refuse', 10, 5.5),
  {
    ...{ name: 'clocks ±120 s', seconds: 8, gate: 4.5, refusals: 'none' },
    limits: SHORT_FAULT,
    clocks: 'apart',
  },
  {
    ...{ name: 'Cognito: hangs', seconds: 8, refusals: 'uncached', uncached: UNCACHED },
    limits: { waitMs: TIMEOUT_MS },
    run: cognitoFault('hang', AFTER_RECOVERY),
  },
  {
    ...{ name: 'Redis: restarted', seconds: 7, refusals: 'any', limits: { waitMs: TIMEOUT_MS } },
    run: async (deployment) => {
      const { redis } = deployment
      // Every process requests every token for itself: no more of them than this machine can take.
      await deployment.setLife(TOKEN_LIFE)
      await redis.kill()
      await sleep(TIMEOUT_MS)
      await redis.start()
    },
  },
]

/** The shortest run with all acts, and the gate's run, in seconds. */
const WHOLE = 120
const GATE = 30

/**
 * @returns The acts of a run, each an object of its own, with `ms`.
 * @throws {Error} For a run in which acts would be too short to show anything.
 */
export function planActs(seconds) {
  if (seconds < GATE) throw new Error(`--seconds: expected ${GATE} or more, got ${seconds}`)
  const isWhole = seconds >= WHOLE
  const stretch = seconds / (isWhole ? WHOLE : GATE)
  return acts
    .filter(({ gate }) => isWhole || gate !== undefined)
    .map((act) => ({ ...act, ms: 1000 * stretch * (isWhole ? act.seconds : act.gate) }))
}
