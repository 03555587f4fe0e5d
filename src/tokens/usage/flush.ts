/** Writes counts to the store in the background, in batches and in order. Each batch counts once. */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../../core/options/logger.ts'
import { Backoff } from '../../core/util/backoff.ts'
import { withTimeout } from '../../core/util/time.ts'
import type { UsageAggregator } from './aggregator.ts'
import type { UsageBatch, UsageCell, UsageStore } from './store/types.ts'

/** Cells of a batch, about 100 KB. A larger batch would block the store for longer. */
const MAX_BATCH = 500

/**
 * Calls a store that may reject, throw or never respond.
 *
 * @returns Undefined if the call failed or timed out.
 */
export async function callUsageStore<Value>(
  timeoutMs: number,
  call: () => Promise<Value>,
): Promise<{ readonly value: Value } | undefined> {
  const attempt = async (): Promise<{ readonly value: Value } | undefined> => {
    try {
      return { value: await call() }
    } catch {
      return undefined
    }
  }
  return withTimeout(timeoutMs, attempt())
}

/** Options of {@link UsageWriter}. */
export interface UsageWriterOptions {
  readonly store: UsageStore
  readonly aggregator: UsageAggregator
  readonly logger: Logger
  /** Milliseconds from the first count to its batch. */
  readonly intervalMs: number
  /** Longest wait for one command of the store. */
  readonly timeoutMs: number
}

/** Writes the counts of a {@link UsageAggregator} to a store, with exponential backoff. */
export class UsageWriter {
  readonly #options: UsageWriterOptions
  readonly #id = randomUUID()
  readonly #backoff = new Backoff()
  #sequence = 0
  /** Drained from the aggregator and not confirmed. The aggregator is drained again once these are written. */
  #batches: readonly UsageBatch[] = []
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: UsageWriterOptions) {
    this.#options = options
  }

  get degraded(): boolean {
    return this.#backoff.isFailing
  }

  /** Cells of batches that are not written yet. */
  get size(): number {
    return this.#batches.reduce((sum, { cells }) => sum + cells.length, 0)
  }

  /** Schedules a write. Without a count no timer runs. */
  scheduleWrite(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.write()
    }, this.#delayMs()).unref()
  }

  /** Writes all counts. Never rejects: a batch that fails is retried later. */
  async write(): Promise<void> {
    // A write in flight does not include counts since its start.
    await this.#writing
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #delayMs(): number {
    const { intervalMs } = this.#options
    return this.degraded ? Math.max(intervalMs, this.#backoff.until) : intervalMs
  }

  async #writeAll(): Promise<void> {
    const { aggregator, logger } = this.#options
    try {
      await this.#writePending()
      this.#batches = this.#toBatches(aggregator.drain())
      await this.#writePending()
      if (this.degraded) logger.info({}, 'cognito-m2m: the usage store recovered')
      this.#backoff.succeeded()
    } catch {
      // The error is not logged: its message may quote counts or credentials.
      if (!this.degraded) {
        const pending = this.size + aggregator.size
        logger.warn({ pending }, 'cognito-m2m: the usage store failed; counts are kept in memory')
      }
      // With 0 as the current time, `until` is the delay.
      this.#backoff.failed(0)
      this.scheduleWrite()
    }
  }

  async #writePending(): Promise<void> {
    const { store, timeoutMs } = this.#options
    while (this.#batches.length > 0) {
      const [batch, ...rest] = this.#batches as [UsageBatch, ...UsageBatch[]]
      const written = await callUsageStore(timeoutMs, () => store.add(batch))
      if (written === undefined) throw new Error('The usage store did not accept the batch')
      this.#batches = rest
    }
  }

  #toBatches(cells: readonly UsageCell[]): UsageBatch[] {
    const batches: UsageBatch[] = []
    for (const hour of new Set(cells.map((cell) => cell.hour))) {
      const hourCells = cells.filter((cell) => cell.hour === hour)
      for (let from = 0; from < hourCells.length; from += MAX_BATCH) {
        this.#sequence += 1
        batches.push({
          writer: this.#id,
          sequence: this.#sequence,
          hour,
          cells: hourCells.slice(from, from + MAX_BATCH),
        })
      }
    }
    return batches
  }
}
