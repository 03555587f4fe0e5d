/**
 * `cognito-m2m/testing`: generated user pools for development and tests, in memory or over HTTP.
 * Never for production.
 *
 * @module
 */
export type { OAuthFlow, PoolClient, TestClient } from './clients.ts'
export type { JwksFault, JwksHandler } from './http/jwks-faults.ts'
export type { LocalHost } from './http/local-server.ts'
export type { TokenFault } from './http/token-faults.ts'
export type { CloudTrailTokenEvent } from './http/token-log.ts'
export type {
  ClaimsAndScopeOverrideDetails,
  PreTokenGenerationEvent,
  PreTokenGenerationTrigger,
} from './http/trigger.ts'
export type { PublishedKey } from './key-material.ts'
export type { LocalRegion } from './local-region.ts'
export type { LocalUserPool, LocalUserPoolOptions, ReplicatedUserPool } from './local-user-pool.ts'
export { startUserPool } from './local-user-pool.ts'
export { readPoolFile } from './pool-file.ts'
export type { TamperedTokens } from './tampered.ts'
export type { TestUserPool, TestUserPoolOptions, UserPoolAuthority } from './test-user-pool.ts'
export { createTestUserPool } from './test-user-pool.ts'
export type { TokenStoreTest } from './token-store-tests.ts'
export { tokenStoreTests } from './token-store-tests.ts'
export type {
  AccessTokenOptions,
  TestTokenOptions as TokenOptions,
  UserAccessTokenOptions,
  UserTokenOptions,
} from './tokens.ts'
