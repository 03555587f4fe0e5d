/** Loads a module and reads the app that it makes. Runs in the child process. */
import type { FastifyInstance } from 'fastify'
import { isDefinedScopes, type ResourceServer, resourceServerOf } from '../../core/scopes.ts'
import { type ExpressApp, type ExpressWatch, isExpressApp } from './express.ts'
import { expressRoutes } from './express-routes.ts'
import { type FastifyApps, fastifyRoutes } from './fastify.ts'
import { findApp, membersOf } from './find-app.ts'
import { type AppRoutes, type Inspection, InspectionFailure } from './inspection.ts'

/** What is to be read. */
export interface Job {
  /** The module as it was named. */
  readonly name: string
  /** `file:` URLs. */
  readonly module: string
  readonly scopes?: string
}

/** What watches while modules load. */
export interface Watching {
  readonly fastify: FastifyApps
  readonly express: ExpressWatch
  readonly load: (url: string) => Promise<object>
  readonly settled: Promise<void>
}

/** @throws {InspectionFailure} and whatever the module throws. */
export async function inspectModule(job: Job, watching: Watching): Promise<Inspection> {
  const { fastify, express, load, settled } = watching
  const exported = await load(job.module)
  const scopes = job.scopes === undefined ? [] : [await load(job.scopes)]
  const app = await findApp<object>({
    exported,
    settled,
    isApp: (value): value is object => fastify.has(value as object) || isExpressApp(value),
    made: () => [
      ...fastify.keys(),
      ...[...express.apps].filter(({ parent }) => parent === undefined),
    ],
  })
  const fallback = { file: job.name, line: 1, column: 1 }
  const declared = fastify.get(app)
  const read =
    declared === undefined
      ? expressRoutes(app as ExpressApp, express, fallback)
      : await fastifyRoutes(app as FastifyInstance, declared, fallback)
  return { routes: checked(read), resourceServers: definedIn([exported, ...scopes]) }
}

function checked({ routes, guarded }: AppRoutes): AppRoutes['routes'] {
  if (routes.length === 0) throw new InspectionFailure('makes an app without a route')
  if (guarded) return routes
  throw new InspectionFailure(
    'makes an app that nothing of cognito-m2m guards: register cognitoAuth, or put auth(…) in front of its routes',
  )
}

/** One for each identifier: what is exported twice, under two names or in an array, counts once. */
function definedIn(modules: readonly object[]): readonly ResourceServer[] {
  const servers = new Map<string, ResourceServer>()
  for (const scopes of modules.flatMap((it) => [...membersOf(it).values()].flat())) {
    if (!isDefinedScopes(scopes)) continue
    const server = resourceServerOf(scopes, 'scopes')
    const { identifier } = server
    const before = servers.get(identifier)?.scopes
    servers.set(identifier, { identifier, scopes: { ...before, ...server.scopes } })
  }
  return [...servers.values()]
}
