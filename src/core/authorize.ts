/**
 * Verified token → decision: the client, the scopes, the route's own clients and user pools, the
 * owner's checks, in this order.
 */

import type { AuthErrorFactory } from './challenge.ts'
import type { AuthError, AuthErrorCode } from './errors.ts'
import { callHook, type HookError } from './hooks.ts'
import type { ServerOptions } from './options/options.ts'
import { allowsClientAndPool, type CompiledRequirement, hasRequiredScopes } from './requirement.ts'
import type { MachineClaims } from './token/claims.ts'
import { parseScopes, type VerifiedToken } from './token/verified-token.ts'
import type { Issuer } from './token/verify.ts'
import { chain, isThenable } from './util/async.ts'

/** What a caller is told to wait when a check or lookup gave no decision, in milliseconds. */
const CHECK_RETRY_AFTER = 1000
/** Routes with different needs that a token's answers are remembered for: bits of a small integer. */
const MAX_REMEMBERED = 30

/** What a guard holds requests against. */
export interface Route {
  readonly requirement: CompiledRequirement
  /** Headers of the refusals that name its scopes. */
  readonly headers: ReadonlyMap<AuthErrorCode, AuthError['headers']>
  /** Stands for everything a token can meet once for all in {@link VerifiedCredential.satisfiedRoutes}; 0 where none was left. */
  readonly bit: number
}

/** A verified token, and what is remembered of it. */
export interface VerifiedCredential {
  readonly token: VerifiedToken
  readonly issuer: Issuer
  /** Bits of the routes whose scopes, clients and user pools it meets: these never change. */
  satisfiedRoutes: number
}

/** See the module. */
export class AccessDecision {
  readonly #options: ServerOptions
  readonly #refusals: AuthErrorFactory
  readonly #bits = new Map<string, number>()

  constructor(options: ServerOptions, refusals: AuthErrorFactory) {
    this.#options = options
    this.#refusals = refusals
  }

  /** Requirements that ask the same of a token share their bit. */
  routeOf(requirement: CompiledRequirement): Route {
    const { allOf, anyOf, clientIds, userPoolIds } = requirement
    const lists = [allOf, anyOf, clientIds && [...clientIds], userPoolIds && [...userPoolIds]]
    const asked = JSON.stringify(lists)
    const next = this.#bits.size < MAX_REMEMBERED ? 2 ** this.#bits.size : 0
    const bit = this.#bits.get(asked) ?? next
    if (bit !== 0) this.#bits.set(asked, bit)
    return { requirement, bit, headers: this.#refusals.headersOf(requirement) }
  }

  /**
   * At once unless the owner has to be asked.
   *
   * @param claims The token's, where they are at hand: reading them from it decodes them.
   */
  admit(
    known: VerifiedCredential,
    route: Route,
    request: unknown,
    claims?: MachineClaims,
  ): VerifiedToken | Promise<VerifiedToken> {
    const { lookup } = known.issuer
    if (lookup === undefined) return this.#admitClient(true, known, route, request, claims)
    const allowed = lookup(known.token.clientId)
    return chain(isThenable(allowed) ? this.#answered(allowed) : allowed, (isAllowed) =>
      this.#admitClient(isAllowed, known, route, request, claims),
    )
  }

  #admitClient(
    isAllowed: boolean,
    known: VerifiedCredential,
    route: Route,
    request: unknown,
    claims: MachineClaims | undefined,
  ): VerifiedToken | Promise<VerifiedToken> {
    if (isAllowed !== true) throw this.#refusals.refuse('ERR_CLIENT_NOT_ALLOWED')
    if ((known.satisfiedRoutes & route.bit) === 0) this.#holdAgainst(known, route, claims)
    const asksOwner = this.#options.check !== undefined || route.requirement.check !== undefined
    return asksOwner ? this.#check(known.token, route, request) : known.token
  }

  #holdAgainst(
    known: VerifiedCredential,
    { requirement, headers, bit }: Route,
    claims: MachineClaims | undefined,
  ): void {
    const { token } = known
    let granted: readonly string[] | undefined
    const isGranted = (scope: string): boolean => {
      if (claims === undefined) return token.scopes.has(scope)
      granted ??= parseScopes(claims)
      return granted.includes(scope)
    }
    if (!hasRequiredScopes(isGranted, requirement)) {
      const code = 'ERR_SCOPE_INSUFFICIENT'
      throw this.#refusals.refuse(code, headers.get(code))
    }
    if (!allowsClientAndPool(token, requirement)) throw this.#refusals.refuse('ERR_ACCESS_DENIED')
    known.satisfiedRoutes |= bit
  }

  /** Both are called unbound: what they would find as `this` is not theirs. */
  async #check(
    token: VerifiedToken,
    { requirement }: Route,
    request: unknown,
  ): Promise<VerifiedToken> {
    const { check: serverCheck } = this.#options
    const { check: routeCheck } = requirement
    const allowed =
      (serverCheck === undefined || (await this.#answered(callHook(() => serverCheck(token))))) &&
      (routeCheck === undefined ||
        (await this.#answered(callHook(() => routeCheck(token, request)))))
    if (allowed !== true) throw this.#refusals.refuse('ERR_ACCESS_DENIED')
    return token
  }

  /** What the owner's code answers; no decision is answered with 503. */
  async #answered(answer: Promise<boolean>): Promise<boolean> {
    try {
      return await answer
    } catch (error) {
      throw this.#refusals.unavailable(
        'ERR_CHECK_UNAVAILABLE',
        CHECK_RETRY_AFTER,
        error as HookError,
      )
    }
  }
}
