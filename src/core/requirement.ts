/** The access requirement of a route, validated and compiled when the route is declared. */

import {
  describeValue,
  OptionError,
  readClientIds,
  readFunction,
  readList,
  readMembers,
  readStrings,
} from './options/validate.ts'
import { checkScope, type Scope } from './scopes.ts'
import type { VerifiedToken } from './token/verified-token.ts'

const MEMBERS = ['scopes', 'clientId', 'userPoolId', 'optional', 'check']

/** One of several scopes is enough. Created by {@link anyOf}. */
export interface AnyOf {
  readonly anyOf: readonly Scope[]
}

/**
 * What a request needs to reach a route. Every member is optional; `{}` requires a valid token and nothing
 * more.
 */
export interface AccessRequirement {
  /**
   * One scope, several that are ALL required, or `anyOf(…)` if one is enough. In aws-jwt-verify and in API
   * Gateway an array means any.
   */
  readonly scopes?: Scope | readonly Scope[] | AnyOf
  /** App clients of the pool's list that may call the route. Default: all of them. */
  readonly clientId?: string | readonly string[]
  /**
   * User pools whose tokens may reach the route: one or several of the server's. Default: all of
   * them. With `userPools`, scopes and client ids are per pool: an administrator of another pool can
   * define a resource server `orders` with the scope `orders/admin` there. A token of another pool
   * is rejected with 403 `ERR_ACCESS_DENIED`.
   */
  readonly userPoolId?: string | readonly string[]
  /**
   * Whether a request without a token reaches the route, with `null` for the token. An invalid token is
   * still rejected.
   *
   * @defaultValue `false`
   */
  readonly optional?: boolean
  /**
   * Runs on every request, after everything else passed. Only `true` allows. A check that throws, rejects or
   * takes over 3 seconds causes a 503.
   */
  readonly check?: (token: VerifiedToken, request: unknown) => boolean | Promise<boolean>
  /** Rejected: the member's name is `scopes`. */
  readonly scope?: never
}

/**
 * A requirement after validation. It is a copy: later changes of the app's object have no effect.
 */
export interface CompiledRequirement {
  readonly allOf: readonly string[]
  readonly anyOf: readonly string[]
  readonly clientIds: ReadonlySet<string> | undefined
  readonly userPoolIds: ReadonlySet<string> | undefined
  readonly optional: boolean
  readonly check: AccessRequirement['check']
  /** Option or route that declared it, for messages. */
  readonly optionPath: string
  /** It applies to routes that declare none themselves: a 401 does not name its scopes. */
  readonly isDefault: boolean
}

/**
 * Creates a requirement of one of several scopes.
 *
 * @param scopes One of them is enough.
 * @returns A value for {@link AccessRequirement.scopes}.
 * @throws {OptionError} `ERR_OPTION_INVALID` for a malformed scope or none.
 * @example
 * ```ts
 * server.guard({ scopes: anyOf('orders/read', 'orders/admin') })
 * ```
 */
export function anyOf(...scopes: readonly [Scope, ...Scope[]]): AnyOf {
  return Object.freeze({ anyOf: Object.freeze(readScopes([...scopes], 'anyOf') as Scope[]) })
}

/**
 * Validates and compiles a requirement. Types alone are not enough: frameworks infer route configuration and
 * lose the check for unknown members.
 *
 * @param optionPath Option or route that declares it, for messages.
 */
export function compileRequirement(value: unknown, optionPath: string): CompiledRequirement {
  if (typeof value === 'string') {
    throw new OptionError(
      optionPath,
      `expected an object, got ${describeValue(value)}. Write { scopes: ${describeValue(value)} }.`,
    )
  }
  if (typeof value === 'boolean') {
    throw new OptionError(
      optionPath,
      `expected a requirement, got ${value}. Pass {} for any valid token.`,
    )
  }
  const members = readMembers(value, MEMBERS, optionPath)
  const { scopes, clientId, userPoolId, optional = false } = members
  if (typeof optional !== 'boolean') {
    throw new OptionError(
      `${optionPath}.optional`,
      `expected a boolean, got ${describeValue(optional)}. Pass true or false.`,
    )
  }
  return Object.freeze({
    ...compileScopes(scopes, `${optionPath}.scopes`),
    clientIds: readIds(clientId, `${optionPath}.clientId`, readClientIds),
    userPoolIds: readIds(userPoolId, `${optionPath}.userPoolId`, readPoolIds),
    optional,
    check: readFunction<AccessRequirement['check']>(members, 'check', optionPath),
    optionPath,
    isDefault: false,
  })
}

/** Compiles the requirement of routes that declare none themselves. */
export function compileDefaultRequirement(value: unknown, optionPath: string): CompiledRequirement {
  return Object.freeze({ ...compileRequirement(value, optionPath), isDefault: true })
}

function readIds(
  value: unknown,
  optionPath: string,
  read: (value: unknown, optionPath: string) => readonly string[],
): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set(read(value, optionPath))
}

function readPoolIds(value: unknown, optionPath: string): readonly string[] {
  return readStrings(value, optionPath, 'user pool id')
}

/**
 * A requirement is compiled before its server is known, so its pools are checked separately.
 *
 * @throws {OptionError} for a user pool that the server does not have: no token could satisfy it.
 */
export function checkUserPools(
  { userPoolIds = new Set(), optionPath }: CompiledRequirement,
  pools: readonly { readonly userPoolId: string }[],
): void {
  const configured = pools.map(({ userPoolId }) => userPoolId)
  for (const id of userPoolIds) {
    if (configured.includes(id)) continue
    throw new OptionError(
      `${optionPath}.userPoolId`,
      `expected ${configured.map(describeValue).join(' or ')}, got ${describeValue(id)}. Use a user pool of this server.`,
    )
  }
}

function compileScopes(
  value: unknown,
  optionPath: string,
): Pick<CompiledRequirement, 'allOf' | 'anyOf'> {
  if (value === undefined) return { allOf: [], anyOf: [] }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const members = readMembers(value, ['anyOf'], optionPath)
    return { allOf: [], anyOf: readScopes(members['anyOf'], `${optionPath}.anyOf`) }
  }
  return { allOf: readScopes(value, optionPath), anyOf: [] }
}

function readScopes(value: unknown, optionPath: string): string[] {
  const scopes = readList(value, optionPath, checkScope) ?? [checkScope(value, optionPath)]
  if (scopes.length > 0) return [...new Set(scopes)]
  throw new OptionError(
    optionPath,
    'expected at least one scope, got an empty array. Add one, or leave it out.',
  )
}

/** Whether every token that satisfies `strict` satisfies `loose`; false in case of doubt. */
export function implies(strict: CompiledRequirement, loose: CompiledRequirement): boolean {
  if (strict.clientIds?.size === 0) return true
  const granted = new Set(strict.allOf)
  const { allOf, anyOf } = loose
  const satisfiesAnyOf =
    anyOf.length === 0 ||
    anyOf.some((scope) => granted.has(scope)) ||
    (strict.anyOf.length > 0 && strict.anyOf.every((scope) => anyOf.includes(scope)))
  return (
    satisfiesAnyOf &&
    allOf.every((scope) => granted.has(scope)) &&
    isSubset(strict.clientIds, loose.clientIds) &&
    isSubset(strict.userPoolIds, loose.userPoolIds)
  )
}

/** Undefined allows any id. */
function isSubset(
  strict: ReadonlySet<string> | undefined,
  loose: ReadonlySet<string> | undefined,
): boolean {
  return loose === undefined || (strict !== undefined && [...strict].every((id) => loose.has(id)))
}
