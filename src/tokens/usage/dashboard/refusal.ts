/** What the dashboard answers instead of what was asked for: fixed text, nothing of the cause. */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'

const REFUSALS = {
  ERR_ACCESS_DENIED: { status: 403, message: 'You may not see this' },
  ERR_CHECK_UNAVAILABLE: {
    status: 503,
    message: 'It cannot be decided now whether you may see this',
  },
  ERR_REQUEST_INVALID: { status: 400, message: 'The query is invalid' },
  ERR_USAGE_UNAVAILABLE: { status: 503, message: 'The counts cannot be read now' },
} as const

/** Seconds after which it is worth asking again: what failed is the owner's own. */
const RETRY_AFTER = 5

/** Answers past the app's error handler, which might say more, or make a page of it. */
export function refuse(
  reply: FastifyReply,
  code: keyof typeof REFUSALS,
  status: number = REFUSALS[code].status,
): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER)
  const { message } = REFUSALS[code]
  return reply.code(status).send({ statusCode: status, code, error: STATUS_CODES[status], message })
}
