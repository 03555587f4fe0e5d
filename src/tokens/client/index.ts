/**
 * `cognito-m2m/client`: access tokens by client credentials, held and renewed, and `fetch` with them.
 *
 * @module
 */
export { OptionError } from '../../core/options/validate.ts'
export { memoryStore } from '../store/memory-store.ts'
export type { RedisLike, RedisStoreOptions } from '../store/redis-store.ts'
export { redisStore } from '../store/redis-store.ts'
export type { StoreStatus } from '../store/resilient-store.ts'
export type {
  StoreCommandOptions,
  StoreEntry as Kept,
  StoreLookup as Found,
  TokenStore,
} from '../store/token-store.ts'
export type { TokenClientErrorCode } from './errors.ts'
export { TokenClientError } from './errors.ts'
export type { TokenClientOptions } from './options.ts'
export { createTokenClient } from './token-client.ts'
export type { AuthMethod } from './token-request.ts'
export type {
  AccessToken,
  AuthorizedFetch,
  GetTokenOptions as TokenOptions,
  ScopeSetStatus,
  SecretSource,
  TokenClient,
  TokenClientStatus,
  TokenRequestFailure,
} from './types.ts'
