/** Connections that outlive a request (websockets, server-sent events) end with their token. */
import { isLive } from './claims.ts'
import { OptionError } from './option-error.ts'
import type { VerifiedToken } from './verified-token.ts'

/** RFC 6455 section 7.4.1: the peer violates a policy. */
const POLICY_VIOLATION = 1008
/** How long a websocket may take to say goodbye, in milliseconds. */
const GRACE = 1000
/** Longest sleep, in milliseconds: a wall clock that steps or a laptop that sleeps is noticed then. */
const LOOK_AGAIN = 60_000

/** A websocket of `ws`, or anything of Node's that can be destroyed: a response, a socket, a stream. */
export interface LongConnection {
  once(event: 'close', listener: () => void): unknown
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

/** See `ResourceServer.endAtExpiry`. */
export function endAtExpiry(
  token: VerifiedToken,
  connection: LongConnection,
  { clockTolerance, now }: ExpiryClock,
): void {
  if (typeof connection.terminate !== 'function' && typeof connection.destroy !== 'function') {
    throw new OptionError('connection', 'cannot be ended: pass a websocket, response or socket')
  }
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const seconds = now() / 1000
    if (!isLive(token.expiresAt, clockTolerance, seconds)) {
      timer = end(connection)
      return
    }
    const left = (token.expiresAt + clockTolerance - seconds) * 1000
    timer = setTimeout(look, Math.min(LOOK_AGAIN, Math.max(1, left))).unref()
  }
  connection.once('close', () => clearTimeout(timer))
  look()
}

/** A response is destroyed as by a caller that hangs up: writing to one that ended is an error. */
function end(connection: LongConnection): NodeJS.Timeout | undefined {
  if (typeof connection.terminate !== 'function') {
    connection.destroy?.()
    return undefined
  }
  connection.close?.(POLICY_VIOLATION, 'The access token expired')
  return setTimeout(() => connection.terminate?.(), GRACE).unref()
}
