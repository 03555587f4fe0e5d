/** Writes counts to the store in the background: in batches, in order, and each of them once. */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../../core/options/logger.ts'
import { withTimeout } from '../../core/util/async.ts'
import { Backoff } from '../../core/util/backoff.ts'
import type { Tally } from './aggregator.ts'
import type { UsageBatch, UsageCell, UsageStore } from './store/types.ts'

/** Cells a batch may have: some 100 KB, which no store is busy with for long. */
const MAX_BATCH = 500

/** What a writer works with. */
export interface WriterOptions {
  readonly store: UsageStore
  readonly tally: Tally
  readonly logger: Logger
  /** Milliseconds from the first count to its batch. */
  readonly interval: number
  /** Milliseconds a store may take. */
  readonly patience: number
}

/** See above. */
export class Writer {
  readonly #options: WriterOptions
  readonly #writer = randomUUID()
  readonly #backoff = new Backoff()
  #sequence = 0
  /** Taken from the tally, and not known to be written. Nothing else is taken before. */
  #batches: readonly UsageBatch[] = []
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get degraded(): boolean {
    return this.#backoff.isFailing
  }

  /** Cells that are taken and not written. */
  get size(): number {
    return this.#batches.reduce((sum, { cells }) => sum + cells.length, 0)
  }

  /** Writes soon; without a count no timer runs. */
  wake(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.write()
    }, this.#delay()).unref()
  }

  /** Writes what there is, never rejects; what could not be written is tried again later. */
  async write(): Promise<void> {
    // What was counted since the one under way began is this one's.
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

  #delay(): number {
    const { interval } = this.#options
    return this.degraded ? Math.max(interval, this.#backoff.until) : interval
  }

  async #writeAll(): Promise<void> {
    const { tally, logger } = this.#options
    try {
      await this.#drain()
      this.#batches = this.#seal(tally.take())
      await this.#drain()
      if (this.degraded) logger.info({}, 'cognito-m2m: usage is written again')
      this.#backoff.succeeded()
    } catch {
      // Nobody knows what the store's error quotes.
      if (!this.degraded) {
        const pending = this.size + tally.size
        logger.warn({ pending }, 'cognito-m2m: usage cannot be written, it is kept in memory')
      }
      // Counted from 0, `until` is the time to wait.
      this.#backoff.failed(0)
      this.wake()
    }
  }

  async #drain(): Promise<void> {
    const { store, patience } = this.#options
    while (this.#batches.length > 0) {
      const [batch, ...rest] = this.#batches as [UsageBatch, ...UsageBatch[]]
      await withTimeout(patience, store.add(batch), () => new Error('no answer in time'))
      this.#batches = rest
    }
  }

  #seal(cells: readonly UsageCell[]): UsageBatch[] {
    const batches: UsageBatch[] = []
    for (const hour of new Set(cells.map((cell) => cell.hour))) {
      const ofHour = cells.filter((cell) => cell.hour === hour)
      for (let from = 0; from < ofHour.length; from += MAX_BATCH) {
        this.#sequence += 1
        const batch = { writer: this.#writer, sequence: this.#sequence, hour }
        batches.push({ ...batch, cells: ofHour.slice(from, from + MAX_BATCH) })
      }
    }
    return batches
  }
}
