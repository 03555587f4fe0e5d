/** Closes connections that outlive a request (websockets, server-sent events) when their token expires. */

import { OptionError } from './options/validate.ts'
import { notAfter } from './token/claims.ts'
import type { VerifiedToken } from './token/verified-token.ts'
import { safeClock } from './util/time.ts'

/** RFC 6455 section 7.4.1: the peer violates a policy. */
const POLICY_VIOLATION = 1008
/** How long a websocket's closing handshake may take. */
const CLOSE_TIMEOUT_MS = 1000
/** `readyState` of a websocket. */
const CLOSED = 3
/** Longest delay between two looks at the clock: a wall clock may step, and a laptop may sleep. */
const MAX_DELAY_MS = 60_000

/** A websocket of `ws`, or a Node.js object with `destroy()`: a response, a socket, a stream. */
export interface ClosableConnection {
  once(event: 'close', listener: () => void): unknown
  readonly destroyed?: boolean
  /** 3 is closed. */
  readonly readyState?: number | string
  close?(code: number, reason: string): unknown
  terminate?(): unknown
  destroy?(): unknown
}

/** The clock that decides whether a token has expired. */
export interface ExpiryClock {
  /** Seconds. */
  readonly clockTolerance: number
  /** Wall clock, milliseconds. */
  readonly now: () => number
}

/**
 * Closes a connection when its token expires: `ResourceServer.closeOnExpiry` with its clock.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a connection that cannot be closed.
 */
export function closeOnExpiry(
  token: VerifiedToken,
  connection: ClosableConnection,
  { clockTolerance, now }: ExpiryClock,
): void {
  if (!isClosable(connection)) {
    throw new OptionError(
      'connection',
      'expected a WebSocket, response or socket, got a value that cannot be closed. Pass the connection of the request.',
    )
  }
  if (connection.destroyed === true || connection.readyState === CLOSED) return
  let timer: NodeJS.Timeout | undefined
  const checkExpiry = (): void => {
    // Every token counts as expired while the clock returns NaN.
    const seconds = safeClock(now)() / 1000
    if (seconds < notAfter(token.expiresAt, clockTolerance)) {
      const remainingMs = (token.expiresAt + clockTolerance - seconds) * 1000
      timer = setTimeout(checkExpiry, Math.min(MAX_DELAY_MS, Math.max(1, remainingMs))).unref()
    } else timer = close(connection)
  }
  connection.once('close', () => clearTimeout(timer))
  checkExpiry()
}

/** Rejects a request: destroying one whose body was read closes nothing, and it has emitted `close`. */
function isClosable(connection: unknown): boolean {
  const { once, terminate, destroy, rawHeaders } = Object(connection) as Record<string, unknown>
  const canClose = typeof terminate === 'function' || typeof destroy === 'function'
  return canClose && typeof once === 'function' && rawHeaders === undefined
}

/** A response is destroyed as if the caller disconnected: writing to an ended one is an error. */
function close(connection: ClosableConnection): NodeJS.Timeout | undefined {
  if (typeof connection.terminate !== 'function') {
    ignoreErrors(() => connection.destroy?.())
    return undefined
  }
  const timer = setTimeout(
    () => ignoreErrors(() => connection.terminate?.()),
    CLOSE_TIMEOUT_MS,
  ).unref()
  ignoreErrors(() => connection.close?.(POLICY_VIOLATION, 'The access token expired'))
  return timer
}

/** An error thrown in a timer would end the process. */
function ignoreErrors(call: () => void): void {
  try {
    call()
  } catch {
    // The connection belongs to the app. Nothing more can be done to close it.
  }
}
