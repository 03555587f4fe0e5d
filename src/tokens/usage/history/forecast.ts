/** `forecastUsage`: tokens and cost of a calendar month at its end. */
import { readFunction, readMembers } from '../../../core/options/validate.ts'
import { safeClock } from '../../../core/util/time.ts'
import { type Price, readPrice } from '../price.ts'
import { createClientLookup } from './clients.ts'
import { type DatedDay, readDatedDays } from './dated-days.ts'
import { formatDay, getMonthEnd, getMonthStart, SECONDS_PER_DAY } from './days.ts'
import type {
  DaySubject,
  ForecastClient,
  ForecastUsageOptions,
  UsageAmounts,
  UsageDay,
  UsageForecast,
} from './types.ts'

/** Days before today whose rate continues. A week, because many callers rest at weekends. */
const RATE_DAYS = 7
/** Shortest time of a rate, in days: a minute would scale up a few tokens to a meaningless amount. */
const MIN_RATE_DAYS = 1 / 24

interface Tokens {
  issued: number
  cached: number
}

interface Subject extends DaySubject {
  readonly monthToDate: Tokens
  readonly window: Tokens
  readonly today: Tokens
  /** First known use, in days since 1970. */
  first: number
}

/**
 * Projects the current month to its end: the tokens so far, and for the rest the rate of the last seven days. A client
 * that began later is projected from its own rate.
 *
 * @param days Days of `usage.days()`, `importUsage` or `compareUsage`.
 * @param options Price, clock, and names of clients.
 * @returns The month to date, the last month, and the forecast of the month.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const { month, forecast } = forecastUsage(await usage.days(), { price })
 * ```
 */
export function forecastUsage(
  days: readonly UsageDay[],
  options: ForecastUsageOptions = {},
): UsageForecast {
  const members = readMembers(options, [...FORECAST_OPTION_NAMES, 'price', 'now'], '')
  const price = 'price' in members ? readPrice(members['price']) : undefined
  const lookUp = createClientLookup(members['clients'], members['templates'])
  const now = safeClock(readFunction<() => number>(members, 'now') ?? Date.now)()
  const dated = readDatedDays(days, 'days')
  const last = dated.reduce((max, { at }) => Math.max(max, at), -1)
  // Records may end before now.
  const end = Math.min(now / 1000 / SECONDS_PER_DAY, last + 1)
  const forecast = buildForecast(dated, { price, lookUp, end })
  return last === -1 ? { ...forecast, month: null, at: null } : forecast
}

export const FORECAST_OPTION_NAMES = ['clients', 'templates'] as const

interface ForecastSettings {
  readonly price: Price | undefined
  readonly lookUp: ReturnType<typeof createClientLookup>
  /** End of the data, in days since 1970. */
  readonly end: number
}

export function buildForecast(
  days: readonly DatedDay[],
  { price, lookUp, end }: ForecastSettings,
): UsageForecast {
  const subjects = groupDays(days, end)
  const remaining = getMonthEnd(Math.ceil(end) - 1) + 1 - end
  const projected = subjects.map((subject) => project(subject, end, remaining))
  const total = sumTokens(projected.map(({ tokens }) => tokens))
  const forecast = toAmounts(total, price)
  const month = getMonthStart(Math.ceil(end) - 1)
  return {
    month: formatDay(month).slice(0, 7),
    at: Math.floor(end * SECONDS_PER_DAY),
    currency: price?.currency ?? null,
    monthToDate: toAmounts(sumTokens(subjects.map((it) => it.monthToDate)), price),
    lastMonth: toAmounts(sumTokens(days.filter(({ at }) => getMonthEnd(at) === month - 1)), price),
    forecast,
    clients: projected
      .map(({ subject, tokens, rate }): ForecastClient => {
        const { kind, userPoolId, clientId } = subject
        const { name, team } =
          clientId === null ? { name: null, team: null } : lookUp({ userPoolId, clientId })
        return {
          kind,
          userPoolId,
          clientId,
          name,
          team,
          issuedPerDay: rate.issued,
          cachedPerDay: rate.cached,
          ...shareAmounts(tokens, total, forecast),
        }
      })
      .sort((a, b) => b.issued - a.issued || b.cached - a.cached),
  }
}

/** @param end End of the data, in days since 1970. */
function groupDays(days: readonly DatedDay[], end: number): readonly Subject[] {
  const today = Math.ceil(end) - 1
  const month = getMonthStart(today)
  const subjects = new Map<string, Subject>()
  for (const { at, kind, userPoolId, clientId, firstUsed, ...tokens } of days) {
    if (at > today) continue
    const key = JSON.stringify([kind, userPoolId, clientId])
    const subject: Subject = subjects.get(key) ?? {
      kind,
      userPoolId,
      clientId,
      first: Number.POSITIVE_INFINITY,
      monthToDate: zero(),
      window: zero(),
      today: zero(),
    }
    subjects.set(key, subject)
    const start = firstUsed === null ? at : firstUsed / SECONDS_PER_DAY
    subject.first = Math.min(subject.first, start)
    if (at >= month) addTokens(subject.monthToDate, tokens)
    if (at >= today - RATE_DAYS && at < today) addTokens(subject.window, tokens)
    if (at === today) addTokens(subject.today, tokens)
  }
  return [...subjects.values()]
}

function project(
  subject: Subject,
  end: number,
  remaining: number,
): { subject: Subject; tokens: Tokens; rate: Tokens } {
  const { monthToDate, window, today, first } = subject
  const dayStart = Math.ceil(end) - 1
  // A client that began today or yesterday has no other whole day, so the current one is part of its rate.
  const [counted, duration] =
    first > dayStart - 1
      ? [sumTokens([window, today]), end - first]
      : [window, Math.min(RATE_DAYS, dayStart - first)]
  const days = Math.max(MIN_RATE_DAYS, duration)
  const rate = { issued: counted.issued / days, cached: counted.cached / days }
  const tokens = {
    issued: monthToDate.issued + rate.issued * remaining,
    cached: monthToDate.cached + rate.cached * remaining,
  }
  return { subject, tokens, rate }
}

const zero = (): Tokens => ({ issued: 0, cached: 0 })

function addTokens(sum: Tokens, { issued, cached }: Tokens): Tokens {
  sum.issued += issued
  sum.cached += cached
  return sum
}

function sumTokens(parts: readonly Tokens[]): Tokens {
  return parts.reduce(addTokens, zero())
}

function toAmounts({ issued, cached }: Tokens, price: Price | undefined): UsageAmounts {
  if (price === undefined) return { issued, cached, cost: null, withoutCache: null, saved: null }
  const [cost, withoutCache] = [price.cost(issued), price.cost(issued + cached)]
  return { issued, cached, cost, withoutCache, saved: withoutCache - cost }
}

/** The cost of a client is the part of its tokens, as in a history. */
function shareAmounts(tokens: Tokens, total: Tokens, amounts: UsageAmounts): UsageAmounts {
  if (amounts.cost === null || amounts.saved === null) return toAmounts(tokens, undefined)
  const cost = total.issued === 0 ? 0 : (amounts.cost * tokens.issued) / total.issued
  const saved = total.cached === 0 ? 0 : (amounts.saved * tokens.cached) / total.cached
  return { ...tokens, cost, withoutCache: cost + saved, saved }
}
