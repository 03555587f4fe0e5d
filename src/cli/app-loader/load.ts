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

/** Export names that are looked at first, in this order. */
const EXPORT_NAMES = ['default', 'app', 'server']
/** Other functions may do anything: they are not called. */
const FACTORY_NAME =
  /^(?:build|(?:create|make)$|(?:create|make).*(?:App|Api|API|Server|Express|Fastify)$)/

export interface AppSearch<App> {
  /** The module's namespace. */
  readonly exported: object
  readonly isApp: (value: unknown) => value is App
  /** The apps that were made meanwhile and are mounted in no other. */
  readonly listCreated: () => readonly App[]
  /** Settles when the module listens, or has nothing left to do. */
  readonly settled: Promise<void>
}

/**
 * An app that is exported, promised or made by an exported function that takes no arguments; else the
 * only one that was made.
 *
 * @throws {InspectionFailure} where there is none, and where there are several.
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
  // Who exports none declares routes until it listens.
  await settled
  const [app, another] = listCreated()
  if (app === undefined) throw new InspectionFailure(`makes no app: ${describeExports(uncallable)}`)
  if (another !== undefined) {
    throw new InspectionFailure(
      'makes several apps: export the one that is meant, as default or app',
    )
  }
  return app
}

/** A call without them runs the owner's code on undefined: it may connect to anything, or fail far away. */
function hasParameters(value: { readonly length: number }): boolean {
  return value.length > 0 || /^class\b/.test(Function.prototype.toString.call(value))
}

/** What to export, where functions stayed uncalled or where there is nothing at all. */
function describeExports([name, ...more]: readonly string[]): string {
  if (name === undefined) {
    return 'export a Fastify instance, an Express app, or a function without arguments that makes one, as default or app'
  }
  const named =
    more.length === 0
      ? `export ${name} takes arguments`
      : `exports ${[name, ...more].join(', ')} take arguments`
  return `its ${named} and cannot be called: export the app that it makes, or a function without parameters, as default or app`
}

/** CommonJS exports an object as default: its members count as exports. */
export function listExports(exported: object): ReadonlyMap<string, unknown> {
  const own = new Map<string, unknown>(Object.entries(exported))
  const given = own.get('default')
  if (typeof given !== 'object' || given === null) return own
  return new Map([...Object.entries(given), ...own])
}

/** What watches while modules load. */
interface LoadContext {
  readonly fastify: FastifyApps
  readonly express: ExpressWatch
  readonly load: (url: string) => Promise<object>
  readonly settled: Promise<void>
}

/** @throws {InspectionFailure} and whatever the module throws. */
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
  if (routes.length === 0) throw new InspectionFailure('makes an app without a route')
  if (hasGuard) return routes
  throw new InspectionFailure(
    'makes an app that nothing of cognito-m2m guards: register cognitoAuth, or put auth(…) in front of its routes',
  )
}

/** One for each identifier: what is exported twice, under two names or in an array, counts once. */
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
