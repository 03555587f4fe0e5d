/** `createUsage`: connects event sources, counts, store and reports. */
import { type Logger, readLogger, safeLogger } from '../../core/options/logger.ts'
import {
  describeValue,
  OptionError,
  readFunction,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { safeClock } from '../../core/util/time.ts'
import { UsageAggregator } from './aggregator.ts'
import { UsageSources } from './events.ts'
import { callUsageStore, UsageWriter } from './flush.ts'
import { createClientLookup } from './history/clients.ts'
import { readDatedDays } from './history/dated-days.ts'
import { SECONDS_PER_DAY } from './history/days.ts'
import { buildForecast, FORECAST_OPTION_NAMES } from './history/forecast.ts'
import { buildHistory, HISTORY_OPTION_NAMES } from './history/history.ts'
import { toHistoryCsv, toHistoryJson } from './history/table.ts'
import type { UsageHistory, UsageHistoryOptions } from './history/types.ts'
import { type Price, readPrice } from './price.ts'
import type { UsagePrice } from './price-types.ts'
import { readCost, readDays, readReport, readSeries, toCsv, toJson } from './report.ts'
import { memoryUsageStore } from './store/memory.ts'
import { describeConnection } from './store/redis.ts'
import type { UsageStore } from './store/types.ts'
import { createTelemetry, findMetrics } from './telemetry.ts'
import type { Usage, UsageTableOptions } from './types.ts'

/**
 * The usage store could not be read within 2 s. Counting continues, and the call can be repeated.
 */
export class UsageUnavailableError extends Error {
  override readonly name = 'UsageUnavailableError'
  /** Stable across releases; the message is not. */
  readonly code = 'ERR_USAGE_UNAVAILABLE'

  constructor() {
    super('cognito-m2m: the usage store cannot be read. Check the store, then retry.')
  }
}

/** Options of {@link createUsage}. */
export interface UsageOptions {
  /** Price list of tokens. Required: prices change, so the package contains none. */
  readonly price: UsagePrice
  /**
   * Store of the counts. With `redisUsageStore` several processes share them.
   *
   * @defaultValue `memoryUsageStore()`
   */
  readonly store?: UsageStore
  /**
   * Seconds from a count to its write, from 0.1 to 60.
   *
   * @defaultValue `3`
   */
  readonly flushInterval?: number
  /**
   * Receives one line when the store fails, and one when it recovers.
   *
   * @defaultValue No logger
   */
  readonly logger?: Logger
  /**
   * Wall clock in milliseconds.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
}

const OPTION_NAMES: readonly (keyof UsageOptions)[] = [
  'price',
  'store',
  'flushInterval',
  'logger',
  'now',
]
const STORE_METHODS = ['add', 'totals', 'buckets', 'close'] as const
/** Longest write of one batch, and longest read, in milliseconds. */
const STORE_TIMEOUT_MS = 2000
/** The last second of an ECMAScript date. */
const MAX_EPOCH_SECONDS = 8.64e12

interface UsageSettings {
  readonly price: Price
  readonly store: UsageStore
  readonly intervalMs: number
  readonly logger: Logger
  readonly now: () => number
}

function readUsageOptions(options: unknown): UsageSettings {
  const members = readMembers(options, OPTION_NAMES, '')
  const price = readPrice(members['price'])
  const { store } = members
  const isStore = STORE_METHODS.every(
    (name) => typeof (store as Partial<UsageStore> | null | undefined)?.[name] === 'function',
  )
  if ('store' in members && !isStore) {
    throw new OptionError(
      'store',
      `expected a UsageStore, got ${describeConnection(store)}. Pass memoryUsageStore(), redisUsageStore({ redis }) or a custom store.`,
    )
  }
  const interval = readNumber(members, 'flushInterval', '', {
    defaultValue: 3,
    min: 0.1,
    max: 60,
    unit: 'seconds',
  })
  return {
    price,
    store: isStore ? (store as UsageStore) : memoryUsageStore(),
    intervalMs: interval * 1000,
    logger: safeLogger(readLogger(members['logger'])),
    now: safeClock(readFunction<() => number>(members, 'now') ?? Date.now),
  }
}

/**
 * Counts tokens and requests per app client. A client has a row if a signature or an issued token authenticates
 * it. Everything else is counted in one row, `unverified`.
 *
 * @param options `price` is required. `flushInterval` is in seconds.
 * @returns A frozen object. It counts nothing until a source is attached.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
 * usage.attach(app.cognito)
 * const { rows } = await usage.report()
 * ```
 */
export function createUsage(options: UsageOptions): Usage {
  const { price, store, intervalMs, logger, now } = readUsageOptions(options)
  const aggregator = new UsageAggregator()
  const writer = new UsageWriter({
    store,
    aggregator,
    logger,
    intervalMs,
    timeoutMs: STORE_TIMEOUT_MS,
  })
  const countInTelemetry = createTelemetry(findMetrics())
  const clock = createSecondsClock(now)
  const sources = new UsageSources((kind, subject, name) => {
    aggregator.add(subject, name, clock())
    writer.scheduleWrite()
    countInTelemetry(kind, subject, name)
  })

  /** Writes pending counts first, so that every report includes them. */
  async function read<Result>(query: (at: number) => Promise<Result>): Promise<Result> {
    await writer.write()
    const result = await callUsageStore(STORE_TIMEOUT_MS, () => query(clock()))
    if (result === undefined) throw new UsageUnavailableError()
    return result.value
  }

  const days: Usage['days'] = () => read((at) => readDays(store, at))
  const history = async (historyOptions: UsageHistoryOptions = {}): Promise<UsageHistory> => {
    // Reports invalid options before the store is read.
    buildHistory([], historyOptions, { price, at: clock() })
    return buildHistory(await days(), historyOptions, { price, at: clock() })
  }
  const forecast: Usage['forecast'] = async (forecastOptions = {}) => {
    const { clients, templates } = readMembers(forecastOptions, FORECAST_OPTION_NAMES, '')
    const lookUp = createClientLookup(clients, templates)
    const known = readDatedDays(await days(), 'days')
    return buildForecast(known, { price, lookUp, end: clock() / SECONDS_PER_DAY })
  }
  const report: Usage['report'] = () => read((at) => readReport(store, at))
  return Object.freeze({
    attach: (source) => sources.attach(source),
    report,
    async series(unit = 'day') {
      const validUnit = readUnit(unit)
      return read((at) => readSeries(store, validUnit, at))
    },
    days,
    history,
    forecast,
    cost: () => read((at) => readCost(store, price, at)),
    async json(table = {}) {
      const { wide, historyOptions } = readTableOptions(table)
      if (historyOptions !== undefined) return toHistoryJson(await history(historyOptions))
      return toJson(await report(), wide)
    },
    async csv(table = {}) {
      const { wide, historyOptions } = readTableOptions(table)
      if (historyOptions !== undefined) return toHistoryCsv(await history(historyOptions))
      return toCsv(await report(), wide)
    },
    status: () => ({
      sources: sources.size,
      pending: writer.size + aggregator.size,
      degraded: writer.degraded,
    }),
    async close() {
      sources.close()
      await writer.write()
      writer.stop()
      await callUsageStore(STORE_TIMEOUT_MS, () => store.close())
    },
  } satisfies Usage)
}

/** Whole epoch seconds. An invalid time of the clock is replaced by the last valid one. */
function createSecondsClock(now: () => number): () => number {
  let last = 0
  return () => {
    const seconds = Math.floor(now() / 1000)
    if (seconds >= 0 && seconds <= MAX_EPOCH_SECONDS) last = seconds
    return last
  }
}

function readUnit(unit: unknown): 'hour' | 'day' {
  if (unit === 'hour' || unit === 'day') return unit
  throw new OptionError(
    'unit',
    `expected "hour" or "day", got ${describeValue(unit)}. Pass one of the two.`,
  )
}

interface TableSettings {
  readonly wide: boolean
  /** Undefined for the report. */
  readonly historyOptions: UsageHistoryOptions | undefined
}

function readTableOptions(options: UsageTableOptions): TableSettings {
  const { wide = false, ...historyOptions } = readMembers(
    options,
    ['wide', ...HISTORY_OPTION_NAMES],
    '',
  )
  if (typeof wide !== 'boolean') {
    throw new OptionError(
      'wide',
      `expected a boolean, got ${describeValue(wide)}. Pass true or false.`,
    )
  }
  const isReport = Object.keys(historyOptions).length === 0
  if (isReport) return { wide, historyOptions: undefined }
  if (!wide) return { wide, historyOptions }
  throw new OptionError(
    'wide',
    'expected no wide report with the options of a history, got true. Remove it.',
  )
}
