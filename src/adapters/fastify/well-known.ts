/** Serves the resource's metadata (RFC 9728) where callers look for it: below the host's root. */
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import type { ResourceServer } from '../../core/resource-server.ts'
import { rootOf } from './registrations.ts'

/**
 * The document is open to everyone. Its route is the root's: in a context of its own it would get
 * that context's prefix, and the guard of whatever stands around it.
 */
export function serveMetadata(
  app: FastifyInstance,
  server: ResourceServer,
  path: string,
  options: RouteShorthandOptions,
): void {
  rootOf(app).get(path, { ...options, config: { auth: false } }, async () =>
    server.resourceMetadata(),
  )
}
