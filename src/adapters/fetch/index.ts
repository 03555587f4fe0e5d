/**
 * `cognito-m2m/fetch`: guards for handlers that turn a web-standard `Request` into a `Response`.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export { errorResponse } from './error-response.ts'
export { createFetchAuth } from './fetch-auth.ts'
export { getAuth } from './get-auth.ts'
export type { FetchAuth, FetchGuard, FetchHandler, ProtectedHandler } from './types.ts'
