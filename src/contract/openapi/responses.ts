/** Refusals as response objects: bodies and headers are read from what is sent. */
import { RETRY_AFTER_SECONDS } from '../../core/challenge.ts'
import type { AuthError } from '../../core/errors.ts'
import type {
  Examples,
  RefusalResponse,
  RefusalResponses,
  ResponseHeader,
  Schema,
} from './objects.ts'

const DESCRIPTIONS = {
  400: 'The request does not carry exactly one bearer token.',
  401: 'There is no access token, or none that is valid.',
  403: 'The access token is valid and does not suffice.',
  503: 'Access cannot be decided at the moment.',
} as const

/** Per header of a refusal: its name in documents, and what its values have in common. */
const HEADERS = {
  'www-authenticate': (refusals: readonly AuthError[]) => ({
    'WWW-Authenticate': {
      ...{ description: 'The challenge: RFC 6750 section 3.', required: true as const },
      schema: { type: 'string' as const },
      examples: examplesOf(refusals, ({ headers }) => headers['www-authenticate']),
    },
  }),
  'cache-control': () => ({
    'Cache-Control': {
      ...{ description: 'A refusal is never kept.', required: true as const },
      schema: { type: 'string' as const, enum: ['no-store'] },
    },
  }),
  'retry-after': () => ({
    'Retry-After': {
      ...{ description: 'Seconds to wait before the next attempt.', required: true as const },
      schema: { type: 'integer' as const, ...RETRY_AFTER_SECONDS },
    },
  }),
}

/** One response for each status, its codes told apart by examples. */
export function toResponses(refusals: readonly AuthError[]): RefusalResponses {
  const responses: RefusalResponses = {}
  for (const { statusCode } of refusals) {
    responses[statusCode] ??= responseOf(refusals.filter((it) => it.statusCode === statusCode))
  }
  return responses
}

/** @param refusals Of one status: they have the same headers. */
function responseOf(refusals: readonly AuthError[]): RefusalResponse {
  const [{ statusCode, headers }] = refusals as [AuthError]
  const described: Record<string, ResponseHeader>[] = Object.keys(headers).map((name) =>
    HEADERS[name as keyof typeof HEADERS](refusals),
  )
  return {
    description: DESCRIPTIONS[statusCode],
    headers: Object.assign({}, ...described),
    content: {
      'application/json': {
        schema: bodySchema(refusals),
        examples: examplesOf(refusals, (refusal) => refusal.toJSON()),
      },
    },
  }
}

function bodySchema(refusals: readonly AuthError[]): Schema {
  const bodies = refusals.map((refusal) => refusal.toJSON())
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

function examplesOf(
  refusals: readonly AuthError[],
  sent: (refusal: AuthError) => unknown,
): Examples {
  return Object.fromEntries(refusals.map((refusal) => [refusal.code, { value: sent(refusal) }]))
}
