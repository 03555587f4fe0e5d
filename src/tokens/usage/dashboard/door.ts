/** Who may see the dashboard: asked before anything is answered, its page and scripts included. */
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { callHook } from '../../../core/hooks.ts'
import { refuse } from './usage-dashboard.ts'

/** Says who may see the dashboard: only `true` lets in. */
export type Authorize = (request: FastifyRequest) => boolean | Promise<boolean>

/**
 * What every answer carries. Nothing is loaded from elsewhere, no text becomes markup (trusted types),
 * and no other page may frame, include or address this one.
 */
const HEADERS = {
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
export function door(authorize: Authorize, challenge?: string): onRequestAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(HEADERS)
    try {
      if (await callHook(() => authorize(request))) return
    } catch (error) {
      request.log.error(
        { err: error },
        'cognito-m2m: who may see the usage dashboard is not decided',
      )
      return refuse(reply, 'ERR_CHECK_UNAVAILABLE')
    }
    if (challenge === undefined) return refuse(reply, 'ERR_ACCESS_DENIED')
    return refuse(reply.header('www-authenticate', challenge), 'ERR_ACCESS_DENIED', 401)
  }
}
