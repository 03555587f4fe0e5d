/**
 * `cognito-m2m/usage`: counts tokens and requests per app client, and says what they cost.
 *
 * @module
 */
export type { MemoryUsageStoreOptions } from './memory-store.ts'
export { memoryUsageStore } from './memory-store.ts'
export type { RedisUsageStoreOptions, UsageRedis } from './redis-store.ts'
export { redisUsageStore } from './redis-store.ts'
export type * from './types.ts'
export { UsageUnavailableError } from './unavailable.ts'
export type { UsageOptions } from './usage.ts'
export { createUsage } from './usage.ts'
export type {
  UsageBatch,
  UsageBucket,
  UsageCell,
  UsageStore,
  UsageTotal,
} from './usage-store.ts'
