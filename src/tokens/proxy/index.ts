/**
 * `cognito-m2m/proxy`: a caching token endpoint in front of Cognito's, as a Fastify 5 plugin.
 *
 * @module
 */
export type { TokenRegion } from '../oauth/protocol.ts'
export type { UserPoolsApiOptions } from '../oauth/token-api-options.ts'
export type { DynamoDbLike, DynamoDbStoreOptions } from '../store/dynamodb-store.ts'
export { dynamoDbStore } from '../store/dynamodb-store.ts'
export type { EncryptionKey } from '../store/encryption-keys.ts'
export type { MemoryStore, MemoryStoreOptions } from '../store/memory-store.ts'
export { memoryStore } from '../store/memory-store.ts'
export type {
  NodeRedisLike,
  RedisConnection,
  RedisLike,
  RedisOverrides,
  RedisStoreOptions,
} from '../store/redis-store.ts'
export { redisStore } from '../store/redis-store.ts'
export type { StoreStatus } from '../store/resilient-store.ts'
export type {
  StoreCommandOptions,
  StoreEntry,
  StoreLookup,
  TokenStore,
} from '../store/token-store.ts'
export type { ProxyOptions, UpstreamLimits } from './options.ts'
export type { TokenProxyOptions } from './plugin.ts'
export { tokenProxy, tokenProxy as default } from './plugin.ts'
export type { TokenProxy, TokenProxyStatus } from './token-proxy.ts'
export type { UpstreamHeader } from './upstream.ts'
