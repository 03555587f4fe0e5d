/**
 * `cognito-m2m/openapi/fastify`: @fastify/swagger that knows what each route needs.
 *
 * @module
 */
export type { CognitoOpenApiOptions } from './cognito-openapi.ts'
export { cognitoOpenApi, cognitoOpenApi as default } from './cognito-openapi.ts'
