/** The API Gateway API of a definition: its routes, and the scopes that its authorizer accepts on each. */
import {
  describeValue,
  OptionError,
  omitUndefined,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { checkScope, isReserved, MAX_SCOPES_PER_ROUTE } from '../../../core/scopes.ts'
import { type AppRoute, type ReadRoute, readAppRoutes } from '../app/route.ts'
import { createPathConverter } from './path.ts'

/** An API in front of an HTTP backend. It forwards accepted requests with their tokens. */
export interface ApiDefinition {
  /** 1 to 107 letters, digits, `_` and `-`. The authorizer has the same name. */
  readonly name: string
  /**
   * `rest`: a REST API with a `COGNITO_USER_POOLS` authorizer. `http`: an HTTP API with a JWT authorizer. An HTTP API
   * accepts the clients of the definition, 1 to 50, and at most 10 scopes for each route.
   */
  readonly kind: 'rest' | 'http'
  /**
   * How long a REST API caches a decision about a token, in seconds: 0 to 3,600, and less than the shortest
   * `accessTokenValidity`. An HTTP API caches no decisions, so the option is invalid there.
   *
   * @defaultValue 300, or less if tokens expire earlier
   */
  readonly authorizerTtl?: number
  /**
   * How long the access log is kept, in days: a number that CloudWatch Logs accepts, such as 30, 90 or 365. The log has
   * the client of each request, and no token. A REST API also needs a role for logs, once for each account and Region
   * (`AWS::ApiGateway::Account`).
   *
   * @defaultValue No access log
   */
  readonly accessLogDays?: number
  /**
   * The limit of requests to all routes together: `rate` for each second, and `burst` at once. Whole numbers from 1.
   *
   * @defaultValue The limits of the account
   */
  readonly throttling?: { readonly rate: number; readonly burst: number }
  /**
   * The routes of the API, at least one. They come from code, from `readRoutes` or `readOpenApi`.
   *
   * API Gateway accepts a token that has any scope of the list. If a route requires several scopes, the list has all of
   * them, and the app must check that the token has each one. On a REST API, `{}` accepts any scope of the definition.
   * Routes with `optional` or `other` are public at the gateway.
   */
  readonly routes: readonly AppRoute[]
}

/** An API definition after validation, with defaults. */
export interface ReadApi extends ApiDefinition {
  readonly routes: readonly ReadApiRoute[]
}

export interface ReadApiRoute {
  /** Upper case, or `ANY`. */
  readonly method: string
  /** In the syntax of API Gateway. */
  readonly path: string
  /** Without `other`: a route with `other` is `optional` at the gateway. */
  readonly auth: AppRoute['auth']
}

/** The scopes and clients that the API can refer to. */
export interface DefinedAccess {
  /** Every scope of the resource servers. */
  readonly scopes: ReadonlySet<string>
  readonly clients: readonly { readonly accessTokenValidity: number }[]
}

/** A stage adds up to 21 characters to the name. */
const NAME = /^[\w-]{1,107}$/
const MEMBERS = ['name', 'kind', 'authorizerTtl', 'accessLogDays', 'throttling', 'routes']
/** How long CloudWatch Logs can keep a log, in days. */
const LOG_DAYS: readonly number[] = [
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
  ...[1096, 1827, 2192, 2557, 2922, 3288, 3653],
]
/** Far above the quota of an account, which can be raised. */
const MAX_THROTTLING = 1_000_000
const METHODS = new Set(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'])
/** Most clients in the audience of a JWT authorizer, a quota of HTTP APIs that AWS does not raise. */
const MAX_AUDIENCE = 50

/** @throws {OptionError} `ERR_OPTION_INVALID` with the path of a member that API Gateway would reject. */
export function readApi(value: unknown, optionPath: string, definedAccess: DefinedAccess): ReadApi {
  const members = readMembers(value, MEMBERS, optionPath)
  const { name, kind } = members
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new OptionError(
      `${optionPath}.name`,
      `expected 1 to 107 letters, digits, _ and -, got ${describeValue(name)}. Choose another name.`,
    )
  }
  if (kind !== 'rest' && kind !== 'http') {
    throw new OptionError(
      `${optionPath}.kind`,
      `expected rest or http, got ${describeValue(kind)}. Choose one of the two.`,
    )
  }
  const api = omitUndefined<ReadApi>({
    name,
    kind,
    authorizerTtl: undefined,
    accessLogDays: readLogDays(members['accessLogDays'], `${optionPath}.accessLogDays`),
    throttling: readThrottling(members['throttling'], `${optionPath}.throttling`),
    routes: readRoutes(members['routes'], `${optionPath}.routes`, kind, definedAccess.scopes),
  })
  if (kind === 'rest') {
    return { ...api, authorizerTtl: readTtl(members, optionPath, definedAccess) }
  }
  if ('authorizerTtl' in members) {
    throw new OptionError(
      `${optionPath}.authorizerTtl`,
      `expected no value for an HTTP API, got ${describeValue(members['authorizerTtl'])}. Remove the option.`,
    )
  }
  const { length } = definedAccess.clients
  if (length === 0 || length > MAX_AUDIENCE) {
    const problem = `expected 1 to ${MAX_AUDIENCE} clients for an HTTP API, got ${length}. Add or remove clients.`
    throw new OptionError('clients', problem)
  }
  return api
}

function readLogDays(value: unknown, optionPath: string): number | undefined {
  if (value === undefined || LOG_DAYS.includes(value as number)) return value as number | undefined
  throw new OptionError(
    optionPath,
    `expected one of ${LOG_DAYS.join(', ')}, got ${describeValue(value)}. Choose one of these numbers of days.`,
  )
}

function readThrottling(value: unknown, optionPath: string): ReadApi['throttling'] {
  if (value === undefined) return undefined
  const members = readMembers(value, ['rate', 'burst'], optionPath)
  // Zero would reject every request.
  const range = { defaultValue: 0, min: 1, max: MAX_THROTTLING, integer: true }
  return {
    rate: readNumber(members, 'rate', optionPath, range),
    burst: readNumber(members, 'burst', optionPath, range),
  }
}

/** A cached decision must not outlive the token, or the gateway would accept an expired one. */
function readTtl(
  members: Readonly<Record<string, unknown>>,
  optionPath: string,
  { clients }: DefinedAccess,
): number {
  const shortest = Math.min(...clients.map(({ accessTokenValidity }) => accessTokenValidity))
  const max = Math.min(3600, shortest - 1)
  const range = { defaultValue: Math.min(300, max), min: 0, max, unit: 'seconds', integer: true }
  return readNumber(members, 'authorizerTtl', optionPath, range)
}

function readRoutes(
  value: unknown,
  listPath: string,
  kind: ReadApi['kind'],
  scopes: ReadonlySet<string>,
): readonly ReadApiRoute[] {
  const toPath = createPathConverter(kind)
  const routes = new Map<string, ReadApiRoute>()
  for (const [index, route] of readAppRoutes(value, listPath).entries()) {
    const optionPath = `${listPath}[${index}]`
    if (!METHODS.has(route.method)) {
      const methods = [...METHODS].join(', ')
      throw new OptionError(
        `${optionPath}.method`,
        `expected one of ${methods}, got ${describeValue(route.method)}. Choose one of them.`,
      )
    }
    const { method } = route
    const path = toPath(route.path, `${optionPath}.path`)
    const read = { method, path, auth: readAuth(route, `${optionPath}.auth`, scopes) }
    checkScopeCount(toGatewayRoute(read, kind, scopes), kind, optionPath)
    const key = `${method} ${path}`
    const previous = routes.get(key) ?? read
    if (JSON.stringify(previous) !== JSON.stringify(read)) {
      throw new OptionError(
        optionPath,
        `expected one requirement for ${key}, got a second one. Merge the two routes.`,
      )
    }
    routes.set(key, read)
  }
  if (routes.size === 0)
    throw new OptionError(listPath, 'expected at least one route, got an empty array. Add a route.')
  // OpenAPI groups methods by path.
  const all = [...routes.values()]
  const paths = new Set(all.map(({ path }) => path))
  return [...paths].flatMap((path) => all.filter((route) => route.path === path))
}

/** Normalizes a requirement, so that equivalent ones are equal. */
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
  // An authorizer cannot make the token optional.
  if (allowsAnonymous || other) return { optional: true }
  if (alternatives.some((set) => set.length === 0)) return {}
  const sets = [...new Map(alternatives.map((set) => [JSON.stringify(set), set])).values()]
  const [scopes, ...more] = sets as [readonly string[], ...(readonly string[])[]]
  if (more.length === 0) return { scopes }
  return { anyOf: sets.map((set) => (set.length === 1 ? (set[0] as string) : set)) }
}

/** Returns sets of scopes, one of which a token must have. Empty if no token is required. */
function listAlternatives(auth: ReadApiRoute['auth']): readonly (readonly string[])[] {
  if (auth === false || auth.optional) return []
  const { scopes = [], anyOf = [scopes] } = auth
  return anyOf.map((choice) => (typeof choice === 'string' ? [choice] : choice))
}

/** @throws {OptionError} `ERR_OPTION_INVALID` if no resource server of the definition defines the scope. */
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

/** A route of the API Gateway API. */
export interface GatewayRoute {
  readonly method: string
  readonly path: string
  readonly isPublic: boolean
  /** The authorizer accepts a token with any of these scopes. */
  readonly scopes: readonly string[]
  /** A comment for the template, if the gateway requires less than the app. */
  readonly note?: string | undefined
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
  // A scope that every set has is necessary. Without a common scope, the gateway accepts any scope of any set.
  const [first = [], ...others] = alternatives
  const common = first.filter((scope) => others.every((set) => set.includes(scope)))
  const scopes = common.length > 0 ? common : [...new Set(alternatives.flat())]
  if (scopes.length === 0) {
    return kind === 'http' ? route : { ...route, scopes: [...every], note: ANY_SCOPE_NOTE }
  }
  const isPartial = alternatives.some((set) => set.length > 1)
  return { ...route, scopes, note: isPartial ? PARTIAL_NOTE : undefined }
}

const OPTIONAL_NOTE =
  'Public here: the app accepts requests without a token, and checks tokens itself.'
const ANY_SCOPE_NOTE =
  'Any scope is accepted. Without scopes, the authorizer would expect an ID token.'
const PARTIAL_NOTE = 'A token needs one of these scopes. The app requires more, and checks it.'

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
