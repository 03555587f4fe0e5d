/**
 * `cognito-m2m`: verifies Amazon Cognito machine-to-machine access tokens and decides on requests.
 * The framework-free core; `cognito-m2m/fastify` is a thin layer over it.
 *
 * @module
 */

export type { ClosableConnection } from './core/close-on-expiry.ts'
export type {
  ClientTokenEvent,
  DecisionEvent,
  DiagnosticsEvents,
  DiagnosticsOrigin,
  JwksChangeEvent as SwapEvent,
  JwksErrorEvent as FailureEvent,
  JwksFetchEvent as FetchEvent,
  TokenRequestEvent as TokenEvent,
  UnknownKidEvent,
} from './core/diagnostics.ts'
export type { AnyAuthError, AuthErrorBody, AuthErrorCode } from './core/errors.ts'
export { AuthError } from './core/errors.ts'
export type { JwksErrorCode } from './core/keys/fetch-jwks.ts'
export { JwksError } from './core/keys/fetch-jwks.ts'
export type { JsonWebKey, JsonWebKeySet } from './core/keys/jwk.ts'
export { StartupError } from './core/keys/key-store.ts'
export type { Logger } from './core/options/logger.ts'
export type { CognitoAuthOptions, CommonOptions, KeyStoreOptions } from './core/options/options.ts'
export type { ClientLookup, UserPoolOptions } from './core/options/user-pool.ts'
export { OptionError } from './core/options/validate.ts'
export type { AccessRequirement, AnyOf } from './core/requirement.ts'
export { anyOf } from './core/requirement.ts'
export type { ResourceMetadata, ResourceMetadataDocument } from './core/resource-metadata.ts'
export type {
  AuthFor,
  Guard,
  ResourceServer,
  ServerStatus,
  UserPoolStatus,
} from './core/resource-server.ts'
export { createResourceServer } from './core/resource-server.ts'
export type { DefinedScopes, Register, ReservedScope, Scope } from './core/scopes.ts'
export { defineScopes } from './core/scopes.ts'
export type { MachineClaims } from './core/token/claims.ts'
export type { JsonObject, JsonValue } from './core/token/strict-json.ts'
export type { VerifiedToken } from './core/token/verified-token.ts'
