/** What an app's route needs, as its code or its OpenAPI document says. */
import { describeValue, OptionError, readMembers } from '../../../core/options/validate.ts'
import type { Position } from '../position.ts'

/** A route of an app, as `checkScopes` takes it. */
export interface AppRoute {
  /** Upper or lower case; `ANY` or `ALL` for every method. */
  readonly method: string
  /** `/orders/:id` and `/orders/{id}` alike, without the API's stage. */
  readonly path: string
  /**
   * The part at the front of `path` that may belong to a domain's mapping and not to the API, such as the
   * path of a document's server. Default: none.
   */
  readonly basePath?: string
  /** What it needs: `false` is open, `{}` a valid token. */
  readonly auth: false | AppRequirement
  /** It declares `auth`, and nothing enforces it: no registration of `cognitoAuth` reaches it. Default false. */
  readonly unprotected?: boolean
  /** Where it is declared. Default: the first line of `routes`. */
  readonly at?: Position
  /** Where each of its scopes stands, for findings about one. Default: `at`. */
  readonly scopesAt?: ReadonlyMap<string, Position>
}

/** What a route needs; where it has both, all of `scopes` and one of `anyOf`. */
export interface AppRequirement {
  /** All of them. */
  readonly scopes?: readonly string[]
  /** One of them; an array among them counts as one, of which all scopes are needed. */
  readonly anyOf?: readonly (string | readonly string[])[]
  /** Lets requests without a token through as well. */
  readonly optional?: boolean
  /** Something else than a token of Cognito's will do as well, an API key say: what, is not judged. */
  readonly other?: boolean
}

export interface ReadRoute {
  readonly at: Position
  readonly method: string
  readonly path: string
  readonly basePath: string
  /** Whether it lets requests without a token through. */
  readonly allowsAnonymous: boolean
  /** Whether it declares what it needs, and nothing enforces it. */
  readonly unprotected: boolean
  readonly other: boolean
  /** Sets of scopes: a caller has to have one of them whole. An empty one is any valid token. */
  readonly alternatives: readonly (readonly string[])[]
  readonly findScopePosition: (scope: string) => Position
}

const ROUTE = ['method', 'path', 'basePath', 'auth', 'unprotected', 'at', 'scopesAt']
const REQUIREMENT = ['scopes', 'anyOf', 'optional', 'other']

/** @throws {OptionError} naming the route and the member that is wrong. */
export function readAppRoutes(value: unknown, optionPath: string): readonly ReadRoute[] {
  if (!Array.isArray(value)) {
    throw new OptionError(
      optionPath,
      `expected an array of routes, got ${describeValue(value)}. Pass an array.`,
    )
  }
  return value.map((route: unknown, index) =>
    readAppRoute(route, `${optionPath}[${index}]`, optionPath),
  )
}

function readAppRoute(value: unknown, optionPath: string, file: string): ReadRoute {
  const members = readMembers(value, ROUTE, optionPath)
  const { method, path, basePath = '', auth, scopesAt = new Map() } = members
  if (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method)) {
    throw new OptionError(
      `${optionPath}.method`,
      `expected an HTTP method, got ${describeValue(method)}. Name the method.`,
    )
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new OptionError(
      `${optionPath}.path`,
      `expected a path that begins with a slash, got ${describeValue(path)}. Change the path.`,
    )
  }
  if (typeof basePath !== 'string' || !`${path}/`.startsWith(`${basePath}/`)) {
    throw new OptionError(
      `${optionPath}.basePath`,
      `expected the beginning of the path, got ${describeValue(basePath)}. Change the base path.`,
    )
  }
  if (!(scopesAt instanceof Map)) {
    throw new OptionError(
      `${optionPath}.scopesAt`,
      `expected a Map of scopes and positions, got ${describeValue(scopesAt)}. Pass a Map.`,
    )
  }
  const at = readPosition(members['at'] ?? { file, line: 1, column: 1 }, `${optionPath}.at`)
  const places = new Map<unknown, Position>()
  for (const [scope, position] of scopesAt) {
    places.set(scope, readPosition(position, `${optionPath}.scopesAt`))
  }
  return {
    at,
    method: method.toUpperCase() === 'ALL' ? 'ANY' : method.toUpperCase(),
    path,
    basePath,
    unprotected: readFlag(members['unprotected'], `${optionPath}.unprotected`),
    ...readRequirement(auth, `${optionPath}.auth`),
    findScopePosition: (scope) => places.get(scope) ?? at,
  }
}

function readPosition(value: unknown, optionPath: string): Position {
  const { file, line, column } = readMembers(value, ['file', 'line', 'column'], optionPath)
  if (typeof file === 'string' && isPositiveInteger(line) && isPositiveInteger(column))
    return { file, line, column }
  throw new OptionError(
    optionPath,
    'expected a file, and a line and column from 1, got other values. Correct the position.',
  )
}

const isPositiveInteger = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0

function readRequirement(
  auth: unknown,
  optionPath: string,
): Pick<ReadRoute, 'allowsAnonymous' | 'other' | 'alternatives'> {
  if (auth === false) return { allowsAnonymous: true, other: false, alternatives: [] }
  const { scopes = [], anyOf = [], optional, other } = readMembers(auth, REQUIREMENT, optionPath)
  const all = readScopes(scopes, `${optionPath}.scopes`)
  if (!Array.isArray(anyOf)) {
    throw new OptionError(
      `${optionPath}.anyOf`,
      `expected an array of scopes, got ${describeValue(anyOf)}. Pass an array of strings.`,
    )
  }
  const choices = anyOf.map((choice: unknown, index) =>
    typeof choice === 'string' ? [choice] : readScopes(choice, `${optionPath}.anyOf[${index}]`),
  )
  const alternatives = (choices.length === 0 ? [[]] : choices).map((choice) => [
    ...new Set([...all, ...choice]),
  ])
  return {
    allowsAnonymous: readFlag(optional, `${optionPath}.optional`),
    other: readFlag(other, `${optionPath}.other`),
    alternatives,
  }
}

function readScopes(value: unknown, optionPath: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value]
  throw new OptionError(
    optionPath,
    `expected an array of scopes, got ${describeValue(value)}. Pass an array of strings.`,
  )
}

function readFlag(value: unknown, optionPath: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new OptionError(
    optionPath,
    `expected a boolean, got ${describeValue(value)}. Pass true or false.`,
  )
}
