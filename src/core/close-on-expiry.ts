/** Connections that outlive a request (websockets, server-sent events) end with their token. */

import { OptionError } from './options/validate.ts'
import { isUnexpired } from './token/claims.ts'
import type { VerifiedToken } from './token/verified-token.ts'
import { safeClock } from './util/clock.ts'

/** RFC 6455 section 7.4.1: the peer violates a policy. */
const POLICY_VIOLATION = 1008
/** How long a websocket may take to say goodbye, in milliseconds. */
const GRACE = 1000
/** `readyState` of a websocket. */
const CLOSED = 3
/** Longest sleep, in milliseconds: a wall clock that steps or a laptop that sleeps is noticed then. */
const LOOK_AGAIN = 60_000

/** A websocket of `ws`, or anything of Node's that can be destroyed: a response, a socket, a stream. */
export interface ClosableConnection {
  once(event: 'close', listener: () => void): unknown
  readonly destroyed?: boolean
  /** 3 is closed. */
  readonly readyState?: number | string
  close?(code: number, reason: string): unknown
  terminate?(): unknown
  destroy?(): unknown
}

/** The clock a token is held against. */
export interface ExpiryClock {
  /** Seconds. */
  readonly clockTolerance: number
  /** Wall clock, milliseconds. */
  readonly now: () => number
}

/** See `ResourceServer.closeOnExpiry`. */
export function closeOnExpiry(
  token: VerifiedToken,
  connection: ClosableConnection,
  { clockTolerance, now }: ExpiryClock,
): void {
  if (!isEndable(connection)) {
    throw new OptionError('connection', 'cannot be ended: pass a websocket, response or socket')
  }
  if (connection.destroyed === true || connection.readyState === CLOSED) return
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    // A clock that tells no time is one at which no token is live.
    const seconds = safeClock(now)() / 1000
    if (isUnexpired(token.expiresAt, clockTolerance, seconds)) {
      const left = (token.expiresAt + clockTolerance - seconds) * 1000
      timer = setTimeout(look, Math.min(LOOK_AGAIN, Math.max(1, left))).unref()
    } else timer = end(connection)
  }
  connection.once('close', () => clearTimeout(timer))
  look()
}

/** Destroying a request whose body was read ends nothing, and its own close is long past. */
function isEndable(connection: unknown): boolean {
  const { once, terminate, destroy, rawHeaders } = Object(connection) as Record<string, unknown>
  const ends = typeof terminate === 'function' || typeof destroy === 'function'
  return ends && typeof once === 'function' && rawHeaders === undefined
}

/** A response is destroyed as by a caller that hangs up: writing to one that ended is an error. */
function end(connection: ClosableConnection): NodeJS.Timeout | undefined {
  if (typeof connection.terminate !== 'function') {
    quietly(() => connection.destroy?.())
    return undefined
  }
  const timer = setTimeout(() => quietly(() => connection.terminate?.()), GRACE).unref()
  quietly(() => connection.close?.(POLICY_VIOLATION, 'The access token expired'))
  return timer
}

/** In a timer nobody catches: what is thrown there would end the process. */
function quietly(call: () => void): void {
  try {
    call()
  } catch {
    // The connection is the owner's; what can be done to end it was done.
  }
}
