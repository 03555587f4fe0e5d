/**
 * Types of the generated OpenAPI objects, with the members that are generated. Their form is the same in OpenAPI
 * 3.0 and 3.1. Each call creates new objects, so callers may change them.
 */

/**
 * Maps the name of a security scheme to the scopes that a caller needs, all of them. `{}` allows requests without
 * a token.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object
 */
export interface SecurityRequirement {
  [scheme: string]: string[]
}

/** The subset of JSON Schema that describes error responses. */
export interface Schema {
  type: 'string' | 'integer' | 'object'
  enum?: (string | number)[]
  minimum?: number
  maximum?: number
  required?: string[]
  properties?: { [name: string]: Schema }
}

/** Maps an error code to an example of the value that is sent with it. */
export interface Examples {
  [code: string]: { value: unknown }
}

/** Describes one response header. */
export interface ResponseHeader {
  description: string
  /** Omitted if other responses with the same status do not have the header. */
  required?: true
  schema: Schema
  /** One value for each error code, if the codes of the status send different values. */
  examples?: Examples
}

/** Describes the error response of one status. */
export interface ErrorResponse {
  description: string
  headers: { [name: string]: ResponseHeader }
  content: { 'application/json': { schema: Schema; examples: Examples } }
}

/** Maps an HTTP status to its error response. */
export interface ErrorResponses {
  [status: string]: ErrorResponse
}

/** A security scheme for the OAuth 2.0 client credentials grant. */
export interface SecurityScheme {
  type: 'oauth2'
  description: string
  /** The URL of the token endpoint, and each scope with its description. */
  flows: { clientCredentials: { tokenUrl: string; scopes: { [scope: string]: string } } }
}

/** The requirement and the error responses of one operation. */
export interface OperationAccess {
  /** Alternatives: a caller must satisfy one of them. Empty for a public operation. */
  security: SecurityRequirement[]
  /** Empty for a public operation. */
  responses: ErrorResponses
}
