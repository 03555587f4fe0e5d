/**
 * `cognito-m2m/nestjs`: a module, a global guard and decorators for NestJS 11 and 12, on Express and Fastify.
 *
 * @module
 */
export type { CognitoAuthOptions } from '../../core/options/options.ts'
export { AuthException } from './cognito-auth-guard.ts'
export type { CognitoAuthAsyncOptions } from './cognito-auth-module.ts'
export { CognitoAuthModule } from './cognito-auth-module.ts'
export type { RouteDecorator } from './decorators.ts'
export { Auth, Caller, Public } from './decorators.ts'
