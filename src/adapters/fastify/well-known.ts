/** Serves the metadata of the resource (RFC 9728) at its well-known path. */
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import type { ResourceServer } from '../../core/resource-server.ts'
import { getRoot } from './registrations.ts'

/**
 * Adds the public route of the document to the root: in another context it would get that context's
 * prefix and guard.
 */
export function serveMetadata(
  app: FastifyInstance,
  server: ResourceServer,
  path: string,
  options: RouteShorthandOptions,
): void {
  getRoot(app).get(path, { ...options, config: { auth: false } }, async () =>
    server.resourceMetadata(),
  )
}
