/** The pattern of a request's route in Express, for events and log lines. */
import type { RouteReader } from '../../core/trace-decision.ts'

/** Distinct mount paths that are reported. */
const MAX_MOUNT_PATHS = 50
/** A segment of a mount path that is a short word or a version; any other may be a value of the caller. */
const WORD = /^(?:[a-z][a-z_-]{0,31}|v\d{1,2})$/

interface ExpressRequest {
  /** Only while a route's own middleware runs; `app.use` runs before a route is chosen. */
  readonly route?: { readonly path?: unknown }
  readonly baseUrl?: unknown
}

/**
 * Creates the reader of one app. Express shows the path of a mounted router as the caller wrote it, not its pattern.
 * Segments that may be values become `*`, and so does the whole mount path after {@link MAX_MOUNT_PATHS} different
 * ones.
 */
export function createRouteReader(): RouteReader {
  const mountPaths = new Set([''])
  return (request) => {
    const { route, baseUrl } = request as ExpressRequest
    const path = route?.path
    if (typeof path !== 'string') return null
    const mountPath = String(baseUrl ?? '')
      .split('/')
      .map((segment) => (segment === '' || WORD.test(segment) ? segment : '*'))
      .join('/')
    if (mountPaths.size < MAX_MOUNT_PATHS) mountPaths.add(mountPath)
    return `${mountPaths.has(mountPath) ? mountPath : '/*'}${path}`
  }
}
