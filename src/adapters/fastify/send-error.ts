/** Answers a request that is refused, through the app's error handler. */
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { type AuthError, ensureError, type InternalError } from '../../core/errors.ts'

/** Fastify's callback of a hook. */
export type Done = (error?: Error) => void

/** Status and headers are set before the error is thrown, for an error handler that sets neither. */
export function refuse(
  error: AuthError | InternalError,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  reply.code(error.statusCode).headers(error.headers)
  endUpgrade(request, reply)
  done(error)
}

/**
 * An upgrade has left Node's keeping: nothing closes its socket after an ordinary answer, and
 * @fastify/websocket only does so if its hook ran before ours.
 */
function endUpgrade(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.upgrade === undefined) return
  reply.header('connection', 'close')
  const { socket } = reply.raw
  reply.raw.once('finish', () => socket?.end(() => socket.destroy()))
}

/** Wraps a hook: whatever a logger or other plugins throw in it, the request is not served. */
export function failClosed(hook: onRequestHookHandler): onRequestHookHandler {
  return function (request, reply, done): void {
    try {
      hook.call(this, request, reply, done)
    } catch (fault) {
      fail(fault, reply, done)
    }
  }
}

/**
 * Fastify takes a falsy value that was thrown for no error and serves the request, so only an `Error` is
 * passed on. Where that throws as well, nobody is left to answer, and the connection is closed.
 */
export function fail(fault: unknown, reply: FastifyReply, done: Done): void {
  try {
    done(ensureError(fault, 'The request failed'))
  } catch {
    reply.raw.destroy()
  }
}
