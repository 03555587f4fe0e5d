/** What one route needs, compiled once when the route is declared. */
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

/** One of several scopes is enough. Made by {@link anyOf}. */
export interface AnyOf {
  readonly anyOf: readonly Scope[]
}

/**
 * What a request must bring to reach a route. Every member is optional; `{}` asks for a valid token
 * and nothing more.
 */
export interface AccessRequirement {
  /**
   * One scope, several that are ALL needed, or `anyOf(…)` where one is enough. (In aws-jwt-verify
   * and in API Gateway an array means any.)
   */
  readonly scopes?: Scope | readonly Scope[] | AnyOf
  /** App clients that may call the route; narrower than the pool's list. */
  readonly clientId?: string | readonly string[]
  /**
   * User pools whose tokens may reach the route: one or several of the server's own. Default: any of
   * them. With `userPools`, scopes and client ids are per pool: whoever manages another pool can
   * define a resource server `orders` with the scope `orders/admin` there. A token of another pool
   * is rejected with 403 `ERR_ACCESS_DENIED`.
   */
  readonly userPoolId?: string | readonly string[]
  /**
   * Without a token the route is reached with `null`, whatever else is asked here. A bad token is
   * refused all the same. Default false.
   */
  readonly optional?: boolean
  /**
   * The route's last word, on every request, after everything else passed. Only `true` passes; one
   * that throws, rejects or takes over 3 seconds is answered with 503.
   */
  readonly check?: (token: VerifiedToken, request: unknown) => boolean | Promise<boolean>
  /** Not a member: the name is `scopes`. */
  readonly scope?: never
}

/**
 * A requirement after validation; what guards run on. It shares nothing with what it was made of, so
 * later changes there have no effect.
 */
export interface CompiledRequirement {
  readonly allOf: readonly string[]
  readonly anyOf: readonly string[]
  readonly clientIds: ReadonlySet<string> | undefined
  readonly userPoolIds: ReadonlySet<string> | undefined
  readonly optional: boolean
  readonly check: AccessRequirement['check']
  /** Where it was declared, for messages. */
  readonly place: string
  /** It governs routes that declare nothing themselves: a 401 does not name its scopes. */
  readonly isDefault: boolean
}

/**
 * One of these scopes is enough: `anyOf('orders/read', 'orders/admin')`.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a malformed scope or none.
 */
export function anyOf(...scopes: readonly [Scope, ...Scope[]]): AnyOf {
  return Object.freeze({ anyOf: Object.freeze(readScopes([...scopes], 'anyOf') as Scope[]) })
}

/**
 * Validates and compiles a requirement. Types alone do not hold: frameworks infer route
 * configuration and lose the check for unknown members.
 *
 * @param place Where it was declared, for the message.
 */
export function compileRequirement(value: unknown, place: string): CompiledRequirement {
  if (typeof value === 'string') {
    throw new OptionError(
      place,
      `is ${describeValue(value)}: write { scopes: ${describeValue(value)} }`,
    )
  }
  if (typeof value === 'boolean') {
    throw new OptionError(place, `is ${value}: pass {} for any valid token`)
  }
  const members = readMembers(value, MEMBERS, place)
  const { scopes, clientId, userPoolId, optional = false } = members
  if (typeof optional !== 'boolean') {
    throw new OptionError(`${place}.optional`, `is ${describeValue(optional)}: pass true or false`)
  }
  return Object.freeze({
    ...compileScopes(scopes, `${place}.scopes`),
    clientIds: readIds(clientId, `${place}.clientId`, readClientIds),
    userPoolIds: readIds(userPoolId, `${place}.userPoolId`, readPoolIds),
    optional,
    check: readFunction<AccessRequirement['check']>(members, 'check', place),
    place,
    isDefault: false,
  })
}

/** The same for what routes need that declare nothing themselves. */
export function compileDefaultRequirement(value: unknown, place: string): CompiledRequirement {
  return Object.freeze({ ...compileRequirement(value, place), isDefault: true })
}

function readIds(
  value: unknown,
  place: string,
  read: (value: unknown, place: string) => readonly string[],
): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set(read(value, place))
}

function readPoolIds(value: unknown, place: string): readonly string[] {
  return readStrings(value, place, 'user pool id')
}

/**
 * A requirement is compiled before its server is known, so its pools are checked separately.
 *
 * @throws {OptionError} for a user pool that the server does not have: no token could meet it.
 */
export function checkUserPools(
  { userPoolIds = new Set(), place }: CompiledRequirement,
  pools: readonly { readonly userPoolId: string }[],
): void {
  const configured = pools.map(({ userPoolId }) => userPoolId)
  for (const id of userPoolIds) {
    if (configured.includes(id)) continue
    throw new OptionError(
      `${place}.userPoolId`,
      `is ${describeValue(id)}, which is no user pool of this server: use ${configured.map(describeValue).join(' or ')}`,
    )
  }
}

function compileScopes(
  value: unknown,
  place: string,
): Pick<CompiledRequirement, 'allOf' | 'anyOf'> {
  if (value === undefined) return { allOf: [], anyOf: [] }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const members = readMembers(value, ['anyOf'], place)
    return { allOf: [], anyOf: readScopes(members['anyOf'], `${place}.anyOf`) }
  }
  return { allOf: readScopes(value, place), anyOf: [] }
}

function readScopes(value: unknown, place: string): string[] {
  const scopes = readList(value, place, checkScope) ?? [checkScope(value, place)]
  if (scopes.length > 0) return [...new Set(scopes)]
  throw new OptionError(place, 'is an empty array: name at least one scope')
}

/** Whether the granted scopes are enough. */
export function hasRequiredScopes(
  isGranted: (scope: string) => boolean,
  { allOf, anyOf }: CompiledRequirement,
): boolean {
  for (const scope of allOf) if (!isGranted(scope)) return false
  if (anyOf.length === 0) return true
  for (const scope of anyOf) if (isGranted(scope)) return true
  return false
}

/** Whether a verified token has what is asked of it; what is asked of a request is not known here. */
export function isSatisfiedBy(token: VerifiedToken, requirement: CompiledRequirement): boolean {
  const isGranted = (scope: string): boolean => token.scopes.has(scope)
  return hasRequiredScopes(isGranted, requirement) && allowsClientAndPool(token, requirement)
}

/** Whether the token's client and user pool are among those that the requirement names. */
export function allowsClientAndPool(
  { clientId, userPoolId }: VerifiedToken,
  { clientIds, userPoolIds }: CompiledRequirement,
): boolean {
  return clientIds?.has(clientId) !== false && userPoolIds?.has(userPoolId) !== false
}

/** Whether every token that meets `strict` meets `loose`; false where that cannot be told. */
export function implies(strict: CompiledRequirement, loose: CompiledRequirement): boolean {
  if (strict.clientIds?.size === 0) return true
  const granted = new Set(strict.allOf)
  const { allOf, anyOf } = loose
  const enough =
    anyOf.length === 0 ||
    anyOf.some((scope) => granted.has(scope)) ||
    (strict.anyOf.length > 0 && strict.anyOf.every((scope) => anyOf.includes(scope)))
  return (
    enough &&
    allOf.every((scope) => granted.has(scope)) &&
    isWithin(strict.clientIds, loose.clientIds) &&
    isWithin(strict.userPoolIds, loose.userPoolIds)
  )
}

/** Undefined admits any id. */
function isWithin(
  strict: ReadonlySet<string> | undefined,
  loose: ReadonlySet<string> | undefined,
): boolean {
  return loose === undefined || (strict !== undefined && [...strict].every((id) => loose.has(id)))
}
