/** 90 days of generated counts, for `npm start -- --demo`. The numbers are the same in every run. */
import { type ClientInfo, memoryUsageStore, type UsageStore } from 'cognito-m2m/usage'

const HOUR = 3600
const DAYS = 90
const POOL = 'eu-west-1_Demo12345'
const REPLICA = 'us-east-1_Demo67890'

interface SampleClient {
  readonly clientId: string
  readonly pool?: string
  /** Tokens in an hour of a working day. Nights and weekends have fewer. */
  readonly perHour: number
  /** Part that the proxy serves from its cache. */
  readonly cached: number
  /** Age in days at the first and at the last use. */
  readonly from?: number
  readonly to?: number
  /** Age of a day (UTC) with 30 times the tokens, in days. */
  readonly spike?: number
}

const CLIENTS: readonly SampleClient[] = [
  { clientId: 'checkout', perHour: 420, cached: 0.93 },
  { clientId: 'web-shop', perHour: 260, cached: 0.81 },
  { clientId: 'warehouse', perHour: 180, cached: 0.55 },
  { clientId: 'billing-batch', perHour: 95, cached: 0 },
  { clientId: 'reporting', perHour: 60, cached: 0.88, spike: 4 },
  { clientId: 'search-indexer', pool: REPLICA, perHour: 140, cached: 0.9, from: 41 },
  { clientId: 'partner-portal', perHour: 48, cached: 0.7 },
  { clientId: 'mail-gateway', pool: REPLICA, perHour: 22, cached: 0.5 },
  { clientId: 'fraud-scoring', perHour: 35, cached: 0.5, from: 2 },
  { clientId: 'legacy-export', perHour: 30, cached: 0, from: 96, to: 95 },
]

/** Names, teams and tags for the dashboard. */
export const SAMPLE_CLIENTS: readonly ClientInfo[] = [
  { clientId: 'checkout', name: 'Checkout', team: 'shop', tags: { env: 'prod' } },
  { clientId: 'web-shop', name: 'Web shop', team: 'shop', tags: { env: 'prod' } },
  { clientId: 'warehouse', name: 'Warehouse', team: 'logistics' },
  { clientId: 'reporting', name: 'Nightly reports', team: 'data' },
]

/** Between 0.8 and 1.2, by client and hour. */
function vary(index: number, hour: number): number {
  return 0.8 + ((hour * 7919 + index * 104_729) % 1000) / 2500
}

/** @param daysAgo Age of the day (UTC) in days. */
function countTokens(client: SampleClient, index: number, hour: number, daysAgo: number): number {
  const date = new Date(hour * HOUR * 1000)
  const isBusy = date.getUTCHours() >= 7 && date.getUTCHours() < 19 && date.getUTCDay() % 6 !== 0
  const load = (isBusy ? 1 : 0.3) * (client.spike === daysAgo ? 30 : 1)
  return Math.round(client.perHour * load * vary(index, hour))
}

/**
 * Creates a store with the counts.
 *
 * @param at Epoch seconds of the last count.
 */
export async function createSampleStore(at: number): Promise<UsageStore> {
  const store = memoryUsageStore()
  const last = Math.floor(at / HOUR)
  const oldest = Math.max(...CLIENTS.map(({ from = DAYS }) => from))
  for (let hour = last - oldest * 24; hour <= last; hour += 1) {
    const age = (last - hour) / 24
    const daysAgo = Math.floor(last / 24) - Math.floor(hour / 24)
    const active = CLIENTS.filter(({ from = DAYS, to = 0 }) => age <= from && age >= to)
    const cells = active.map((client) => {
      const { clientId, pool = POOL, cached } = client
      const tokens = countTokens(client, CLIENTS.indexOf(client), hour, daysAgo)
      const issued = Math.round(tokens * (1 - cached))
      return {
        subject: JSON.stringify([pool, clientId]),
        hour,
        first: hour * HOUR,
        last: Math.min(hour * HOUR + 3000, at),
        counts: new Map(Object.entries({ issued, cached: tokens - issued, accepted: 9 * tokens })),
      }
    })
    await store.add({ writer: 'sample', sequence: hour, hour, cells })
  }
  return store
}
