/** Serves the resource's metadata (RFC 9728). */
import type { IncomingMessage } from 'node:http'
import type { ServerOptions } from '../../core/options/options.ts'
import { OptionError } from '../../core/options/validate.ts'
import type { ResourceServer } from '../../core/resource-server.ts'
import type { Middleware } from './cognito-auth.ts'
import { failuresTo } from './send-error.ts'

/** @param options `metadata` is undefined where the option was not set. */
export function serveMetadata(
  server: ResourceServer,
  { metadata: plan, logger }: Pick<ServerOptions, 'metadata' | 'logger'>,
): Middleware {
  if (plan === undefined) {
    throw new OptionError('resourceMetadata', 'is missing: set it to serve a metadata document')
  }
  return (request, response, next) => {
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (!reading || pathOf(request) !== plan.path) {
      next()
      return
    }
    const serve = failuresTo(
      next,
      response,
      logger,
    )(() => {
      const body = Buffer.from(JSON.stringify(server.resourceMetadata()))
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('content-length', body.length)
      response.end(body)
    })
    serve(undefined)
  }
}

/** The whole path: below a mount point `url` has lost its beginning. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string | undefined {
  return (request.originalUrl ?? request.url)?.split('?', 1)[0]
}
