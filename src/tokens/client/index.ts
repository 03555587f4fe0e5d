/**
 * `cognito-m2m/client`: obtains, caches and renews access tokens of one app client, and sends them with `fetch`.
 *
 * @module
 */
export { OptionError } from '../../core/options/validate.ts'
export type { AuthMethod, TokenRegion } from '../oauth/protocol.ts'
export type { UserPoolsApiOptions } from '../oauth/token-api-options.ts'
export type { DynamoDbLike, DynamoDbStoreOptions } from '../store/dynamodb-store.ts'
export { dynamoDbStore } from '../store/dynamodb-store.ts'
export { memoryStore } from '../store/memory-store.ts'
export type { NodeRedisLike, RedisLike, RedisStoreOptions } from '../store/redis-store.ts'
export { redisStore } from '../store/redis-store.ts'
export type { StoreStatus } from '../store/resilient-store.ts'
export type {
  StoreCommandOptions,
  StoreEntry,
  StoreLookup,
  TokenStore,
} from '../store/token-store.ts'
export type { TokenClientErrorCode } from './errors.ts'
export { TokenClientError } from './errors.ts'
export type { TokenClientOptions } from './options.ts'
export { createTokenClient } from './token-client.ts'
export type {
  AccessToken,
  AuthorizedFetch,
  GetTokenOptions,
  ScopeSetStatus,
  SecretSource,
  TokenClient,
  TokenClientStatus,
  TokenRequestFailure,
} from './types.ts'
