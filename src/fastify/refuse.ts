/** Answers a request that is refused, through the app's error handler. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuthError } from '../core/errors.ts'
import type { InternalError } from '../core/internal-error.ts'

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
