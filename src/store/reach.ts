/** Asks a store that may fail, hang or be slow: bounded, and told once when it goes on without. */
import type { Logger } from '../core/logger.ts'
import { Breaker } from './breaker.ts'

/** Milliseconds of real time that a caller may lose to a store. */
export const BOUND = 100

/**
 * Reading and writing fail apart: a full or read-only Redis still says what was invalidated, so it
 * goes on being read.
 */
export type Purpose = 'read' | 'write'

/** See the module. */
export class Reach {
  readonly #logger: Logger
  readonly #breakers: { readonly [Each in Purpose]: Breaker }
  #isDegraded = false

  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#breakers = { read: new Breaker(monotonicNow), write: new Breaker(monotonicNow) }
  }

  get isDegraded(): boolean {
    return this.#isDegraded
  }

  /** @returns Undefined where there is no answer in time, or none is waited for. */
  async ask<Answer>(
    purpose: Purpose,
    work: () => Promise<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    return this.#breakers[purpose].admits() ? this.insist(purpose, work) : undefined
  }

  /** The same, however the store is. */
  async insist<Answer>(
    purpose: Purpose,
    work: () => Promise<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const breaker = this.#breakers[purpose]
    try {
      const answer = await inTime(work)
      breaker.succeeded()
      this.#tell()
      return { answer }
    } catch (error) {
      breaker.failed()
      this.#tell(error)
      return undefined
    }
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

/** What is late is not waited for, and does not go unhandled when it fails. */
function inTime<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('TIMEOUT')), BOUND)
    const done = (): void => clearTimeout(timer)
    start(work).finally(done).then(resolve, reject)
  })
}

/** A store of somebody's own may throw instead of rejecting, or answer at once. */
async function start<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  return work()
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
