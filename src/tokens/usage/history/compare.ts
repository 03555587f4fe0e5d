/** `compareUsage`: AWS records next to the counts of proxies. */
import { readMembers } from '../../../core/options/validate.ts'
import { readDatedDays } from './dated-days.ts'
import { type DayRange, formatDay, parseDay, readDayRange } from './days.ts'
import { createUsageHistory } from './history.ts'
import type {
  ComparedClient,
  ComparedTokens,
  CompareUsageOptions,
  CreateUsageHistoryOptions,
  DaySubject,
  UsageComparison,
  UsageDay,
  UsageHistoryRow,
} from './types.ts'

/** Shares of direct tokens at which a client bypasses the proxies, or uses them. Clocks differ at the end of a day. */
const DIRECT_SHARE = 0.99
const PROXY_SHARE = 0.01

type Tokens = { billed: number; counted: number; cached: number }

/**
 * Compares tokens that AWS recorded with those that proxies of this package counted. It shows which clients bypass the
 * proxies, what the caches saved, and what is billed.
 *
 * @param billed Days of `importUsage`.
 * @param counted Days of `usage.days()`, or of `parseUsageDays`.
 * @param options Price, range, and names of clients.
 * @returns Tokens of each client by both sides.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const { days } = await importUsage(['logs'])
 * const { clients } = compareUsage(days, await usage.days(), { price })
 * const bypassing = clients.filter(({ path }) => path === 'direct')
 * ```
 */
export function compareUsage(
  billed: readonly UsageDay[],
  counted: readonly UsageDay[],
  options: CompareUsageOptions = {},
): UsageComparison {
  const { from, to, ...rest } = readMembers(
    options,
    ['from', 'to', 'clients', 'templates', 'price', 'now'],
    '',
  )
  readDatedDays(billed, 'billed')
  readDatedDays(counted, 'counted')
  const range = readDayRange({ from, to }, findOverlap(billed, counted))
  const findPool = createPoolLookup([...billed, ...counted])
  const days = mergeDays(billed.map(findPool), counted.map(findPool))
  if (range === undefined) {
    const { currency } = createUsageHistory([], rest as CreateUsageHistoryOptions)
    const total = { billed: 0, counted: 0, cached: 0, direct: 0, cost: null, saved: null }
    const notes = ['No day has data of both sides.']
    return { from: null, to: null, currency, clients: [], total, days, notes }
  }
  const bounds = { from: formatDay(range.first), to: formatDay(range.last) }
  const history = createUsageHistory(days, { ...rest, ...bounds } as CreateUsageHistoryOptions)
  const tokens = sumTokens(counted.map(findPool), range, history.rows)
  const clients = toClients(tokens)
  const total = clients.reduce<ComparedTokens>(addTokens, {
    billed: 0,
    counted: 0,
    cached: 0,
    direct: 0,
    cost: history.total.cost,
    saved: history.total.saved,
  })
  return {
    ...bounds,
    currency: history.currency,
    clients,
    total,
    days,
    notes: [...history.notes, ...listMissing(total)],
  }
}

/** The days from the later first day to the earlier last day. */
function findOverlap(left: readonly UsageDay[], right: readonly UsageDay[]): DayRange | undefined {
  const [a, b] = [left, right].map((days) => days.map(({ day }) => day).sort()) as [
    string[],
    string[],
  ]
  const [firstLeft, firstRight, lastLeft, lastRight] = [a[0], b[0], a.at(-1), b.at(-1)]
  if (firstLeft === undefined || firstRight === undefined) return undefined
  const first = firstLeft > firstRight ? firstLeft : firstRight
  const last = (lastLeft as string) < (lastRight as string) ? lastLeft : lastRight
  return first > (last as string)
    ? undefined
    : { first: parseDay(first) as number, last: parseDay(last as string) as number }
}

/** Adds the user pool to records without one, such as those of GetClientToken, if the client is known in one pool. */
function createPoolLookup(days: readonly UsageDay[]): (day: UsageDay) => UsageDay {
  const pools = new Map<string, Set<string>>()
  for (const { userPoolId, clientId } of days) {
    if (userPoolId === null || clientId === null) continue
    pools.set(clientId, (pools.get(clientId) ?? new Set()).add(userPoolId))
  }
  return (day) => {
    const known = [...(pools.get(day.clientId ?? '') ?? [])]
    return day.userPoolId === null && known.length === 1
      ? { ...day, userPoolId: known[0] as string }
      : day
  }
}

/** Billed tokens of one side, cached tokens of the other one. */
function mergeDays(billed: readonly UsageDay[], counted: readonly UsageDay[]): readonly UsageDay[] {
  const cached = counted
    .filter((day) => day.cached > 0)
    .map((day) => ({ ...day, issued: 0, firstUsed: null, lastUsed: null }))
  return [...billed.map((day) => ({ ...day, cached: 0 })), ...cached].sort(
    (a, b) => Number(a.day > b.day) - Number(a.day < b.day),
  )
}

interface SubjectTokens extends Tokens {
  readonly subject: DaySubject
  name: string | null
  team: string | null
  cost: number | null
  saved: number | null
}

function sumTokens(
  counted: readonly UsageDay[],
  range: DayRange,
  rows: readonly UsageHistoryRow[],
): readonly SubjectTokens[] {
  const subjects = new Map<string, SubjectTokens>()
  const find = ({ kind, userPoolId, clientId }: DaySubject): SubjectTokens => {
    const key = JSON.stringify([kind, userPoolId, clientId])
    const found = subjects.get(key) ?? {
      subject: { kind, userPoolId, clientId },
      name: null,
      team: null,
      billed: 0,
      counted: 0,
      cached: 0,
      cost: null,
      saved: null,
    }
    subjects.set(key, found)
    return found
  }
  for (const row of rows) {
    const tokens = find(row as DaySubject)
    tokens.billed += row.issued
    tokens.cached += row.cached
    tokens.cost = row.cost === null ? null : (tokens.cost ?? 0) + row.cost
    tokens.saved = row.saved === null ? null : (tokens.saved ?? 0) + row.saved
    tokens.name = row.name
    tokens.team = row.team
  }
  for (const day of counted) {
    const at = parseDay(day.day) as number
    if (at >= range.first && at <= range.last) find(day).counted += day.issued
  }
  return [...subjects.values()].filter((it) => it.billed > 0 || it.counted > 0 || it.cached > 0)
}

/**
 * A record without a client may be that of a proxy with HTTP Basic. So tokens that only the proxies counted reduce the
 * direct tokens of unattributed records of their pool.
 */
function toClients(all: readonly SubjectTokens[]): readonly ComparedClient[] {
  const excess = new Map<string | null, number>()
  for (const { subject, billed, counted } of all) {
    const pool = subject.userPoolId
    excess.set(pool, (excess.get(pool) ?? 0) + Math.max(0, counted - billed))
  }
  return all
    .map(({ subject, name, team, billed, counted, cached, cost, saved }): ComparedClient => {
      const explained =
        subject.kind === 'unattributed' ? (excess.get(subject.userPoolId) as number) : 0
      const direct = Math.max(0, billed - counted - explained)
      const share = billed === 0 ? 0 : direct / billed
      const path = share >= DIRECT_SHARE ? 'direct' : share <= PROXY_SHARE ? 'proxy' : 'mixed'
      return { ...subject, name, team, billed, counted, cached, direct, cost, saved, path }
    })
    .sort((a, b) => b.direct - a.direct || b.billed - a.billed || b.cached - a.cached)
}

function addTokens(total: ComparedTokens, client: ComparedTokens): ComparedTokens {
  return {
    ...total,
    billed: total.billed + client.billed,
    counted: total.counted + client.counted,
    cached: total.cached + client.cached,
    direct: total.direct + client.direct,
  }
}

function listMissing({ billed, counted }: ComparedTokens): readonly string[] {
  const missing = counted - billed
  return missing > counted * PROXY_SHARE
    ? [`AWS records have ${missing} tokens less than the proxies counted: records are missing.`]
    : []
}
