/**
 * `cognito-m2m/fastify`: the Fastify 5 plugin.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export type { FastifyAuthOptions } from './cognito-auth.ts'
export { cognitoAuth, cognitoAuth as default } from './cognito-auth.ts'
export type { AuthDefaultOptions } from './registrations.ts'
export { authDefault } from './registrations.ts'
export type { RequestAuth, RouteRequirement } from './types.ts'
