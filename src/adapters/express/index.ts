/**
 * `cognito-m2m/express`: middleware for Express 4.21 and later, and 5.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type { Auth, ExpressAuthOptions, Middleware, Next } from './cognito-auth.ts'
export { cognitoAuth } from './cognito-auth.ts'
export { getAuth } from './get-auth.ts'
