/** Asks a store that may fail, hang or be slow: bounded, and told once when it goes on without. */
import type { Logger } from '../../core/options/logger.ts'
import { Breaker } from './circuit-breaker.ts'
import { LateError } from './token-store.ts'

/** Milliseconds of real time that a caller with a copy in memory may lose to a store. */
export const COMMAND_TIMEOUT_MS = 100

/** Commands on their way to a store that is left alone. */
const MAX_UNANSWERED = 5000

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
  /** Milliseconds. Default {@link COMMAND_TIMEOUT_MS}. */
  readonly waitMs?: number
  /** Whether it goes on with a copy, so that a stalled store is not worth waiting for. Default true. */
  readonly hasCopy?: boolean
}

/** See the module. */
export class StoreCaller {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  readonly #breakers: { readonly [Each in Purpose]: Breaker }
  /** Of commands without an answer, whatever they are for: no caller waits for each kind in turn. */
  readonly #stalls: Breaker
  #isDegraded = false
  #unanswered = 0

  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
    this.#breakers = { read: new Breaker(monotonicNow), write: new Breaker(monotonicNow) }
    this.#stalls = new Breaker(monotonicNow)
  }

  get isDegraded(): boolean {
    return this.#isDegraded
  }

  /** Whether the store has failed for so long that nobody waits for it. */
  isDown(purpose: Purpose): boolean {
    return this.#stalls.isDown || this.#breakers[purpose].isDown
  }

  /** @returns Undefined where there is no answer in time, or none is waited for. */
  async ask<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
    { waitMs = COMMAND_TIMEOUT_MS, hasCopy = true }: AskOptions = {},
  ): Promise<{ readonly answer: Answer } | undefined> {
    if (!this.#admits(purpose, hasCopy)) return undefined
    const isBrief = hasCopy || this.isDown(purpose)
    return this.#send(purpose, work, isBrief ? Math.min(waitMs, COMMAND_TIMEOUT_MS) : waitMs)
  }

  /** Sends it however the store is, and waits for the answer only where {@link callHook} would. */
  async deliver<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const isAwaited = this.#admits(purpose, true)
    // A store that never answers must not fill the memory.
    if (!isAwaited && this.#unanswered >= MAX_UNANSWERED) return undefined
    this.#unanswered += 1
    const counted: Work<Answer> = async (maxDelayMs) => {
      try {
        return await work(maxDelayMs)
      } finally {
        this.#unanswered -= 1
      }
    }
    const sent = this.#send(purpose, counted, COMMAND_TIMEOUT_MS)
    return isAwaited ? sent : undefined
  }

  /** The same within {@link COMMAND_TIMEOUT_MS}, however the store is. */
  async callAlways<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    return this.#send(purpose, work, COMMAND_TIMEOUT_MS)
  }

  #admits(purpose: Purpose, hasCopy: boolean): boolean {
    const breaker = this.#stalls.isDown ? this.#stalls : this.#breakers[purpose]
    return breaker.admits(hasCopy)
  }

  async #send<Answer>(
    purpose: Purpose,
    work: Work<Answer>,
    mostMs: number,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const breaker = this.#breakers[purpose]
    const sentAt = breaker.begin()
    this.#stalls.begin()
    const waitMs = this.#stalls.limit(breaker.limit(mostMs, COMMAND_TIMEOUT_MS), COMMAND_TIMEOUT_MS)
    const succeeded = (): void => {
      const isInTime = !(this.#monotonicNow() - sentAt > COMMAND_TIMEOUT_MS)
      breaker.succeeded(isInTime)
      this.#stalls.succeeded(isInTime)
      this.#tell()
    }
    try {
      return { answer: await this.#inTime(work, sentAt, waitMs, succeeded) }
    } catch (error) {
      breaker.failed()
      // An error is an answer: a full Redis does not stall.
      if (error instanceof TimeoutError) this.#stalls.failed()
      else this.#stalls.succeeded(true)
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
        reject(new TimeoutError('TIMEOUT'))
      }, waitMs)
      const send = (maxDelayMs: number): void => {
        start(work, maxDelayMs).then(
          (answer) => {
            clearTimeout(timer)
            succeeded()
            resolve(answer)
          },
          (error: unknown) => {
            // The store's clock was set: the answer told the new time, so that the next deadline fits.
            if (error instanceof LateError && !isOver) {
              const left = sentAt + waitMs - this.#monotonicNow()
              return send(left > COMMAND_TIMEOUT_MS ? left : COMMAND_TIMEOUT_MS)
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
    const { read, write } = this.#breakers
    const isDegraded = read.isOpen || write.isOpen || this.#stalls.isDown
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

/** No answer came while it was waited for. */
class TimeoutError extends Error {}

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
