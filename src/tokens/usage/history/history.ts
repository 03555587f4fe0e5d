/** `createUsageHistory`: usage by day or month, with the cost of each row. */

import { getRegion } from '../../../core/options/partitions.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readFunction,
  readList,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { safeClock } from '../../../core/util/time.ts'
import { type Price, readPrice } from '../price.ts'
import { createClientLookup, type KnownClient } from './clients.ts'
import { type DatedDay, readDatedDays } from './dated-days.ts'
import {
  type DayRange,
  formatDay,
  getMonthEnd,
  parseDay,
  pickTime,
  readDayRange,
  SECONDS_PER_DAY,
} from './days.ts'
import { listNotes } from './notes.ts'
import type {
  CreateUsageHistoryOptions,
  UsageAmounts,
  UsageDay,
  UsageGroup,
  UsageHistory,
  UsageHistoryOptions,
  UsageHistoryRow,
  UsagePeak,
  UsagePeriod,
} from './types.ts'

/** Cognito's quota of token requests a second, for an account and Region. It is not adjustable. */
const DEFAULT_QUOTA = 150

/** Names of `UsageHistoryOptions`. */
export const HISTORY_OPTION_NAMES: readonly (keyof UsageHistoryOptions)[] = [
  ...(['from', 'to', 'by', 'group'] as const),
  ...(['clients', 'templates', 'peaks', 'quota'] as const),
]
const GROUPS = new Set<unknown>(['client', 'pool', 'region', 'resourceServer', 'team', 'total'])
const MAX_TAG_LENGTH = 256

type Grouping = Pick<
  UsageHistoryRow,
  'group' | 'kind' | 'userPoolId' | 'region' | 'clientId' | 'name' | 'team' | 'tags'
>

/** Tokens and costs of a calendar month: tiers apply to its tokens together. */
interface Tokens {
  issued: number
  cached: number
}

interface Settings extends Pricing {
  readonly by: 'day' | 'month'
  readonly group: UsageGroup
  readonly range: DayRange | undefined
  readonly lookUp: ReturnType<typeof createClientLookup>
  readonly quota: number
  readonly peaks: readonly UsagePeak[]
}

/**
 * Adds up days by period and group, and distributes the cost of each calendar month by tokens. The tiers of a price
 * apply to all known tokens of a month, also those outside of the range.
 *
 * @param days From `usage.days()`, `importUsage` or `readUsageDays`. Days of several sources must not overlap.
 * @param options `price`, range, grouping and names of clients.
 * @returns Rows, periods and totals.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const { days, peaks } = await importUsage(['logs'])
 * const { rows, total } = createUsageHistory(days, { price, peaks, by: 'month', group: 'team', clients })
 * ```
 */
export function createUsageHistory(
  days: readonly UsageDay[],
  options: CreateUsageHistoryOptions = {},
): UsageHistory {
  const { price, now, ...members } = readMembers(
    options,
    [...HISTORY_OPTION_NAMES, 'price', 'now'],
    '',
  )
  const clock = safeClock(readFunction<() => number>({ now }, 'now') ?? Date.now)
  return buildHistory(days, members, {
    price: price === undefined ? undefined : readPrice(price),
    at: Math.floor(clock() / 1000),
  })
}

/** Price list and time of a history. */
interface Pricing {
  readonly price: Price | undefined
  /** Epoch seconds. */
  readonly at: number
}

/** @param options `UsageHistoryOptions`. */
export function buildHistory(
  days: readonly UsageDay[],
  options: unknown,
  pricing: Pricing,
): UsageHistory {
  const dated = readDatedDays(days, 'days')
  const settings = readSettings(options, dated, pricing)
  const { range, by, group, price, quota, peaks, at } = settings
  const getAmounts = distributeCost(dated, price)
  const inside = dated.filter((it) => isInside(it.at, range))
  const rows = createRows(inside, settings, getAmounts)
  const periods = listPeriods(settings, rows)
  return {
    at,
    from: range === undefined ? null : formatDay(range.first),
    to: range === undefined ? null : formatDay(range.last),
    by,
    group,
    currency: price?.currency ?? null,
    priceAsOf: price?.asOf ?? null,
    rows,
    periods,
    total: addAmounts(periods, price),
    quota: {
      perSecond: quota,
      peaks: peaks
        .filter(({ day }) => isInside(parseDay(day) as number, range))
        .sort((a, b) => compareText(a.region, b.region) || compareText(a.day, b.day)),
    },
    notes: listNotes({ price, at, subjects: inside }),
  }
}

function readSettings(options: unknown, days: readonly DatedDay[], pricing: Pricing): Settings {
  const members = readMembers(options, HISTORY_OPTION_NAMES, '')
  const { clients, templates, peaks = [] } = members
  return {
    ...pricing,
    by: readBy(members),
    group: readGroup(members),
    range: readDayRange(members, findRange(days)),
    lookUp: createClientLookup(clients, templates),
    quota: readNumber(members, 'quota', '', {
      defaultValue: DEFAULT_QUOTA,
      min: 1,
      max: 1e6,
      unit: 'requests',
    }),
    peaks: readPeaks(peaks),
  }
}

function readPeaks(value: unknown): readonly UsagePeak[] {
  const peaks = readList(value, 'peaks', (it) => Object(it) as UsagePeak)
  if (peaks?.every(({ day }) => typeof day === 'string')) return peaks
  throw new OptionError(
    'peaks',
    `expected an array of peaks, got ${describeValue(value)}. Pass the peaks of importUsage().`,
  )
}

function readBy({ by = 'month' }: Members): 'day' | 'month' {
  if (by === 'day' || by === 'month') return by
  throw new OptionError(
    'by',
    `expected "day" or "month", got ${describeValue(by)}. Pass one of the two.`,
  )
}

function readGroup({ group = 'client' }: Members): UsageGroup {
  const isTag = typeof group === 'string' && /^tag:./s.test(group) && group.length <= MAX_TAG_LENGTH
  if (isTag || GROUPS.has(group)) return group as UsageGroup
  throw new OptionError(
    'group',
    `expected ${[...GROUPS].join(', ')} or tag:NAME, got ${describeValue(group)}. Pass one of them.`,
  )
}

function findRange(days: readonly DatedDay[]): DayRange | undefined {
  let [first, last] = [Number.POSITIVE_INFINITY, 0]
  for (const { at } of days) {
    first = Math.min(first, at)
    last = Math.max(last, at)
  }
  return days.length === 0 ? undefined : { first, last }
}

function isInside(day: number, range: DayRange | undefined): boolean {
  return range !== undefined && day >= range.first && day <= range.last
}

type GetAmounts = (month: number, tokens: Tokens) => UsageAmounts

/** The part of a month's cost is the part of its tokens, so that all parts add up to the bill. */
function distributeCost(days: readonly DatedDay[], price: Price | undefined): GetAmounts {
  const months = new Map<number, Tokens>()
  for (const { at, issued, cached } of days) {
    const month = getMonthEnd(at)
    const tokens = months.get(month) ?? { issued: 0, cached: 0 }
    tokens.issued += issued
    tokens.cached += cached
    months.set(month, tokens)
  }
  return (month, { issued, cached }) => {
    if (price === undefined) return { issued, cached, cost: null, withoutCache: null, saved: null }
    const all = months.get(month) as Tokens
    const monthCost = price.cost(all.issued)
    const monthSaved = price.cost(all.issued + all.cached) - monthCost
    const cost = issued === 0 ? 0 : (monthCost * issued) / all.issued
    const saved = cached === 0 ? 0 : (monthSaved * cached) / all.cached
    return { issued, cached, cost, withoutCache: cost + saved, saved }
  }
}

interface RowTokens extends Tokens {
  readonly grouping: Grouping
  readonly periodEnd: number
  readonly servers: Set<string>
  readonly month: number
  firstUsed: number | null
  lastUsed: number | null
}

function createRows(
  days: readonly DatedDay[],
  { by, group, lookUp }: Settings,
  getAmounts: GetAmounts,
): readonly UsageHistoryRow[] {
  const rows = new Map<string, RowTokens>()
  const findGroup = createGroupCache(group, lookUp)
  for (const day of days) {
    const { key, grouping, servers } = findGroup(day)
    const month = getMonthEnd(day.at)
    const periodEnd = by === 'day' ? day.at : month
    const rowKey = `${periodEnd} ${key}`
    const row: RowTokens = rows.get(rowKey) ?? {
      grouping,
      periodEnd,
      month,
      issued: 0,
      cached: 0,
      firstUsed: null,
      lastUsed: null,
      servers: new Set(),
    }
    rows.set(rowKey, row)
    row.issued += day.issued
    row.cached += day.cached
    row.firstUsed = pickTime(Math.min, row.firstUsed, day.firstUsed)
    row.lastUsed = pickTime(Math.max, row.lastUsed, day.lastUsed)
    for (const server of servers) row.servers.add(server)
  }
  const sorted = [...rows.values()].sort(
    (a, b) =>
      a.periodEnd - b.periodEnd ||
      b.issued - a.issued ||
      b.cached - a.cached ||
      compareText(a.grouping.group ?? '', b.grouping.group ?? ''),
  )
  return sorted.map(({ grouping, periodEnd, month, servers, firstUsed, lastUsed, ...tokens }) => ({
    ...describePeriod(periodEnd, by),
    ...grouping,
    resourceServers: [...servers].sort(),
    ...getAmounts(month, tokens),
    firstUsed,
    lastUsed,
  }))
}

interface FoundGroup {
  readonly key: string
  readonly grouping: Grouping
  readonly servers: readonly string[]
}

/** Caches by subject: a client has a row of data for each day. */
function createGroupCache(
  group: UsageGroup,
  lookUp: Settings['lookUp'],
): (day: UsageDay) => FoundGroup {
  const cache = new Map<string, FoundGroup>()
  return (day) => {
    const { kind, userPoolId, clientId, resourceServers } = day
    const subject = JSON.stringify([kind, userPoolId, clientId, resourceServers])
    const cached = cache.get(subject)
    if (cached !== undefined) return cached
    const known: KnownClient =
      clientId === null
        ? { name: null, team: null, tags: {}, resourceServers: [] }
        : lookUp({ userPoolId, clientId })
    const servers = resourceServers ?? known.resourceServers
    const grouping = describeGroup(group, day, { ...known, resourceServers: servers })
    const { name: _, team: __, tags: ___, ...keyed } = grouping
    const found = { key: JSON.stringify(keyed), grouping, servers }
    cache.set(subject, found)
    return found
  }
}

const NO_GROUP: Grouping = {
  group: null,
  kind: null,
  userPoolId: null,
  region: null,
  clientId: null,
  name: null,
  team: null,
  tags: {},
}

function describeGroup(
  group: UsageGroup,
  { kind, userPoolId, clientId }: UsageDay,
  { name, team, tags, resourceServers }: KnownClient,
): Grouping {
  const region = userPoolId === null ? null : (getRegion(userPoolId) ?? null)
  switch (group) {
    case 'client':
      return { group: clientId ?? kind, kind, userPoolId, region, clientId, name, team, tags }
    case 'pool':
      return { ...NO_GROUP, group: userPoolId, userPoolId, region }
    case 'region':
      return { ...NO_GROUP, group: region, region }
    case 'resourceServer':
      return { ...NO_GROUP, group: resourceServers.join(', ') || null }
    case 'team':
      return { ...NO_GROUP, group: team, team }
    case 'total':
      return { ...NO_GROUP, group }
    default: {
      const tag = group.slice('tag:'.length)
      return { ...NO_GROUP, group: Object.hasOwn(tags, tag) ? (tags[tag] as string) : null }
    }
  }
}

function describePeriod(end: number, by: 'day' | 'month'): { period: string; start: number } {
  const day = formatDay(end)
  if (by === 'day') return { period: day, start: end * SECONDS_PER_DAY }
  const period = day.slice(0, 7)
  return { period, start: (parseDay(`${period}-01`) as number) * SECONDS_PER_DAY }
}

function listPeriods(
  { range, by, price, at }: Settings,
  rows: readonly UsageHistoryRow[],
): readonly UsagePeriod[] {
  if (range === undefined) return []
  const rowsByPeriod = new Map<string, UsageHistoryRow[]>()
  for (const row of rows) {
    const inPeriod = rowsByPeriod.get(row.period)
    if (inPeriod === undefined) rowsByPeriod.set(row.period, [row])
    else inPeriod.push(row)
  }
  const periods: UsagePeriod[] = []
  for (let day = range.first; day <= range.last; day += 1) {
    const end = by === 'day' ? day : getMonthEnd(day)
    const described = describePeriod(end, by)
    const { period, start } = described
    const startsInside = start / SECONDS_PER_DAY >= range.first
    const hasEnded = (end + 1) * SECONDS_PER_DAY <= at
    periods.push({
      ...described,
      complete: startsInside && end <= range.last && hasEnded,
      ...addAmounts(rowsByPeriod.get(period) ?? [], price),
    })
    day = end
  }
  return periods
}

function addAmounts(parts: readonly UsageAmounts[], price: Price | undefined): UsageAmounts {
  const add = (name: keyof UsageAmounts): number =>
    parts.reduce((sum, part) => sum + (part[name] as number), 0)
  const tokens = { issued: add('issued'), cached: add('cached') }
  if (price === undefined) return { ...tokens, cost: null, withoutCache: null, saved: null }
  return { ...tokens, cost: add('cost'), withoutCache: add('withoutCache'), saved: add('saved') }
}

/** Compares by code unit, so that the order does not depend on the locale. */
function compareText(left: string, right: string): number {
  return Number(left > right) - Number(left < right)
}
