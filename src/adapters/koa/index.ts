/**
 * `cognito-m2m/koa`: middleware for Koa 3.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type { Auth, AuthState, KoaAuthOptions } from './cognito-auth.ts'
export { cognitoAuth } from './cognito-auth.ts'
export { getAuth } from './get-auth.ts'
