/** Serves the metadata document (RFC 9728) in Koa. */
import type { Middleware } from 'koa'
import { type ResourceMetadataConfig, requireMetadata } from '../../core/resource-metadata.ts'
import type { ResourceServer } from '../../core/resource-server.ts'

/** Middleware that serves the document to every caller. */
export function serveMetadata(
  server: ResourceServer,
  metadata: ResourceMetadataConfig | undefined,
): Middleware {
  const { path } = requireMetadata(metadata)
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    // `originalUrl`: koa-mount cuts the mount path off `path`.
    if (!isRead || ctx.originalUrl.split('?', 1)[0] !== path) return next()
    ctx.type = 'application/json; charset=utf-8'
    ctx.body = JSON.stringify(server.resourceMetadata())
  }
}
