/** An API of API Gateway as it is to be deployed: its routes, and the scopes it admits on each. */
import {
  describeValue,
  OptionError,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { checkScope, isReserved, MAX_SCOPES_PER_ROUTE } from '../../../core/scopes.ts'
import { type AppRoute, type ReadRoute, readAppRoutes } from '../app/route.ts'
import { createPathConverter } from './path.ts'

/** An API in front of a backend that is reached over HTTP. It forwards what it admits, token and all. */
export interface ApiDefinition {
  /** 1–128 letters, digits, `_` and `-`. Its authorizer has the same name. */
  readonly name: string
  /**
   * `rest`: a REST API with a `COGNITO_USER_POOLS` authorizer. `http`: an HTTP API with a JWT authorizer,
   * which admits the clients of the definition, 1 to 50 of them, and takes at most 10 scopes a route.
   */
  readonly kind: 'rest' | 'http'
  /**
   * Seconds a REST API keeps a decision about a token: 0 to 3,600, and less than any token lives. Default:
   * 300, less where tokens live no longer. An HTTP API has none.
   */
  readonly authorizerTtl?: number
  /**
   * At least one, from code, from `readRoutes` or by hand. API Gateway admits a token with ANY scope it is
   * given: where a route asks for all of several, it is given all of them, and the app still has to check
   * that a token has every one. `{}`, a valid token, is any scope of the definition on a REST API. Open at
   * the gateway are routes with `optional` or `other`, which requests without a token may pass as well.
   */
  readonly routes: readonly AppRoute[]
}

/** With everything decided. */
export interface ReadApi extends ApiDefinition {
  readonly routes: readonly ReadApiRoute[]
}

export interface ReadApiRoute {
  /** Upper case; `ANY` for every one. */
  readonly method: string
  /** As API Gateway writes it. */
  readonly path: string
  /** `optional`, or what a token has to have. */
  readonly auth: AppRoute['auth']
}

/** What an API is defined beside. */
export interface DefinedAccess {
  /** Every scope of the resource servers. */
  readonly scopes: ReadonlySet<string>
  readonly clients: readonly { readonly accessTokenValidity: number }[]
}

const NAME = /^[\w-]{1,128}$/
const METHODS = new Set(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'])
/** Most clients in the audience of a JWT authorizer: a fixed quota of HTTP APIs. */
const MAX_AUDIENCE = 50

/** @throws {OptionError} naming the member that API Gateway would refuse. */
export function readApi(value: unknown, neighbours: DefinedAccess): ReadApi {
  const members = readMembers(value, ['name', 'kind', 'authorizerTtl', 'routes'], 'api')
  const { name, kind } = members
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new OptionError(
      'api.name',
      `expected 1 to 128 letters, digits, _ and -, got ${describeValue(name)}. Change the name.`,
    )
  }
  if (kind !== 'rest' && kind !== 'http') {
    throw new OptionError(
      'api.kind',
      `expected rest or http, got ${describeValue(kind)}. Change the kind.`,
    )
  }
  const routes = readRoutes(members['routes'], kind, neighbours.scopes)
  if (kind === 'rest') return { name, kind, authorizerTtl: readTtl(members, neighbours), routes }
  if ('authorizerTtl' in members) {
    throw new OptionError(
      'api.authorizerTtl',
      `expected no value for an HTTP API, got ${describeValue(members['authorizerTtl'])}. Leave it out.`,
    )
  }
  const { length } = neighbours.clients
  if (length === 0 || length > MAX_AUDIENCE) {
    const problem = `expected 1 to ${MAX_AUDIENCE} clients for an HTTP API, got ${length}. Add or remove clients.`
    throw new OptionError('clients', problem)
  }
  return { name, kind, routes }
}

/** A decision that outlives its token would admit it after it expired. */
function readTtl(members: Readonly<Record<string, unknown>>, { clients }: DefinedAccess): number {
  const shortest = Math.min(...clients.map(({ accessTokenValidity }) => accessTokenValidity))
  const max = Math.min(3600, shortest - 1)
  const range = { defaultValue: Math.min(300, max), min: 0, max, unit: 'seconds', integer: true }
  return readNumber(members, 'authorizerTtl', 'api', range)
}

function readRoutes(
  value: unknown,
  kind: ReadApi['kind'],
  scopes: ReadonlySet<string>,
): readonly ReadApiRoute[] {
  const toPath = createPathConverter(kind)
  const routes = new Map<string, ReadApiRoute>()
  for (const [index, route] of readAppRoutes(value, 'api.routes').entries()) {
    const optionPath = `api.routes[${index}]`
    if (!METHODS.has(route.method)) {
      const methods = [...METHODS].join(', ')
      throw new OptionError(
        `${optionPath}.method`,
        `expected one of ${methods}, got ${describeValue(route.method)}. Change the method.`,
      )
    }
    const { method } = route
    const path = toPath(route.path, `${optionPath}.path`)
    const read = { method, path, auth: readAuth(route, `${optionPath}.auth`, scopes) }
    checkScopeCount(toGatewayRoute(read, kind, scopes), kind, optionPath)
    const key = `${method} ${path}`
    const before = routes.get(key) ?? read
    if (JSON.stringify(before) !== JSON.stringify(read)) {
      throw new OptionError(
        optionPath,
        `expected one requirement for ${key}, got a second one. Merge the two routes.`,
      )
    }
    routes.set(key, read)
  }
  if (routes.size === 0)
    throw new OptionError(
      'api.routes',
      'expected at least one route, got an empty array. Add a route.',
    )
  // Methods of one path stand together, as documents write them.
  const all = [...routes.values()]
  const paths = new Set(all.map(({ path }) => path))
  return [...paths].flatMap((path) => all.filter((route) => route.path === path))
}

/** In one form, whichever way it is written. */
function readAuth(
  { allowsAnonymous, other, alternatives }: ReadRoute,
  optionPath: string,
  defined: ReadonlySet<string>,
): ReadApiRoute['auth'] {
  for (const scope of new Set(alternatives.flat())) {
    // Tokens of users may carry scopes that Cognito itself defines.
    if (!isReserved(scope)) readScope(scope, optionPath, defined)
  }
  if (alternatives.length === 0) return false
  // The gateway cannot let through requests with a token and without one.
  if (allowsAnonymous || other) return { optional: true }
  if (alternatives.some((set) => set.length === 0)) return {}
  const sets = [...new Map(alternatives.map((set) => [JSON.stringify(set), set])).values()]
  const [scopes, ...more] = sets as [readonly string[], ...(readonly string[])[]]
  if (more.length === 0) return { scopes }
  return { anyOf: sets.map((set) => (set.length === 1 ? (set[0] as string) : set)) }
}

/** Sets of scopes of which a token has to have one whole; none where no token is asked for. */
function listAlternatives(auth: ReadApiRoute['auth']): readonly (readonly string[])[] {
  if (auth === false || auth.optional) return []
  const { scopes = [], anyOf = [scopes] } = auth
  return anyOf.map((choice) => (typeof choice === 'string' ? [choice] : choice))
}

/** A scope that a resource server of the definition defines. */
export function readScope(
  value: unknown,
  optionPath: string,
  defined: ReadonlySet<string>,
): string {
  const scope = checkScope(value, optionPath)
  if (defined.has(scope)) return scope
  throw new OptionError(
    optionPath,
    `expected a scope that a resource server defines, got ${describeValue(scope)}. Define the scope or correct the spelling.`,
  )
}

/** A route as API Gateway is told of it. */
export interface GatewayRoute {
  readonly method: string
  readonly path: string
  readonly isPublic: boolean
  /** Scopes its authorizer is given, which admits a token with any of them. */
  readonly scopes: readonly string[]
  /** A comment where that is not what the app asks for. */
  readonly note?: string
}

export const toGatewayRoutes = (
  { kind, routes }: ReadApi,
  every: Iterable<string>,
): readonly GatewayRoute[] => routes.map((route) => toGatewayRoute(route, kind, every))

function toGatewayRoute(
  { method, path, auth }: ReadApiRoute,
  kind: ReadApi['kind'],
  every: Iterable<string>,
): GatewayRoute {
  const alternatives = listAlternatives(auth)
  const route = {
    method,
    path,
    isPublic: alternatives.length === 0,
    scopes: [] as readonly string[],
  }
  if (route.isPublic) return auth === false ? route : { ...route, note: OPTIONAL_NOTE }
  // What every set has is enough to tell; where they have nothing in common, any scope of any of them.
  const [first = [], ...others] = alternatives
  const common = first.filter((scope) => others.every((set) => set.includes(scope)))
  const wanted = common.length > 0 ? common : [...new Set(alternatives.flat())]
  if (wanted.length === 0) {
    return kind === 'http' ? route : { ...route, scopes: [...every], note: ANY_SCOPE_NOTE }
  }
  const more = alternatives.some((set) => set.length > 1)
  return { ...route, scopes: wanted, ...(more && { note: PARTIAL_NOTE }) }
}

const OPTIONAL_NOTE =
  'Open here: the app takes requests without a token too, and judges those with one.'
const ANY_SCOPE_NOTE = 'Any scope will do: without scopes the authorizer would expect an ID token.'
const PARTIAL_NOTE = 'Any of these is let through. The app asks for more, and checks it.'

function checkScopeCount(
  { isPublic, scopes: { length } }: GatewayRoute,
  kind: ReadApi['kind'],
  optionPath: string,
): void {
  if (kind === 'http' && length > MAX_SCOPES_PER_ROUTE) {
    const problem = `expected at most ${MAX_SCOPES_PER_ROUTE} scopes for a route of an HTTP API, got ${length}. Require fewer scopes.`
    throw new OptionError(`${optionPath}.auth`, problem)
  }
  if (kind === 'rest' && !isPublic && length === 0) {
    const problem =
      'expected a scope for a route of a REST API, got none. Define one: without a scope, the authorizer expects an ID token.'
    throw new OptionError(`${optionPath}.auth`, problem)
  }
}
