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
import { type AppRoutes, requirementOf } from './inspection.ts'
import { plainPaths } from './paths.ts'
import { callerPosition } from './stack.ts'

interface Declared {
  readonly context: object
  /** Kept as it is: plugins put a config of their own in its place later. */
  readonly options: RouteOptions
  readonly method: string
  readonly url: string
  readonly at: Position | undefined
}

/** Apps by themselves, and what was declared in them. */
export type FastifyApps = ReadonlyMap<object, readonly Declared[]>

/** From here on; apps that exist already stay unknown. */
export function watchFastify(): FastifyApps {
  const apps = new Map<object, Declared[]>()
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { readonly fastify: FastifyInstance }
    const declared: Declared[] = []
    apps.set(fastify, declared)
    fastify.addHook('onRoute', function (this: FastifyInstance, options) {
      const { url } = options
      const at = callerPosition()
      for (const method of methodsOf(options, fastify)) {
        declared.push({ context: this, options, method, url, at })
      }
    })
  })
  return apps
}

function methodsOf({ method }: RouteOptions, { supportedMethods }: FastifyInstance): string[] {
  const methods = [method].flat()
  return methods.length < supportedMethods.length ? methods : ['ANY']
}

/**
 * Its routes with what each needs, once it is ready: plugins are loaded by then, and hooks have run.
 *
 * @param fallback The place of a route that no line of the owner's declares.
 */
export async function fastifyRoutes(
  app: FastifyInstance,
  declared: readonly Declared[],
  fallback: Position,
): Promise<AppRoutes> {
  await settle(app, declared)
  const routes = declared
    // The plugin for CORS answers preflights there: it is no route of the API.
    .filter(({ method, url }) => !(method === 'OPTIONS' && url === '*'))
    .flatMap((route) => {
      const { method, url, at = fallback } = route
      const auth = authOf(route)
      const unprotected = isUnprotected(app, route)
      return plainPaths(url).map(
        (path): AppRoute => ({ method, path, auth, at, ...(unprotected && { unprotected }) }),
      )
    })
  const gets = new Set(routes.filter(({ method }) => method === 'GET').map(twinOf))
  return {
    guarded:
      declared.some(({ context }) => getRequirementResolver(context) !== undefined) ||
      hasUnguardedCheck(app),
    routes: routes.filter((route) => route.method !== 'HEAD' || !gets.has(twinOf(route))),
  }
}

/** An app that does not start because routes of it have no guard is read all the same: each is told. */
async function settle(app: FastifyInstance, declared: readonly Declared[]): Promise<void> {
  try {
    await app.ready()
  } catch (error) {
    const { option } = error as { readonly option?: unknown }
    const isTold = String(option).startsWith('config.auth of ')
    if (!isTold || !declared.some((route) => isUnprotected(app, route))) throw error
  }
}

/** Whether it asks for a guard and has none, in an app whose `config.auth` is this package's. */
function isUnprotected(app: FastifyInstance, { context, options }: Declared): boolean {
  const config = Object(options.config) as NonNullable<RouteOptions['config']>
  const declares = 'auth' in config && config.auth !== false
  return declares && getRequirementResolver(context) === undefined && hasUnguardedCheck(app)
}

const twinOf = ({ path, auth }: AppRoute): string => JSON.stringify([path, auth])

function authOf({ context, options, method, url }: Declared): AppRoute['auth'] {
  const needs = getRequirementResolver(context)
  if (needs === undefined) return false
  let need: RequirementSummary | false
  try {
    need = needs(context, options.config ?? {})
  } catch (error) {
    throw new InspectionFailure(`${method} ${url}: ${(error as Error).message}`)
  }
  return requirementOf(need === false ? [] : [need])
}
