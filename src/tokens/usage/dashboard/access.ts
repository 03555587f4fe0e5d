/** Authorizes every request to the dashboard, and sends its error responses. */

import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { callHook } from '../../../core/hooks.ts'

/**
 * Decides whether a request may see the dashboard. Only `true` grants access.
 *
 * @param request The request before its body is read.
 * @returns Whether the request has access. A rejection, or no result within 3 s, is a response with 503.
 */
export type Authorize = (request: FastifyRequest) => boolean | Promise<boolean>

/**
 * Headers of every response. The page loads nothing from other origins and parses no text as markup (trusted
 * types). No other page may frame, include or script it.
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
  // The default. Page files override it.
  'cache-control': 'no-store',
}

/**
 * Creates the `onRequest` hook that authorizes a request.
 *
 * @param challenge `WWW-Authenticate` of a denied request. The status is 401 with a challenge, 403 without.
 */
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

/** `Retry-After` of a 503 in seconds. */
const RETRY_AFTER = 5

/** Bypasses the app's error handler, which could add details or render a page. */
export function sendError(
  reply: FastifyReply,
  code: keyof typeof ERRORS,
  status: number = ERRORS[code].status,
): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER)
  const { message } = ERRORS[code]
  return reply.code(status).send({ statusCode: status, code, error: STATUS_CODES[status], message })
}
