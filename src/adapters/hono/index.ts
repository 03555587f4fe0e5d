/**
 * `cognito-m2m/hono`: middleware for Hono 4.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type { Auth, AuthVariables } from './cognito-auth.ts'
export { cognitoAuth } from './cognito-auth.ts'
export { getAuth } from './get-auth.ts'
