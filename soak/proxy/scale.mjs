/** The scale of the soak: who asks, how often, for what, and what Cognito answers. Milliseconds, unless named. */

/** Callers, each with one app client and one scope set. Each asks about every 17 seconds. */
export const CALLERS = 2000
export const REQUESTS_PER_SECOND = 120
export const CLIENTS = 50
export const SCOPE_SETS = Object.freeze(['orders/read', 'orders/read orders/write', 'stock/read'])

/** Proxy processes that serve at the same time. */
export const PROXIES = 4
/** Differences of the clocks of two further processes, which serve in place of two others in one act. */
export const CLOCK_OFFSETS_MS = Object.freeze([120_000, -120_000])

export const UPSTREAM_LATENCY_MS = 50
/** Whole seconds a token lives, from and to: minutes and hours in production. */
export const TOKEN_LIFE = Object.freeze([8, 12])
export const SHORT_TOKEN_LIFE = Object.freeze([5, 7])

/** Of its life, what a token is used before it is renewed in the background. */
export const REFRESH_SHARE = 0.75

/** The option `timeout` of every proxy, in seconds. */
export const TIMEOUT = 3
export const TIMEOUT_MS = TIMEOUT * 1000

/** Tokens flow again so long after Cognito is back. */
export const RECOVERY_MS = 2000
/** Processes notice a fault within this: up to five failures in a row open a circuit breaker. */
export const NOTICE_MS = 1000
/** What an answer may take beside a limit that is reached exactly: the way there and back, and Redis. */
export const SLACK_MS = 200

/** A process that is late by more stands still. */
export const STALL_MS = 20

/** One clock for all processes of a machine: monotonic, and the same in each. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6

/** @param ms Milliseconds. */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
