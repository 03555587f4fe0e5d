/**
 * `cognito-m2m/openapi`: what an OpenAPI document says about access, for documents written by hand.
 *
 * @module
 */
export type {
  Examples,
  OperationAccess,
  RefusalResponse,
  RefusalResponses,
  ResponseHeader,
  Schema,
  SecurityRequirement,
  SecurityScheme,
} from './objects.ts'
export type { OpenApiOptions, OpenApiParts } from './parts.ts'
export { openApiParts } from './parts.ts'
