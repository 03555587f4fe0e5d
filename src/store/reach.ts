/** Asks a store that may fail, hang or be slow: bounded, and told once when it goes on without. */
import type { Logger } from '../core/logger.ts'
import { Breaker } from './breaker.ts'
import { LateError } from './late-error.ts'

/** Milliseconds of real time that a caller with a copy in memory may lose to a store. */
export const BOUND = 100

/**
 * Reading and writing fail apart: a full or read-only Redis still says what was invalidated, so it
 * goes on being read.
 */
export type Purpose = 'read' | 'write'

/**
 * One command.
 *
 * @param maxDelayMs Milliseconds for which its answer is waited for.
 */
export type Work<Answer> = (maxDelayMs: number) => Promise<Answer>

/** How long a caller waits, and what else it has. */
export interface AskOptions {
  /** Milliseconds. Default {@link BOUND}. */
  readonly waitMs?: number
  /** Whether it goes on with a copy, so that a stalled store is not worth waiting for. Default true. */
  readonly hasCopy?: boolean
}

/** See the module. */
export class Reach {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  readonly #breakers: { readonly [Each in Purpose]: Breaker }
  #isDegraded = false

  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
    this.#breakers = { read: new Breaker(monotonicNow), write: new Breaker(monotonicNow) }
  }

  get isDegraded(): boolean {
    return this.#isDegraded
  }

  /** Whether the store has failed for so long that nobody waits for it. */
  isDown(purpose: Purpose): boolean {
    return this.#breakers[purpose].isDown
  }

  /** @returns Undefined where there is no answer in time, or none is waited for. */
  async ask<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
    { waitMs = BOUND, hasCopy = true }: AskOptions = {},
  ): Promise<{ readonly answer: Answer } | undefined> {
    const breaker = this.#breakers[purpose]
    if (!breaker.admits(hasCopy)) return undefined
    const isBrief = hasCopy || breaker.isDown
    return this.#send(purpose, work, isBrief ? Math.min(waitMs, BOUND) : waitMs)
  }

  /** The same within {@link BOUND}, however the store is. */
  async insist<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    return this.#send(purpose, work, BOUND)
  }

  async #send<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
    mostMs: number,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const breaker = this.#breakers[purpose]
    const sentAt = breaker.begin()
    const waitMs = breaker.limit(mostMs, BOUND)
    const succeeded = (): void => {
      breaker.succeeded(!(this.#monotonicNow() - sentAt > BOUND))
      this.#tell()
    }
    try {
      const answer = await this.#inTime(work, sentAt, waitMs, succeeded)
      return { answer }
    } catch (error) {
      breaker.failed()
      this.#tell(error)
      return undefined
    }
  }

  /**
   * What is late is not waited for, and does not go unhandled when it fails. It still shows that the
   * store is back.
   */
  #inTime<Answer>(
    work: Work<Answer>,
    sentAt: number,
    waitMs: number,
    succeeded: () => void,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let isOver = false
      const timer = setTimeout(() => {
        isOver = true
        reject(new Error('TIMEOUT'))
      }, waitMs)
      const send = (maxDelayMs: number): void => {
        start(work, maxDelayMs).then(
          (answer) => {
            clearTimeout(timer)
            succeeded()
            resolve(answer)
          },
          (error: unknown) => {
            // The store's clock was set: its answer told the new time, so that the next deadline fits.
            if (error instanceof LateError && !isOver) {
              const left = sentAt + waitMs - this.#monotonicNow()
              return send(left > BOUND ? left : BOUND)
            }
            clearTimeout(timer)
            reject(error)
          },
        )
      }
      send(waitMs)
    })
  }

  #tell(error?: unknown): void {
    const isDegraded = this.#breakers.read.isOpen || this.#breakers.write.isOpen
    if (isDegraded === this.#isDegraded) return
    this.#isDegraded = isDegraded
    if (isDegraded) {
      this.#logger.warn(
        { reason: reasonOf(error) },
        'cognito-m2m: the token store fails: tokens are kept in memory until it is back',
      )
    } else {
      this.#logger.info({}, 'cognito-m2m: the token store is back')
    }
  }
}

/** A store of somebody's own may throw instead of rejecting, or answer at once. */
async function start<Answer>(work: Work<Answer>, maxDelayMs: number): Promise<Answer> {
  return work(maxDelayMs)
}

/**
 * A code (`ECONNREFUSED`) or the word Redis puts first (`OOM`, `READONLY`, `NOAUTH`), never a message:
 * clients put commands with their values into errors.
 */
function reasonOf(error: unknown): string {
  try {
    return wordOf(error)
  } catch {
    // An error of somebody's own may throw when it is looked at.
    return 'unknown'
  }
}

function wordOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  const words = [code, typeof message === 'string' ? message.split(' ', 1)[0] : undefined]
  const word = words.find((one) => typeof one === 'string' && /^[A-Z][A-Z_]{1,31}$/.test(one))
  return typeof word === 'string' ? word : 'unknown'
}
