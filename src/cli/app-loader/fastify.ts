/** Records the routes of every Fastify app from its creation. */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { AppRoute, Position } from '../../contract/infra/index.ts'
import {
  getRequirementResolver,
  hasUnguardedCheck,
  type RequirementSummary,
} from '../../core/introspection.ts'
import { omitUndefined } from '../../core/options/validate.ts'
import { InspectionFailure } from './format-error.ts'
import { type AppRoutes, combineRequirements } from './inspection.ts'
import { normalizePaths } from './paths.ts'
import { getCallerPosition } from './stack.ts'

interface DeclaredRoute {
  readonly context: object
  /** Not copied, because plugins replace its config later. */
  readonly options: RouteOptions
  readonly method: string
  readonly url: string
  readonly at: Position | undefined
}

/** Declared routes by app. */
export type FastifyApps = ReadonlyMap<object, readonly DeclaredRoute[]>

/** Starts recording. Existing apps are not recorded. */
export function watchFastify(): FastifyApps {
  const apps = new Map<object, DeclaredRoute[]>()
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { readonly fastify: FastifyInstance }
    const declared: DeclaredRoute[] = []
    apps.set(fastify, declared)
    fastify.addHook('onRoute', function (this: FastifyInstance, options) {
      const { url } = options
      const at = getCallerPosition()
      for (const method of listMethods(options, fastify)) {
        declared.push({ context: this, options, method, url, at })
      }
    })
  })
  return apps
}

function listMethods({ method }: RouteOptions, { supportedMethods }: FastifyInstance): string[] {
  const methods = [method].flat()
  return methods.length < supportedMethods.length ? methods : ['ANY']
}

/**
 * Reads the routes with their requirements from the ready app: its plugins are loaded, and hooks have run.
 *
 * @param fallback Position of routes without a line in the code of the app.
 */
export async function readFastifyRoutes(
  app: FastifyInstance,
  declared: readonly DeclaredRoute[],
  fallback: Position,
): Promise<AppRoutes> {
  await waitUntilReady(app, declared)
  const routes = declared
    // The CORS plugin declares this route for preflight requests. It does not belong to the API.
    .filter(({ method, url }) => !(method === 'OPTIONS' && url === '*'))
    .flatMap((route) => {
      const { method, url, at = fallback } = route
      const auth = readAuth(route)
      const unprotected = isUnprotected(app, route) ? true : undefined
      return normalizePaths(url).map((path) =>
        omitUndefined<AppRoute>({ method, path, auth, at, unprotected }),
      )
    })
  const gets = new Set(routes.filter(({ method }) => method === 'GET').map(getRouteKey))
  return {
    hasGuard:
      declared.some(({ context }) => getRequirementResolver(context) !== undefined) ||
      hasUnguardedCheck(app),
    routes: routes.filter((route) => route.method !== 'HEAD' || !gets.has(getRouteKey(route))),
  }
}

/** An app that does not start because routes have no guard is still read, to report each route. */
async function waitUntilReady(
  app: FastifyInstance,
  declared: readonly DeclaredRoute[],
): Promise<void> {
  try {
    await app.ready()
  } catch (error) {
    const { option } = error as { readonly option?: unknown }
    const isRouteError = String(option).startsWith('config.auth of ')
    if (!isRouteError || !declared.some((route) => isUnprotected(app, route))) throw error
  }
}

/** Whether the route declares `config.auth` without a guard, in an app where this package reads it. */
function isUnprotected(app: FastifyInstance, { context, options }: DeclaredRoute): boolean {
  const config = Object(options.config) as NonNullable<RouteOptions['config']>
  const declares = 'auth' in config && config.auth !== false
  return declares && getRequirementResolver(context) === undefined && hasUnguardedCheck(app)
}

const getRouteKey = ({ path, auth }: AppRoute): string => JSON.stringify([path, auth])

function readAuth({ context, options, method, url }: DeclaredRoute): AppRoute['auth'] {
  const resolveRequirement = getRequirementResolver(context)
  if (resolveRequirement === undefined) return false
  let requirement: RequirementSummary | false
  try {
    requirement = resolveRequirement(context, options.config ?? {})
  } catch (error) {
    throw new InspectionFailure(`${method} ${url}: ${(error as Error).message}`)
  }
  return combineRequirements(requirement === false ? [] : [requirement])
}
