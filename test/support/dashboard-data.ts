/** Counts of a made-up quarter, the same every time: what a store would hold, and what reads it. */

import type { UsageCell, UsageStore } from '../../src/tokens/usage/index.ts'
import {
  createUsage,
  memoryUsageStore,
  type Usage,
  type UsagePrice,
} from '../../src/tokens/usage/index.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** Sat, 21 Nov 2026, 14:05:09 UTC, in epoch seconds. */
export const NOW = Date.UTC(2026, 10, 21, 14, 5, 9) / 1000

export const PRICE: UsagePrice = {
  currency: 'USD',
  tiers: [{ upTo: 250_000, price: 2.25 }, { price: 1.5 }],
}

/** A made-up app client. */
export interface SeededClient {
  readonly clientId: string
  readonly userPoolId?: string
  /** Tokens that it requests in an hour by day; at night fewer. */
  readonly perHour?: number
  /** The part that a proxy serves from its cache. */
  readonly cachedShare?: number
  /** Days since it was last used, default 0. */
  readonly idleDays?: number
  /** Days since it was first used, default 120. */
  readonly age?: number
  /** A day on which it requests many more tokens. */
  readonly spike?: { readonly daysAgo: number; readonly factor: number }
  /** Refusals of its API requests, per hour of use, by code. */
  readonly refusals?: Readonly<Record<string, number>>
}

/** A linear congruential generator: a chart of the same numbers every time. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

function cellOf(client: SeededClient, hour: number, roll: number): UsageCell {
  const { clientId, userPoolId = 'eu-west-1_Ab12Cd34E', perHour = 100, cachedShare = 0.9 } = client
  const weekday = new Date(hour * HOUR * 1000).getUTCDay()
  const isBusy = hour % 24 >= 7 && hour % 24 < 19 && weekday !== 0 && weekday !== 6
  const daysAgo = Math.floor(NOW / DAY) - Math.floor(hour / 24)
  const factor = client.spike?.daysAgo === daysAgo ? client.spike.factor : 1
  const had = Math.round(perHour * factor * (isBusy ? 1 : 0.3) * (0.7 + 0.6 * roll))
  const issued = Math.round(had * (1 - cachedShare))
  const counts = new Map([
    ['issued', issued],
    ['cached', had - issued],
    ['accepted', had * 20],
    ...Object.entries(client.refusals ?? {}),
  ])
  const [first, last] = [hour * HOUR + 60, Math.min(hour * HOUR + 3000, NOW - 40)]
  return { subject: JSON.stringify([userPoolId, clientId]), hour, first, last, counts }
}

function unverified(hour: number): UsageCell {
  const counts = new Map([
    ['ERR_TOKEN_MISSING', 3],
    ['ERR_TOKEN_EXPIRED', 2],
    ['refused', 1],
  ])
  return { subject: 'unverified', hour, first: hour * HOUR, last: hour * HOUR + 1800, counts }
}

export async function fill(store: UsageStore, clients: readonly SeededClient[]): Promise<void> {
  const roll = dice(7)
  const thisHour = Math.floor(NOW / HOUR)
  const oldest = Math.max(...clients.map(({ age = 120 }) => age))
  for (let hour = thisHour - oldest * 24; hour <= thisHour; hour += 1) {
    const cells = clients
      .filter(({ idleDays = 0, age = 120 }) => {
        const days = (thisHour - hour) / 24
        return days >= idleDays && days <= age
      })
      .map((client) => cellOf(client, hour, roll()))
    if (clients.length > 0) cells.push(unverified(hour))
    await store.add({ writer: 'seed', sequence: hour, hour, cells })
  }
}

/** Counts that stand still at {@link READ_TIME}. */
export async function seededUsage(clients: readonly SeededClient[]): Promise<Usage> {
  const store = memoryUsageStore({ maxClients: 1000 })
  if (clients.length > 0) await fill(store, clients)
  return createUsage({ price: PRICE, store, now: () => NOW * 1000 })
}

/** What a company of some services would see. */
export const COMPANY: readonly SeededClient[] = [
  { clientId: 'checkout-api', perHour: 420, cachedShare: 0.93 },
  {
    clientId: 'web-shop',
    perHour: 260,
    cachedShare: 0.81,
    refusals: { ERR_SCOPE_INSUFFICIENT: 2 },
  },
  { clientId: 'warehouse-sync', perHour: 180, cachedShare: 0.55 },
  { clientId: 'billing-batch', perHour: 95, cachedShare: 0.2 },
  { clientId: 'reporting', perHour: 60, cachedShare: 0.88, spike: { daysAgo: 4, factor: 30 } },
  {
    clientId: 'search-indexer',
    userPoolId: 'us-east-1_Xy98Zw76V',
    perHour: 140,
    cachedShare: 0.96,
    age: 41,
  },
  { clientId: '5kek0i61pgkokoob4fsm9fo9it', perHour: 48, cachedShare: 0.7 },
  { clientId: 'mail-gateway', perHour: 22, cachedShare: 0.5, refusals: { ERR_TOKEN_EXPIRED: 1 } },
  { clientId: 'fraud-scoring', perHour: 35, cachedShare: 0.5, age: 2 },
  { clientId: 'back-office', perHour: 6, cachedShare: 0.4, idleDays: 3 },
  { clientId: 'legacy-export', perHour: 30, cachedShare: 0, idleDays: 97 },
  { clientId: 'partner-acme', perHour: 12, cachedShare: 0.3, idleDays: 113 },
]
