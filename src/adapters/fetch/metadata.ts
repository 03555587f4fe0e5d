/** Serves the metadata document (RFC 9728) as a `Response`. */

import { type ResourceMetadataConfig, requireMetadata } from '../../core/resource-metadata.ts'
import type { ResourceServer } from '../../core/resource-server.ts'

/**
 * @returns A function that returns the document for GET and HEAD requests of its path, else null.
 * @throws {OptionError} `ERR_OPTION_INVALID` without the option `resourceMetadata`.
 */
export function createMetadataResponder(
  server: ResourceServer,
  metadata: ResourceMetadataConfig | undefined,
): (request: Request) => Response | null {
  const { path } = requireMetadata(metadata)
  return ({ method, url }) => {
    const isRead = method === 'GET' || method === 'HEAD'
    if (!isRead || new URL(url).pathname !== path) return null
    return new Response(JSON.stringify(server.resourceMetadata()), {
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
  }
}
