/**
 * `cognito-m2m/openapi`: the security parts of OpenAPI documents that are written by hand.
 *
 * @module
 */
export type {
  ErrorResponse as RefusalResponse,
  ErrorResponses as RefusalResponses,
  Examples,
  OperationAccess,
  ResponseHeader,
  Schema,
  SecurityRequirement,
  SecurityScheme,
} from './objects.ts'
export type { OpenApiOptions, OpenApiParts } from './parts.ts'
export { openApiParts } from './parts.ts'
