/** Loads a module and reads the app that it makes. Runs in the child process. */
import type { FastifyInstance } from 'fastify'
import {
  getResourceServer,
  isDefinedScopes,
  type ResourceServerDefinition,
} from '../../core/scopes.ts'
import { type ExpressApp, type ExpressWatch, isExpressApp, readExpressRoutes } from './express.ts'
import { type FastifyApps, readFastifyRoutes } from './fastify.ts'
import { InspectionFailure } from './format-error.ts'
import type { AppRoutes, Inspection, Job } from './inspection.ts'

/** Export names with priority, in this order. */
const EXPORT_NAMES = ['default', 'app', 'server']
/** Names of exported functions that are called. Other functions may have any effect. */
const FACTORY_NAME =
  /^(?:build|(?:create|make)$|(?:create|make).*(?:App|Api|API|Server|Express|Fastify)$)/

export interface AppSearch<App> {
  /** The module's namespace. */
  readonly exported: object
  readonly isApp: (value: unknown) => value is App
  /** Lists the apps that were created and are not mounted in another app. */
  readonly listCreated: () => readonly App[]
  /** Resolves when the module listens, or its event loop is empty. */
  readonly settled: Promise<void>
}

/**
 * Finds an app that is exported, a promise, or the result of an exported function without parameters.
 * Otherwise returns the only app that was created.
 *
 * @throws {InspectionFailure} for no app, and for several.
 */
async function findApp<App>(search: AppSearch<App>): Promise<App> {
  const { exported, isApp, listCreated, settled } = search
  const members = listExports(exported)
  const others = [...members.keys()].filter((name) => !EXPORT_NAMES.includes(name))
  for (const name of [...EXPORT_NAMES, ...others]) {
    const value = members.get(name)
    if (isApp(value)) return value
  }
  const uncallable: string[] = []
  for (const name of [...EXPORT_NAMES, ...others.filter((it) => FACTORY_NAME.test(it))]) {
    const value = members.get(name)
    if (typeof value === 'function' && hasParameters(value)) {
      uncallable.push(name)
      continue
    }
    const app = await (typeof value === 'function' ? value() : value)
    if (isApp(app)) return app
  }
  // A module without an exported app declares routes until it listens.
  await settled
  const [app, another] = listCreated()
  if (app === undefined)
    throw new InspectionFailure(`expected an app, ${describeExports(uncallable)}`)
  if (another !== undefined) {
    throw new InspectionFailure(
      'expected one app, got several. Export one of them as default or app.',
    )
  }
  return app
}

/** A call without arguments would run such code on undefined: it may connect to anything, or fail late. */
function hasParameters(value: { readonly length: number }): boolean {
  return value.length > 0 || /^class\b/.test(Function.prototype.toString.call(value))
}

/** Describes what the module exports instead of an app, and what to export. */
function describeExports(uncallable: readonly string[]): string {
  if (uncallable.length === 0) {
    return 'got none. Export a Fastify instance, an Express app, or a function without parameters that creates one, as default or app.'
  }
  return `got only functions with parameters (${uncallable.join(', ')}). Export the app, or a function without parameters, as default or app.`
}

/** Lists exports. CommonJS exports an object as default, so its members count too. */
export function listExports(exported: object): ReadonlyMap<string, unknown> {
  const own = new Map<string, unknown>(Object.entries(exported))
  const defaultExport = own.get('default')
  if (typeof defaultExport !== 'object' || defaultExport === null) return own
  return new Map([...Object.entries(defaultExport), ...own])
}

/** Observers of the modules that load. */
interface LoadContext {
  readonly fastify: FastifyApps
  readonly express: ExpressWatch
  readonly load: (url: string) => Promise<object>
  readonly settled: Promise<void>
}

/** @throws {InspectionFailure} for an invalid app. Errors of the module pass through. */
export async function inspectModule(job: Job, context: LoadContext): Promise<Inspection> {
  const { fastify, express, load, settled } = context
  const exported = await load(job.module)
  const scopes = job.scopes === undefined ? [] : [await load(job.scopes)]
  const app = await findApp<object>({
    exported,
    settled,
    isApp: (value): value is object => fastify.has(value as object) || isExpressApp(value),
    listCreated: () => [
      ...fastify.keys(),
      ...[...express.apps].filter(({ parent }) => parent === undefined),
    ],
  })
  const fallback = { file: job.name, line: 1, column: 1 }
  const declared = fastify.get(app)
  const read =
    declared === undefined
      ? readExpressRoutes(app as ExpressApp, express, fallback)
      : await readFastifyRoutes(app as FastifyInstance, declared, fallback)
  return {
    routes: assertGuarded(read),
    resourceServers: collectResourceServers([exported, ...scopes]),
  }
}

function assertGuarded({ routes, hasGuard }: AppRoutes): AppRoutes['routes'] {
  if (routes.length === 0) {
    throw new InspectionFailure(
      'expected an app with routes, got none. Declare the routes before the app listens.',
    )
  }
  if (hasGuard) return routes
  throw new InspectionFailure(
    'expected a guard of cognito-m2m in the app, got none. Register cognitoAuth, or add auth() before the routes.',
  )
}

/** Merges resource servers by identifier: an export may repeat under two names, or in an array. */
function collectResourceServers(modules: readonly object[]): readonly ResourceServerDefinition[] {
  const servers = new Map<string, ResourceServerDefinition>()
  for (const scopes of modules.flatMap((it) => [...listExports(it).values()].flat())) {
    if (!isDefinedScopes(scopes)) continue
    const server = getResourceServer(scopes, 'scopes')
    const { identifier } = server
    const before = servers.get(identifier)?.scopes
    servers.set(identifier, { identifier, scopes: { ...before, ...server.scopes } })
  }
  return [...servers.values()]
}
