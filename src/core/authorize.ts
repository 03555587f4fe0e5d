/**
 * Decides access for a verified token. It checks, in this order: the client, the scopes, the route's clients
 * and user pools, and the `check` functions.
 */

import type { AuthErrorFactory } from './challenge.ts'
import type { AuthError, AuthErrorCode } from './errors.ts'
import { callHook, type HookError } from './hooks.ts'
import type { ServerOptions } from './options/options.ts'
import type { CompiledRequirement } from './requirement.ts'
import type { MachineClaims } from './token/claims.ts'
import { parseScopes, type VerifiedToken } from './token/verified-token.ts'
import type { Issuer } from './token/verify.ts'
import { chain, isThenable } from './util/async.ts'

/** `Retry-After` if a check or lookup gave no decision. */
const HOOK_RETRY_AFTER_MS = 1000
/** Distinct requirements whose results a token remembers: bits of a small integer. */
const MAX_REQUIREMENT_BITS = 30

/** A requirement as a guard uses it. */
export interface Route {
  readonly requirement: CompiledRequirement
  /** Headers of the errors that name its scopes. */
  readonly headers: ReadonlyMap<AuthErrorCode, AuthError['headers']>
  /**
   * Its bit in {@link VerifiedCredential.satisfiedRoutes}; 0 if none was left. With 1000 cached tokens, a hit
   * costs 16 % more with a `Set` of routes per token, and 8 % more with a `WeakSet` of tokens per route.
   */
  readonly bit: number
}

/** A verified token and what is known about it. */
export interface VerifiedCredential {
  readonly token: VerifiedToken
  readonly issuer: Issuer
  /** Bits of the routes whose scopes, clients and user pools it satisfies: these never change. */
  satisfiedRoutes: number
}

/** Decides access for the routes of one server. */
export class AccessDecision {
  readonly #options: ServerOptions
  readonly #errors: AuthErrorFactory
  readonly #bits = new Map<string, number>()

  constructor(options: ServerOptions, errors: AuthErrorFactory) {
    this.#options = options
    this.#errors = errors
  }

  /** Requirements with the same scopes, clients and user pools share a bit. */
  createRoute(requirement: CompiledRequirement): Route {
    const { allOf, anyOf, clientIds, userPoolIds } = requirement
    const lists = [allOf, anyOf, clientIds && [...clientIds], userPoolIds && [...userPoolIds]]
    const key = JSON.stringify(lists)
    const nextBit = this.#bits.size < MAX_REQUIREMENT_BITS ? 2 ** this.#bits.size : 0
    const bit = this.#bits.get(key) ?? nextBit
    if (bit !== 0) this.#bits.set(key, bit)
    return { requirement, bit, headers: this.#errors.createScopeHeaders(requirement) }
  }

  /**
   * Synchronous unless a check or an uncached lookup has to run.
   *
   * @param claims The token's claims if they are decoded already: reading them from the token decodes them.
   * @throws {AuthError}
   */
  decideAccess(
    credential: VerifiedCredential,
    route: Route,
    request: unknown,
    claims?: MachineClaims,
  ): VerifiedToken | Promise<VerifiedToken> {
    const { lookup } = credential.issuer
    if (lookup === undefined) return this.#decideForClient(true, credential, route, request, claims)
    const allowed = lookup(credential.token.clientId)
    return chain(isThenable(allowed) ? this.#awaitHook(allowed) : allowed, (isAllowed) =>
      this.#decideForClient(isAllowed, credential, route, request, claims),
    )
  }

  #decideForClient(
    isAllowed: boolean,
    credential: VerifiedCredential,
    route: Route,
    request: unknown,
    claims: MachineClaims | undefined,
  ): VerifiedToken | Promise<VerifiedToken> {
    if (isAllowed !== true) throw this.#errors.createError('ERR_CLIENT_NOT_ALLOWED')
    const isSatisfied = (credential.satisfiedRoutes & route.bit) !== 0
    if (!isSatisfied) this.#assertRequirement(credential, route, claims)
    const hasCheck = this.#options.check !== undefined || route.requirement.check !== undefined
    return hasCheck ? this.#runChecks(credential.token, route, request) : credential.token
  }

  #assertRequirement(
    credential: VerifiedCredential,
    { requirement, headers, bit }: Route,
    claims: MachineClaims | undefined,
  ): void {
    const { token } = credential
    let granted: readonly string[] | undefined
    const isGranted = (scope: string): boolean => {
      if (claims === undefined) return token.scopes.has(scope)
      granted ??= parseScopes(claims)
      return granted.includes(scope)
    }
    if (!hasRequiredScopes(isGranted, requirement)) {
      const code = 'ERR_SCOPE_INSUFFICIENT'
      throw this.#errors.createError(code, headers.get(code))
    }
    if (!allowsClientAndPool(token, requirement))
      throw this.#errors.createError('ERR_ACCESS_DENIED')
    credential.satisfiedRoutes |= bit
  }

  /** Calls both checks without `this`: the objects that hold them are internal. */
  async #runChecks(
    token: VerifiedToken,
    { requirement }: Route,
    request: unknown,
  ): Promise<VerifiedToken> {
    const { check: serverCheck } = this.#options
    const { check: routeCheck } = requirement
    const isAllowed =
      (serverCheck === undefined || (await this.#awaitHook(callHook(() => serverCheck(token))))) &&
      (routeCheck === undefined ||
        (await this.#awaitHook(callHook(() => routeCheck(token, request)))))
    if (isAllowed !== true) throw this.#errors.createError('ERR_ACCESS_DENIED')
    return token
  }

  /** The decision of a hook. A hook without a decision causes a 503. */
  async #awaitHook(decision: Promise<boolean>): Promise<boolean> {
    try {
      return await decision
    } catch (error) {
      throw this.#errors.createUnavailableError(
        'ERR_CHECK_UNAVAILABLE',
        HOOK_RETRY_AFTER_MS,
        error as HookError,
      )
    }
  }
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

/** Whether a verified token satisfies a requirement, apart from its `check`, which needs the request. */
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
