/** Authorizes requests to the dashboard before anything is served, and sends its error responses. */

import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { callHook } from '../../../core/hooks.ts'

/** Says who may see the dashboard: only `true` lets in. */
export type Authorize = (request: FastifyRequest) => boolean | Promise<boolean>

/**
 * What every answer carries. Nothing is loaded from elsewhere, no text becomes markup (trusted types),
 * and no other page may frame, include or address this one.
 */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // What may be kept says so itself.
  'cache-control': 'no-store',
}

/** @param challenge `WWW-Authenticate` of the refusal, which is 401 with it and 403 without. */
export function createAccessHook(
  authorize: Authorize,
  challenge?: string,
): onRequestAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(SECURITY_HEADERS)
    try {
      if (await callHook(() => authorize(request))) return
    } catch (error) {
      request.log.error(
        { err: error },
        'cognito-m2m: the authorize function of the usage dashboard failed',
      )
      return sendError(reply, 'ERR_CHECK_UNAVAILABLE')
    }
    if (challenge === undefined) return sendError(reply, 'ERR_ACCESS_DENIED')
    return sendError(reply.header('www-authenticate', challenge), 'ERR_ACCESS_DENIED', 401)
  }
}

const ERRORS = {
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
export function sendError(
  reply: FastifyReply,
  code: keyof typeof ERRORS,
  status: number = ERRORS[code].status,
): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER)
  const { message } = ERRORS[code]
  return reply.code(status).send({ statusCode: status, code, error: STATUS_CODES[status], message })
}
