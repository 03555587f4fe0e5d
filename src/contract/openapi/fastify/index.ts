/**
 * `cognito-m2m/openapi/fastify`: `@fastify/swagger` with the auth requirement of each route.
 *
 * @module
 */
export type { CognitoOpenApiOptions } from './cognito-openapi.ts'
export { cognitoOpenApi, cognitoOpenApi as default } from './cognito-openapi.ts'
