/** Adds Fastify's validation errors to the 400 response of routes with a schema. */
import type { RouteOptions } from 'fastify'
import type { ErrorResponses } from '../objects.ts'

/** The parts of a schema that Fastify validates, with the names that its messages begin with. */
const VALIDATED = {
  body: 'body',
  params: 'params',
  headers: 'headers',
  querystring: 'querystring',
  query: 'querystring',
} as const

const UNREADABLE_BODIES = {
  FST_ERR_CTP_EMPTY_JSON_BODY:
    "Body cannot be empty when content-type is set to 'application/json'",
  FST_ERR_CTP_INVALID_JSON_BODY:
    "Body is not valid JSON but content-type is set to 'application/json'",
} as const

/**
 * Adds Fastify's validation errors to the 400 response of a route with a schema. They lack the headers of auth
 * errors, so the headers become optional. With `attachValidation`, the handler sends the response instead.
 *
 * @param responses Changed in place. Without a 400 response, nothing changes.
 */
export function addValidationErrors(responses: ErrorResponses, route: RouteOptions): void {
  const response = responses[400]
  const [name] = listValidatedParts(route)
  if (response === undefined || name === undefined) return
  const { schema, examples } = response.content['application/json']
  const errors: Record<string, string> = { FST_ERR_VALIDATION: `${name} must be object` }
  if (name === VALIDATED.body) Object.assign(errors, UNREADABLE_BODIES)
  for (const [code, message] of Object.entries(errors)) {
    examples[code] = { value: { statusCode: 400, code, error: 'Bad Request', message } }
  }
  schema.properties = {
    ...schema.properties,
    code: { type: 'string', enum: Object.keys(examples) },
  }
  for (const header of Object.values(response.headers)) delete header.required
  response.description =
    'The request does not carry exactly one bearer token, or it does not match the schema of the route.'
}

function listValidatedParts({ schema, attachValidation }: RouteOptions): string[] {
  if (attachValidation === true) return []
  const parts = (schema ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(VALIDATED)
    .filter(([part]) => parts[part] !== undefined)
    .map(([, name]) => name)
}
