/**
 * `cognito-m2m/usage`: counts tokens and requests per app client, and projects their cost.
 *
 * @module
 */
export { compareUsage } from './history/compare.ts'
export { forecastUsage } from './history/forecast.ts'
export { createUsageHistory } from './history/history.ts'
export { toComparisonCsv, toHistoryCsv, toHistoryJson } from './history/table.ts'
export type * from './history/types.ts'
export { importUsage } from './import/import-usage.ts'
export type * from './import/types.ts'
export { parseUsageDays, parseUsageImport } from './import/usage-import.ts'
export type * from './price-types.ts'
export type { MemoryUsageStoreOptions } from './store/memory.ts'
export { memoryUsageStore } from './store/memory.ts'
export type { RedisUsageStoreOptions, UsageRedis } from './store/redis.ts'
export { redisUsageStore } from './store/redis.ts'
export type {
  UsageBatch,
  UsageBucket,
  UsageCell,
  UsageStore,
  UsageTotal,
} from './store/types.ts'
export type * from './types.ts'
export type { UsageOptions } from './usage.ts'
export { createUsage, UsageUnavailableError } from './usage.ts'
