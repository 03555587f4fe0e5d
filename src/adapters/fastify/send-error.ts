/** Responds to a rejected request of Fastify through the app's error handler. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ResponseError, respondWithError } from '../respond.ts'

/** The callback of a Fastify hook. */
export type Done = (error?: Error) => void

/** Sets status and headers, and passes the error to the app's error handler. */
export function sendError(
  error: ResponseError,
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
): void {
  respondWithError(error, {
    setErrorHeaders: ({ statusCode, headers }) => {
      reply.code(statusCode).headers(headers)
      endUpgrade(request, reply)
    },
    sendError: done,
  })
}

/**
 * Node no longer manages the socket of an upgrade, so nothing closes it after an ordinary response.
 * @fastify/websocket closes it only if its hook ran before this one.
 */
function endUpgrade(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.upgrade === undefined) return
  reply.header('connection', 'close')
  const { socket } = reply.raw
  reply.raw.once('finish', () => socket?.end(() => socket.destroy()))
}
