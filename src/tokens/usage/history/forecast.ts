/** Projects the rest of the current month from each client's rate in the last seven days. */
import { formatDay, getMonthEnd, parseDay, SECONDS_PER_DAY } from './days.ts'
import type { UsageDay } from './types.ts'

/** Seconds that the rate is based on. A whole week has each weekday once. */
const RATE_SECONDS = 7 * SECONDS_PER_DAY

/**
 * Projects the days from `at` to the end of its month. A client that began within the last seven days has the rate since
 * its first use. That time is a day at least: a few minutes would scale up to a meaningless amount.
 *
 * @param days Known days of one or several months.
 * @param at Epoch seconds.
 * @returns Days to add to the known ones. The current day has the part of its remaining time. Numbers have fractions.
 */
export function projectDays(days: readonly UsageDay[], at: number): readonly UsageDay[] {
  const remaining = listRemainingDays(at)
  return [...groupBySubject(days).values()].flatMap((known) => {
    const { issued, cached } = getRate(known, at)
    if (issued + cached === 0) return []
    const [like] = known as [UsageDay]
    return remaining.map(({ day, seconds }) => ({
      ...like,
      day,
      issued: issued * seconds,
      cached: cached * seconds,
    }))
  })
}

function groupBySubject(days: readonly UsageDay[]): ReadonlyMap<string, readonly UsageDay[]> {
  const groups = new Map<string, UsageDay[]>()
  for (const day of days) {
    const { kind, userPoolId, clientId, resourceServers } = day
    const key = JSON.stringify([kind, userPoolId, clientId, resourceServers])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [day])
    else group.push(day)
  }
  return groups
}

function getStart({ day }: UsageDay): number {
  return (parseDay(day) as number) * SECONDS_PER_DAY
}

/** Tokens per second of one subject. */
function getRate(days: readonly UsageDay[], at: number): { issued: number; cached: number } {
  const from = at - RATE_SECONDS
  const first = days.reduce(
    (least, day) => Math.min(least, day.firstUsed ?? getStart(day)),
    Number.POSITIVE_INFINITY,
  )
  let [issued, cached] = [0, 0]
  for (const day of days) {
    const start = getStart(day)
    const end = start + SECONDS_PER_DAY
    // A day in the future comes from a clock that was ahead.
    if (end <= from || start > at) continue
    // The range begins within the oldest day, which counts in part.
    const part = start < from && first < from ? (end - from) / SECONDS_PER_DAY : 1
    issued += day.issued * part
    cached += day.cached * part
  }
  const seconds = Math.max(SECONDS_PER_DAY, at - Math.max(from, first))
  return { issued: issued / seconds, cached: cached / seconds }
}

/** The days from now to the end of the month, with their remaining seconds. */
function listRemainingDays(at: number): readonly { day: string; seconds: number }[] {
  const today = Math.floor(at / SECONDS_PER_DAY)
  return Array.from({ length: getMonthEnd(today) - today + 1 }, (_, index) => ({
    day: formatDay(today + index),
    seconds: index === 0 ? (today + 1) * SECONDS_PER_DAY - at : SECONDS_PER_DAY,
  }))
}
