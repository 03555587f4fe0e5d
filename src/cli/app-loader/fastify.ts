/** Remembers the routes of every Fastify app from the moment it is made. */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { AppRoute, Position } from '../../contract/infra/index.ts'
import {
  getRequirementResolver,
  hasUnguardedCheck,
  type RequirementSummary,
} from '../../core/introspection.ts'
import { InspectionFailure } from './format-error.ts'
import { type AppRoutes, combineRequirements } from './inspection.ts'
import { normalizePaths } from './paths.ts'
import { getCallerPosition } from './stack.ts'

interface DeclaredRoute {
  readonly context: object
  /** Kept as it is: plugins put a config of their own in its place later. */
  readonly options: RouteOptions
  readonly method: string
  readonly url: string
  readonly at: Position | undefined
}

/** Apps by themselves, and what was declared in them. */
export type FastifyApps = ReadonlyMap<object, readonly DeclaredRoute[]>

/** From here on; apps that exist already stay unknown. */
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
 * Its routes with what each needs, once it is ready: plugins are loaded by then, and hooks have run.
 *
 * @param fallback The place of a route that no line of the owner's declares.
 */
export async function readFastifyRoutes(
  app: FastifyInstance,
  declared: readonly DeclaredRoute[],
  fallback: Position,
): Promise<AppRoutes> {
  await waitUntilReady(app, declared)
  const routes = declared
    // The plugin for CORS answers preflights there: it is no route of the API.
    .filter(({ method, url }) => !(method === 'OPTIONS' && url === '*'))
    .flatMap((route) => {
      const { method, url, at = fallback } = route
      const auth = readAuth(route)
      const unprotected = isUnprotected(app, route)
      return normalizePaths(url).map(
        (path): AppRoute => ({ method, path, auth, at, ...(unprotected && { unprotected }) }),
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

/** An app that does not start because routes of it have no guard is read all the same: each is told. */
async function waitUntilReady(
  app: FastifyInstance,
  declared: readonly DeclaredRoute[],
): Promise<void> {
  try {
    await app.ready()
  } catch (error) {
    const { option } = error as { readonly option?: unknown }
    const isTold = String(option).startsWith('config.auth of ')
    if (!isTold || !declared.some((route) => isUnprotected(app, route))) throw error
  }
}

/** Whether it asks for a guard and has none, in an app whose `config.auth` is this package's. */
function isUnprotected(app: FastifyInstance, { context, options }: DeclaredRoute): boolean {
  const config = Object(options.config) as NonNullable<RouteOptions['config']>
  const declares = 'auth' in config && config.auth !== false
  return declares && getRequirementResolver(context) === undefined && hasUnguardedCheck(app)
}

const getRouteKey = ({ path, auth }: AppRoute): string => JSON.stringify([path, auth])

function readAuth({ context, options, method, url }: DeclaredRoute): AppRoute['auth'] {
  const needs = getRequirementResolver(context)
  if (needs === undefined) return false
  let need: RequirementSummary | false
  try {
    need = needs(context, options.config ?? {})
  } catch (error) {
    throw new InspectionFailure(`${method} ${url}: ${(error as Error).message}`)
  }
  return combineRequirements(need === false ? [] : [need])
}
