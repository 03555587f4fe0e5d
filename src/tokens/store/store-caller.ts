/** Calls to a store that may fail, hang or be slow: bounded, with one log line per outage. Also writes to retry. */
import type { Logger } from '../../core/options/logger.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { LateError } from './token-store.ts'

/** Milliseconds of real time that a caller with a copy in memory waits for the store. */
export const COMMAND_TIMEOUT_MS = 100

/** Most commands in flight to a store that is down. */
const MAX_PENDING_COMMANDS = 5000

/**
 * Reads and writes have separate circuit breakers. A full or read-only Redis still returns invalidations, so reads
 * continue.
 */
export type Purpose = 'read' | 'write'

/**
 * One command.
 *
 * @param maxDelayMs Milliseconds that the caller waits for the response.
 */
export type StoreCommand<Answer> = (maxDelayMs: number) => Promise<Answer>

/** How long a caller waits, and whether it has a copy. */
export interface CallOptions {
  /** Milliseconds. Default {@link COMMAND_TIMEOUT_MS}. */
  readonly waitMs?: number
  /** Whether the caller can continue with a copy, so that it does not wait for a stalled store. Default true. */
  readonly hasCopy?: boolean
}

/** Calls a store through circuit breakers, and logs when it fails and when it recovers. */
export class StoreCaller {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  readonly #breakers: { readonly [Each in Purpose]: CircuitBreaker }
  /** Counts commands without a response, reads and writes together: a caller must not wait for each kind in turn. */
  readonly #stalls: CircuitBreaker
  #isDegraded = false
  #pending = 0

  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
    this.#breakers = {
      read: new CircuitBreaker(monotonicNow),
      write: new CircuitBreaker(monotonicNow),
    }
    this.#stalls = new CircuitBreaker(monotonicNow)
  }

  get isDegraded(): boolean {
    return this.#isDegraded
  }

  /** Whether the store has failed for so long that no caller waits for it. */
  isDown(purpose: Purpose): boolean {
    return this.#stalls.isDown || this.#breakers[purpose].isDown
  }

  /** @returns Undefined without a response in time, or if the circuit breaker is open. */
  async call<Answer>(
    purpose: Purpose,
    command: StoreCommand<Answer>,
    { waitMs = COMMAND_TIMEOUT_MS, hasCopy = true }: CallOptions = {},
  ): Promise<{ readonly answer: Answer } | undefined> {
    if (!this.#admits(purpose, hasCopy)) return undefined
    const isBrief = hasCopy || this.isDown(purpose)
    return this.#callWithin(
      purpose,
      command,
      isBrief ? Math.min(waitMs, COMMAND_TIMEOUT_MS) : waitMs,
    )
  }

  /** Sends a command even if the store is down. Waits for the response only if {@link call} would. */
  async send<Answer>(
    purpose: Purpose,
    command: StoreCommand<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const isAwaited = this.#admits(purpose, true)
    // A store that never responds must not fill the memory.
    if (!isAwaited && this.#pending >= MAX_PENDING_COMMANDS) return undefined
    this.#pending += 1
    const counted: StoreCommand<Answer> = async (maxDelayMs) => {
      try {
        return await command(maxDelayMs)
      } finally {
        this.#pending -= 1
      }
    }
    const sent = this.#callWithin(purpose, counted, COMMAND_TIMEOUT_MS)
    return isAwaited ? sent : undefined
  }

  /** Calls the store even if it is down, for at most {@link COMMAND_TIMEOUT_MS}. */
  async callAlways<Answer>(
    purpose: Purpose,
    command: StoreCommand<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    return this.#callWithin(purpose, command, COMMAND_TIMEOUT_MS)
  }

  #admits(purpose: Purpose, hasCopy: boolean): boolean {
    const breaker = this.#stalls.isDown ? this.#stalls : this.#breakers[purpose]
    return breaker.admits(hasCopy)
  }

  async #callWithin<Answer>(
    purpose: Purpose,
    command: StoreCommand<Answer>,
    maxWaitMs: number,
  ): Promise<{ readonly answer: Answer } | undefined> {
    const breaker = this.#breakers[purpose]
    const sentAt = breaker.begin()
    this.#stalls.begin()
    const waitMs = this.#stalls.limit(
      breaker.limit(maxWaitMs, COMMAND_TIMEOUT_MS),
      COMMAND_TIMEOUT_MS,
    )
    const succeeded = (): void => {
      const isInTime = !(this.#monotonicNow() - sentAt > COMMAND_TIMEOUT_MS)
      breaker.succeeded(isInTime)
      this.#stalls.succeeded(isInTime)
      this.#updateDegraded()
    }
    try {
      return { answer: await this.#callUntil(command, sentAt, waitMs, succeeded) }
    } catch (error) {
      breaker.failed()
      // An error is a response: a full Redis does not stall.
      if (error instanceof TimeoutError) this.#stalls.failed()
      else this.#stalls.succeeded(true)
      this.#updateDegraded(error)
      return undefined
    }
  }

  /**
   * Calls the store with a timeout. A late rejection is handled. A late response still shows that the store has
   * recovered.
   */
  #callUntil<Answer>(
    command: StoreCommand<Answer>,
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
        startCommand(command, maxDelayMs).then(
          (answer) => {
            clearTimeout(timer)
            succeeded()
            resolve(answer)
          },
          (error: unknown) => {
            // The store's clock was set. The response contained the new time, so the next deadline is correct.
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

  #updateDegraded(error?: unknown): void {
    const { read, write } = this.#breakers
    const isDegraded = read.isOpen || write.isOpen || this.#stalls.isDown
    if (isDegraded === this.#isDegraded) return
    this.#isDegraded = isDegraded
    if (isDegraded) {
      this.#logger.warn(
        { reason: describeReason(error) },
        'cognito-m2m: the token store fails: tokens are kept in memory until it is back',
      )
    } else {
      this.#logger.info({}, 'cognito-m2m: the token store is back')
    }
  }
}

/** No response came in time. */
class TimeoutError extends Error {}

/** A custom store may throw instead of rejecting, or return a value that is not a promise. */
async function startCommand<Answer>(
  command: StoreCommand<Answer>,
  maxDelayMs: number,
): Promise<Answer> {
  return command(maxDelayMs)
}

/**
 * A code (`ECONNREFUSED`), the first word of a Redis error (`OOM`, `READONLY`, `NOAUTH`), or the name of an exception of
 * AWS (`ResourceNotFoundException`). Never a message: clients put commands with their values into errors.
 */
function describeReason(error: unknown): string {
  try {
    return readErrorWord(error)
  } catch {
    // The members of a foreign error may be getters that throw.
    return 'unknown'
  }
}

function readErrorWord(error: unknown): string {
  const { code, message, name } = (error ?? {}) as Readonly<Record<string, unknown>>
  const word = typeof message === 'string' ? message.split(' ', 1)[0] : undefined
  if (isMatch(code, WORD)) return code
  if (isMatch(word, WORD)) return word
  return isMatch(name, EXCEPTION) ? name : 'unknown'
}

const WORD = /^[A-Z][A-Z_]{1,31}$/
/** Names of exceptions of AWS, and the SDK's for missing credentials. */
const EXCEPTION = /^[A-Z][A-Za-z]{1,62}(?:Exception|ProviderError)$/

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

/** Most writes of one kind that wait for the store. */
const MAX_PENDING_WRITES = 10_000

/** Writes to retry once the store recovers. At most {@link MAX_PENDING_WRITES}, the oldest dropped first. */
export class PendingWrites {
  readonly #writes = new Map<string, () => Promise<void>>()

  add(key: string, write: () => Promise<void>): void {
    this.#writes.set(key, write)
    if (this.#writes.size <= MAX_PENDING_WRITES) return
    for (const first of this.#writes.keys()) {
      this.#writes.delete(first)
      break
    }
  }

  has(key: string): boolean {
    return this.#writes.has(key)
  }

  keys(): readonly string[] {
    return [...this.#writes.keys()]
  }

  /** Runs the write and removes it, unless another one was added under its key. Rejects if the write does. */
  async write(key: string): Promise<void> {
    const write = this.#writes.get(key)
    await write?.()
    if (this.#writes.get(key) === write) this.#writes.delete(key)
  }
}
