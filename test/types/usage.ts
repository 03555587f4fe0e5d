/** What usage is read as, and what stores take: compiled, never run. */
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { readTemplate } from '../../src/contract/infra/index.ts'
import { createResourceServer } from '../../src/index.ts'
import { startUserPool } from '../../src/testing/index.ts'
import {
  type compareUsage,
  createUsage,
  createUsageHistory,
  type forecastUsage,
  importUsage,
  memoryUsageStore,
  redisUsageStore,
  type Usage,
  type UsageComparison,
  type UsageCost,
  type UsageDay,
  type UsageForecast,
  type UsageHistory,
  type UsageImport,
  type UsageReport,
  type UsageRow,
  type UsageSeries,
  type UsageStore,
} from '../../src/tokens/usage/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const price = { currency: 'USD', tiers: [{ upTo: 250_000, price: 2.25 }, { price: 2 }] }
const usage = createUsage({ price })
same<typeof usage, Usage>(true)
same<Awaited<ReturnType<typeof usage.report>>, UsageReport>(true)
same<Awaited<ReturnType<typeof usage.series>>, UsageSeries>(true)
same<Awaited<ReturnType<typeof usage.cost>>, UsageCost>(true)
same<Awaited<ReturnType<typeof usage.csv>>, string>(true)
same<Awaited<ReturnType<typeof usage.json>>, string>(true)
same<UsageRow['clientId'], string | null>(true)
same<UsageRow['kind'], 'client' | 'other' | 'unverified'>(true)

same<Awaited<ReturnType<typeof usage.days>>, readonly UsageDay[]>(true)
same<Awaited<ReturnType<typeof usage.history>>, UsageHistory>(true)
same<Awaited<ReturnType<typeof usage.forecast>>, UsageForecast>(true)
usage.history({ group: 'tag:env', clients: ({ clientId }) => ({ name: clientId }) })
// @ts-expect-error groups are a closed set, and tags have a prefix
usage.history({ group: 'env' })

const imported = await importUsage(['trail', { name: 'input', stream: process.stdin }])
same<typeof imported, UsageImport>(true)
createUsageHistory(imported.days, { price, peaks: imported.peaks })
createUsageHistory(imported.days, { templates: [await readTemplate({ file: 'a.yaml', text: '' })] })
same<ReturnType<typeof compareUsage>, UsageComparison>(true)
same<ReturnType<typeof forecastUsage>, UsageForecast>(true)
// @ts-expect-error a stream has a name
importUsage([process.stdin])

// Whatever has a status with an instance.
usage.attach(createResourceServer({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }))
usage.attach(await startUserPool())
same<ReturnType<typeof usage.attach>, () => void>(true)
// @ts-expect-error an options object is no source
usage.attach({ userPoolId: 'eu-west-1_AbCdEfGhI' })

export const stores: UsageStore[] = [
  memoryUsageStore(),
  redisUsageStore({ redis: new Redis() }),
  redisUsageStore({ redis: new Redis5(), prefix: 'usage', maxClients: 5000 }),
]
// @ts-expect-error a URL is no instance of ioredis
redisUsageStore({ redis: 'redis://127.0.0.1' })

// @ts-expect-error prices are configuration
createUsage({})
// @ts-expect-error a tier has a price
createUsage({ price: { currency: 'USD', tiers: [{ upTo: 1 }] } })
// @ts-expect-error days or hours
usage.series('week')
// @ts-expect-error rows are what was counted
usage.report().then(({ rows }) => rows.push())
