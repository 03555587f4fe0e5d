/** Describes auth errors as OpenAPI responses. Bodies and headers come from the errors that the guard sends. */
import { RETRY_AFTER_SECONDS } from '../../core/challenge.ts'
import type { AuthError } from '../../core/errors.ts'
import type { ErrorResponse, ErrorResponses, Examples, ResponseHeader, Schema } from './objects.ts'

const DESCRIPTIONS = {
  400: 'The request does not carry exactly one bearer token.',
  401: 'The access token is missing or invalid.',
  403: 'The access token is valid but does not meet the requirement of the route.',
  503: 'Access cannot be decided at the moment.',
} as const

/** Describes each header of an auth error under the name that documents use. */
const HEADERS = {
  'www-authenticate': (errors: readonly AuthError[]) => ({
    'WWW-Authenticate': {
      description: 'The challenge: RFC 6750 section 3.',
      required: true as const,
      schema: { type: 'string' as const },
      examples: toExamples(errors, ({ headers }) => headers['www-authenticate']),
    },
  }),
  'cache-control': () => ({
    'Cache-Control': {
      description: 'Error responses are not cached.',
      required: true as const,
      schema: { type: 'string' as const, enum: ['no-store'] },
    },
  }),
  'retry-after': () => ({
    'Retry-After': {
      description: 'Seconds to wait before the next attempt.',
      required: true as const,
      schema: { type: 'integer' as const, ...RETRY_AFTER_SECONDS },
    },
  }),
}

/** Creates one response for each status, with one example for each error code. */
export function toResponses(errors: readonly AuthError[]): ErrorResponses {
  const responses: ErrorResponses = {}
  for (const { statusCode } of errors) {
    responses[statusCode] ??= toResponse(errors.filter((it) => it.statusCode === statusCode))
  }
  return responses
}

/** @param errors Errors of one status. They have the same headers. */
function toResponse(errors: readonly AuthError[]): ErrorResponse {
  const [{ statusCode, headers }] = errors as [AuthError]
  const described: Record<string, ResponseHeader>[] = Object.keys(headers).map((name) =>
    HEADERS[name as keyof typeof HEADERS](errors),
  )
  return {
    description: DESCRIPTIONS[statusCode],
    headers: Object.assign({}, ...described),
    content: {
      'application/json': {
        schema: toBodySchema(errors),
        examples: toExamples(errors, (error) => error.toJSON()),
      },
    },
  }
}

function toBodySchema(errors: readonly AuthError[]): Schema {
  const bodies = errors.map((error) => error.toJSON())
  const values = <Value extends string | number>(items: readonly Value[]): Value[] => [
    ...new Set(items),
  ]
  return {
    type: 'object',
    required: ['statusCode', 'code', 'error', 'message'],
    properties: {
      statusCode: { type: 'integer', enum: values(bodies.map(({ statusCode }) => statusCode)) },
      code: { type: 'string', enum: values(bodies.map(({ code }) => code)) },
      error: { type: 'string', enum: values(bodies.map(({ error }) => error)) },
      message: { type: 'string' },
    },
  }
}

function toExamples(
  errors: readonly AuthError[],
  getValue: (error: AuthError) => unknown,
): Examples {
  return Object.fromEntries(errors.map((error) => [error.code, { value: getValue(error) }]))
}
