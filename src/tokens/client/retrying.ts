/** Trying again while that may help, a bounded number of times in a bounded time. */
import { TokenClientError } from './errors.ts'

/** Requests of one flight. */
const ATTEMPTS = 4
/** Milliseconds after which none is begun, waiting included. */
const TOTAL = 12_000
/** Milliseconds of the first step; each is twice the one before. */
const FIRST_STEP = 200
/** Longest Retry-After that is waited for, in milliseconds; what is longer counts for the backoff. */
const LONGEST_WAIT = 5000

/** The world outside. */
export interface Retrying {
  /** Milliseconds that never run back. */
  readonly elapsed: () => number
  /** Settles after so many milliseconds, or rejects with the signal's end. */
  readonly wait: (milliseconds: number) => Promise<unknown>
}

/**
 * Tries until it succeeds, fails for good, or has to give up: then the last error is thrown.
 *
 * A step is between half of it and the whole, so that a fleet does not come back at once.
 */
export async function retrying<Value>(
  attempt: () => Promise<Value>,
  { elapsed, wait }: Retrying,
): Promise<Value> {
  const begun = elapsed()
  const next = async (tried: number): Promise<Value> => {
    try {
      return await attempt()
    } catch (error) {
      const pause = pauseBefore(error, tried)
      if (tried === ATTEMPTS || pause === undefined || elapsed() - begun + pause > TOTAL) {
        throw error
      }
      await wait(pause)
    }
    return next(tried + 1)
  }
  return next(1)
}

/** Undefined where asking again would get the same answer. */
function pauseBefore(error: unknown, tried: number): number | undefined {
  if (!(error instanceof TokenClientError)) return undefined
  const passing =
    error.code === 'ERR_TOKEN_REQUEST_NETWORK' ||
    error.code === 'ERR_TOKEN_REQUEST_TIMEOUT' ||
    error.code === 'ERR_TOKEN_REQUEST_STATUS'
  if (!passing) return undefined
  const step = FIRST_STEP * 2 ** (tried - 1)
  const asked = Math.min(LONGEST_WAIT, (error.retryAfter ?? 0) * 1000)
  return Math.max(asked, step * (0.5 + Math.random() * 0.5))
}
