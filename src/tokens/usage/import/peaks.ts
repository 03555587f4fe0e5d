/** Counts requests by second, to find the highest rate of a Region on each day. CloudTrail has whole seconds. */
import { formatDay, parseDay, SECONDS_PER_DAY } from '../history/days.ts'
import type { UsagePeak } from '../history/types.ts'

/** Regions and days with a counter for each second, 169 KiB each. Later ones have no peak. */
const MAX_REGION_DAYS = 366

interface RegionDay {
  readonly region: string
  readonly day: number
  /** One for each second of the day. Undefined for a peak of an earlier import alone. */
  seconds: Uint16Array | undefined
  requests: number
  at: number
}

export class PeakRates {
  readonly #days = new Map<string, RegionDay>()

  /** @param at Epoch seconds. */
  add(region: string, at: number): void {
    const day = Math.floor(at / SECONDS_PER_DAY)
    const entry = this.#find(region, day)
    if (entry === undefined) return
    entry.seconds ??= new Uint16Array(SECONDS_PER_DAY)
    const second = at - day * SECONDS_PER_DAY
    const requests = (entry.seconds[second] as number) + 1
    entry.seconds[second] = requests
    if (requests > entry.requests) {
      entry.requests = requests
      entry.at = at
    }
  }

  /** Adds a peak of an earlier import. The seconds around it are not known. */
  merge({ region, day, requests, at }: UsagePeak): void {
    const entry = this.#find(region, parseDay(day) as number)
    if (entry === undefined || entry.requests >= requests) return
    entry.requests = requests
    entry.at = at
  }

  /** By day and Region. */
  list(): readonly UsagePeak[] {
    return [...this.#days.values()]
      .sort((a, b) => a.day - b.day || Number(a.region > b.region) - Number(a.region < b.region))
      .map(({ region, day, requests, at }) => ({ day: formatDay(day), region, requests, at }))
  }

  #find(region: string, day: number): RegionDay | undefined {
    const key = `${region} ${day}`
    const existing = this.#days.get(key)
    if (existing !== undefined) return existing
    if (this.#days.size >= MAX_REGION_DAYS) return undefined
    const created = { region, day, seconds: undefined, requests: 0, at: 0 }
    this.#days.set(key, created)
    return created
  }
}
