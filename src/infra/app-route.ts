/** What an app's route needs, as its code or its OpenAPI document says. */
import { OptionError, readMembers, show } from '../core/option-error.ts'
import type { Position } from './template-error.ts'

/** A route of an app, as `checkScopes` takes it. */
export interface AppRoute {
  /** Upper or lower case; `ANY` or `ALL` for every method. */
  readonly method: string
  /** `/orders/:id` and `/orders/{id}` alike, without the API's stage. */
  readonly path: string
  /**
   * What it needs: `false` is open, `{}` a valid token, `scopes` all of them, `anyOf` one of them;
   * `optional` lets requests without a token through.
   */
  readonly auth: false | AppRequirement
  /** Where it is declared. Default: the first line of `routes`. */
  readonly at?: Position
}

export interface AppRequirement {
  readonly scopes?: readonly string[]
  readonly anyOf?: readonly string[]
  readonly optional?: boolean
}

export interface ReadRoute {
  readonly at: Position
  readonly method: string
  readonly path: string
  readonly open: boolean
  /** All of them. */
  readonly scopes: readonly string[]
  /** One of them; empty where there is no choice. */
  readonly anyOf: readonly string[]
}

const strings = (value: unknown, place: string): readonly string[] => {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value]
  throw new OptionError(place, `is ${show(value)}: pass an array of scopes`)
}

/** @throws {OptionError} naming the route and the member that is wrong. */
export function readAppRoutes(value: unknown, place: string): readonly ReadRoute[] {
  if (!Array.isArray(value)) {
    throw new OptionError(place, `is ${show(value)}: pass an array of routes`)
  }
  return value.map((route: unknown, index) => readAppRoute(route, `${place}[${index}]`, place))
}

function readAppRoute(value: unknown, place: string, file: string): ReadRoute {
  const members = readMembers(value, ['method', 'path', 'auth', 'at'], place)
  const { method, path, auth, at = { file, line: 1, column: 1 } } = members
  if (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method)) {
    throw new OptionError(`${place}.method`, `is ${show(method)}: pass a method`)
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new OptionError(`${place}.path`, `is ${show(path)}: pass a path from its slash on`)
  }
  const { file: name, line, column } = readMembers(at, ['file', 'line', 'column'], `${place}.at`)
  if (typeof name !== 'string' || !Number.isInteger(line) || !Number.isInteger(column)) {
    throw new OptionError(`${place}.at`, 'is no position: pass file, line and column')
  }
  const required =
    auth === false ? {} : readMembers(auth, ['scopes', 'anyOf', 'optional'], `${place}.auth`)
  const { scopes = [], anyOf = [], optional = false } = required
  if (typeof optional !== 'boolean') {
    throw new OptionError(`${place}.auth.optional`, `is ${show(optional)}: pass true or false`)
  }
  return {
    at: at as Position,
    method: method.toUpperCase() === 'ALL' ? 'ANY' : method.toUpperCase(),
    path,
    open: auth === false || optional,
    scopes: strings(scopes, `${place}.auth.scopes`),
    anyOf: strings(anyOf, `${place}.auth.anyOf`),
  }
}
