/** Routes of an app, which come from its code or its OpenAPI document, and their validation. */
import { describeValue, OptionError, readMembers } from '../../../core/options/validate.ts'
import type { Position } from '../position.ts'

/** A route of an app, for `checkScopes` and `renderTemplate`. */
export interface AppRoute {
  /** An HTTP method in upper or lower case, or `ANY` or `ALL` for every method. */
  readonly method: string
  /** `/orders/:id` or `/orders/{id}`, without the stage of the API. */
  readonly path: string
  /**
   * The beginning of `path` that may belong to the mapping of a custom domain, not to the API. An example is the
   * path of an OpenAPI server.
   *
   * @defaultValue `''`
   */
  readonly basePath?: string
  /** The requirement of the route. `false` is a public route, `{}` requires a valid token. */
  readonly auth: false | AppRequirement
  /**
   * Whether the route declares `auth` but no registration of `cognitoAuth` enforces it.
   *
   * @defaultValue `false`
   */
  readonly unprotected?: boolean
  /**
   * The position of the declaration.
   *
   * @defaultValue Line 1 and column 1 of a file named `routes`
   */
  readonly at?: Position
  /**
   * The position of each scope, for findings about one scope.
   *
   * @defaultValue `at` for each scope
   */
  readonly scopesAt?: ReadonlyMap<string, Position>
}

/** The requirement of a route. With both `scopes` and `anyOf`, a token must satisfy both. */
export interface AppRequirement {
  /**
   * Scopes that a token must have, all of them.
   *
   * @defaultValue `[]`
   */
  readonly scopes?: readonly string[]
  /**
   * Alternatives, of which a token must satisfy one. An array is one alternative that requires all its scopes.
   *
   * @defaultValue `[]`
   */
  readonly anyOf?: readonly (string | readonly string[])[]
  /**
   * Whether the route also accepts requests without a token.
   *
   * @defaultValue `false`
   */
  readonly optional?: boolean
  /**
   * Whether the route also accepts another credential, such as an API key. `checkScopes` does not check it.
   *
   * @defaultValue `false`
   */
  readonly other?: boolean
}

/** A route after validation. */
export interface ReadRoute {
  readonly at: Position
  readonly method: string
  readonly path: string
  readonly basePath: string
  /** Whether the route accepts requests without a token. */
  readonly allowsAnonymous: boolean
  readonly unprotected: boolean
  readonly other: boolean
  /** Sets of scopes. A token must have every scope of one set. An empty set accepts any valid token. */
  readonly alternatives: readonly (readonly string[])[]
  readonly findScopePosition: (scope: string) => Position
}

const ROUTE = ['method', 'path', 'basePath', 'auth', 'unprotected', 'at', 'scopesAt']
const REQUIREMENT = ['scopes', 'anyOf', 'optional', 'other']

/** @throws {OptionError} `ERR_OPTION_INVALID` with the path of the invalid route or member. */
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
      `expected an HTTP method, got ${describeValue(method)}. Set a method such as GET, or ANY.`,
    )
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new OptionError(
      `${optionPath}.path`,
      `expected a path that begins with a slash, got ${describeValue(path)}. Set the path of the route.`,
    )
  }
  if (typeof basePath !== 'string' || !`${path}/`.startsWith(`${basePath}/`)) {
    throw new OptionError(
      `${optionPath}.basePath`,
      `expected the beginning of the path, got ${describeValue(basePath)}. Set whole parts at the beginning of path.`,
    )
  }
  if (!(scopesAt instanceof Map)) {
    throw new OptionError(
      `${optionPath}.scopesAt`,
      `expected a Map of scopes and positions, got ${describeValue(scopesAt)}. Pass a Map.`,
    )
  }
  const at = readPosition(members['at'] ?? { file, line: 1, column: 1 }, `${optionPath}.at`)
  const positions = new Map<unknown, Position>()
  for (const [scope, position] of scopesAt) {
    positions.set(scope, readPosition(position, `${optionPath}.scopesAt`))
  }
  return {
    at,
    method: method.toUpperCase() === 'ALL' ? 'ANY' : method.toUpperCase(),
    path,
    basePath,
    unprotected: readFlag(members['unprotected'], `${optionPath}.unprotected`),
    ...readRequirement(auth, `${optionPath}.auth`),
    findScopePosition: (scope) => positions.get(scope) ?? at,
  }
}

function readPosition(value: unknown, optionPath: string): Position {
  const { file, line, column } = readMembers(value, ['file', 'line', 'column'], optionPath)
  if (typeof file === 'string' && isPositiveInteger(line) && isPositiveInteger(column))
    return { file, line, column }
  throw new OptionError(
    optionPath,
    'expected a file name, and a line and column of at least 1, got other values. Correct the position.',
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
