/** The log line of a rejected request, with a limit per code against floods of 401s. */

import type { AuthErrorCode } from './errors.ts'
import type { Logger } from './options/logger.ts'
import { readMembers, readNumber } from './options/validate.ts'

/** The fields of a line. The client is that of a verified token. */
export interface Rejection {
  readonly code: AuthErrorCode
  readonly route: string | null
  readonly clientId: string | null
  readonly userPoolId: string | null
  readonly reason: string | null
}

const MINUTE_MS = 60_000

/** Lines of one code in the current minute, and lines that were suppressed since the last one. */
interface CodeCount {
  startedAt: number
  lines: number
  suppressed: number
}

/**
 * Writes the lines of one server. Each code has its own limit, so that a flood of requests without a token
 * does not hide the rejections of a client with one.
 */
export class RejectionLog {
  readonly #logger: Pick<Logger, 'info'>
  readonly #monotonicNow: () => number
  readonly #perMinute: number
  readonly #counts = new Map<AuthErrorCode, CodeCount>()

  /** @param monotonicNow Milliseconds, NaN where the clock failed. */
  constructor(logger: Pick<Logger, 'info'>, monotonicNow: () => number, perMinute: number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
    this.#perMinute = perMinute
  }

  write(rejection: Rejection): void {
    const now = this.#monotonicNow()
    const { code, route, clientId, userPoolId, reason } = rejection
    const count = this.#counts.get(code) ?? { startedAt: -Infinity, lines: 0, suppressed: 0 }
    this.#counts.set(code, count)
    // While the clock is NaN, no minute ends: the limit holds.
    if (now - count.startedAt >= MINUTE_MS) {
      count.startedAt = now
      count.lines = 0
    }
    if (count.lines >= this.#perMinute) {
      count.suppressed += 1
      return
    }
    count.lines += 1
    const { suppressed } = count
    count.suppressed = 0
    this.#logger.info(
      { code, route, clientId, userPoolId, reason, suppressed },
      'cognito-m2m: request rejected',
    )
  }
}

/**
 * @returns Lines per minute and code; undefined if rejections are not logged.
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readRejectionLog(value: unknown = false): number | undefined {
  if (value === false) return undefined
  const members = readMembers(value, ['perMinute'], 'rejectionLog')
  const limits = { defaultValue: 60, min: 1, max: 6000, unit: 'lines', integer: true }
  return readNumber(members, 'perMinute', 'rejectionLog', limits)
}
