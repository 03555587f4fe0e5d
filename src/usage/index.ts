/**
 * `cognito-m2m/usage`: counts tokens and requests per app client, and says what they cost.
 *
 * @module
 */
export type * from './types.ts'
