/** Counts who asks how often: ties sources, counts, store and what is read of them together. */
import { type Logger, readLogger, safeLogger } from '../../core/options/logger.ts'
import {
  describeValue,
  OptionError,
  readFunction,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { withTimeout } from '../../core/util/async.ts'
import { safeClock } from '../../core/util/clock.ts'
import { Tally } from './aggregator.ts'
import { Sources } from './events.ts'
import { Writer } from './flush.ts'
import { type Price, readPrice } from './price.ts'
import { readCost, readReport, readSeries, toCsv, toJson } from './report.ts'
import { memoryUsageStore } from './store/memory.ts'
import type { UsageStore } from './store/types.ts'
import { findMetrics, telemetryOf } from './telemetry.ts'
import type { Usage, UsagePrice, UsageTableOptions } from './types.ts'
import { UsageUnavailableError } from './unavailable.ts'

/** Options of {@link createUsage}. */
export interface UsageOptions {
  /** What tokens cost. Required: prices change, and none is built in. */
  readonly price: UsagePrice
  /** Default: `memoryUsageStore()`. With `redisUsageStore` several processes add up. */
  readonly store?: UsageStore
  /** Seconds from a count to its being written, 0.1 to 60, default 3. */
  readonly flushInterval?: number
  /** Told once when the store fails, and once when it is well again. Default: none. */
  readonly logger?: Logger
  /** Wall clock in milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

const MEMBERS: readonly (keyof UsageOptions)[] = [
  'price',
  'store',
  'flushInterval',
  'logger',
  'now',
]
const STORE_METHODS = ['add', 'totals', 'buckets', 'close'] as const
/** Milliseconds a store may take, for writing a batch or for all of a reading. */
const PATIENCE = 2000
/** Later there are no dates. */
const LAST_SECOND = 8.64e12

interface Read {
  readonly price: Price
  readonly store: UsageStore
  readonly interval: number
  readonly logger: Logger
  readonly now: () => number
}

function readUsageOptions(options: unknown): Read {
  const members = readMembers(options, MEMBERS, '')
  const price = readPrice(members['price'])
  const { store } = members
  const isStore = STORE_METHODS.every(
    (name) => typeof (store as Partial<UsageStore> | null | undefined)?.[name] === 'function',
  )
  if ('store' in members && !isStore) {
    throw new OptionError(
      'store',
      `is ${describeValue(store)}: pass memoryUsageStore(), redisUsageStore({ redis }) or a UsageStore`,
    )
  }
  const interval = readNumber(members, 'flushInterval', '', {
    ...{ defaultValue: 3, min: 0.1, max: 60, unit: 'seconds' },
  })
  return {
    price,
    store: isStore ? (store as UsageStore) : memoryUsageStore(),
    interval: interval * 1000,
    logger: safeLogger(readLogger(members['logger'])),
    now: safeClock(readFunction<() => number>(members, 'now') ?? Date.now),
  }
}

/**
 * Counts tokens and requests per app client. Only clients proven by a signature or by a token that was
 * issued to them have rows; everything else is one row, `unverified`.
 *
 * ```ts
 * const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
 * usage.attach(app.cognito)
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createUsage(options: UsageOptions): Usage {
  const { price, store, interval, logger, now } = readUsageOptions(options)
  const tally = new Tally()
  const writer = new Writer({ store, tally, logger, interval, patience: PATIENCE })
  const tell = telemetryOf(findMetrics())
  const clock = secondsOf(now)
  const sources = new Sources((kind, subject, name) => {
    tally.add(subject, name, clock())
    writer.wake()
    tell(kind, subject, name)
  })

  /** What is still to be written is part of every answer. */
  async function read<Answer>(ask: (at: number) => Promise<Answer>): Promise<Answer> {
    await writer.write()
    try {
      return await withTimeout(PATIENCE, ask(clock()), () => new UsageUnavailableError())
    } catch {
      throw new UsageUnavailableError()
    }
  }

  const report: Usage['report'] = () => read((at) => readReport(store, at))
  return Object.freeze({
    attach: (source) => sources.attach(source),
    report,
    async series(unit = 'day') {
      const checked = readUnit(unit)
      return read((at) => readSeries(store, checked, at))
    },
    cost: () => read((at) => readCost(store, price, at)),
    async json(table = {}) {
      const wide = isWide(table)
      return toJson(await report(), wide)
    },
    async csv(table = {}) {
      const wide = isWide(table)
      return toCsv(await report(), wide)
    },
    status: () => ({
      sources: sources.size,
      pending: writer.size + tally.size,
      degraded: writer.degraded,
    }),
    async close() {
      sources.close()
      await writer.write()
      writer.stop()
      await withTimeout(PATIENCE, (async () => store.close())()).catch(() => {})
    },
  } satisfies Usage)
}

/** Whole epoch seconds; the last known ones while the owner's clock tells no time. */
function secondsOf(now: () => number): () => number {
  let last = 0
  return () => {
    const seconds = Math.floor(now() / 1000)
    if (seconds >= 0 && seconds <= LAST_SECOND) last = seconds
    return last
  }
}

function readUnit(unit: unknown): 'hour' | 'day' {
  if (unit === 'hour' || unit === 'day') return unit
  throw new OptionError('unit', `is ${describeValue(unit)}: use "hour" or "day"`)
}

function isWide(options: UsageTableOptions): boolean {
  const { wide = false } = readMembers(options, ['wide'], '')
  if (typeof wide === 'boolean') return wide
  throw new OptionError('wide', `is ${describeValue(wide)}: pass true or false`)
}
