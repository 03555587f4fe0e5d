/**
 * The objects of OpenAPI that are made here, as far as they are made: 3.0 and 3.1 read them alike. They
 * are made anew for each caller, so they may be changed.
 */

/** Scheme name to scopes, all of which are needed; `{}` asks for nothing. */
export interface SecurityRequirement {
  [scheme: string]: string[]
}

/** The part of JSON Schema that refusals take. */
export interface Schema {
  type: 'string' | 'integer' | 'object'
  enum?: (string | number)[]
  minimum?: number
  maximum?: number
  required?: string[]
  properties?: { [name: string]: Schema }
}

/** Error code to what is sent with it. */
export interface Examples {
  [code: string]: { value: unknown }
}

/** One response header. */
export interface ResponseHeader {
  description: string
  /** Left out where the same status has responses without this header. */
  required?: true
  schema: Schema
  examples?: Examples
}

/** One response. */
export interface RefusalResponse {
  description: string
  headers: { [name: string]: ResponseHeader }
  content: { 'application/json': { schema: Schema; examples: Examples } }
}

/** Status to response. */
export interface RefusalResponses {
  [status: string]: RefusalResponse
}

/** OAuth 2.0 client credentials. */
export interface SecurityScheme {
  type: 'oauth2'
  description: string
  flows: { clientCredentials: { tokenUrl: string; scopes: { [scope: string]: string } } }
}

/** What a document says about the access to one operation. */
export interface OperationAccess {
  security: SecurityRequirement[]
  responses: RefusalResponses
}
