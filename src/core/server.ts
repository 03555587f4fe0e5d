/**
 * Decides: credential → token → decision → answer. Adapters are thin layers over its guards, so every
 * surface gives the same answer in the same order.
 */
import { Admission, type Known, type Route } from './authorize.ts'
import { possibleRefusals, type Refusals, refusals } from './challenge.ts'
import { endAtExpiry, type LongConnection } from './close-on-expiry.ts'
import { isHeard, nextInstance } from './diagnostics.ts'
import type { AuthError } from './errors.ts'
import type { KeyStore } from './keys/key-store.ts'
import type { ServerOptions } from './options/options.ts'
import type { UserPool } from './options/user-pool.ts'
import { OptionError } from './options/validate.ts'
import { openStore, tableOfIssuers } from './pools.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  checkUserPools,
  compileRequirement,
} from './requirement.ts'
import type { ResourceMetadataDocument } from './resource-metadata.ts'
import type { CoreServer, Guard, ServerStatus } from './resource-server.ts'
import { readBearer } from './token/bearer.ts'
import { CachedToken } from './token/cached-token.ts'
import { checkClaims } from './token/claims.ts'
import { Interned } from './token/interned.ts'
import { keepKid } from './token/jws.ts'
import { TokenCache } from './token/token-cache.ts'
import { type VerifiedToken, verifiedToken } from './token/verified-token.ts'
import {
  type Issuer,
  type Rejection,
  readToken,
  rejectionOf,
  type Verification,
  type Verified,
  verifyToken,
} from './token/verify.ts'
import { observed, type Seen } from './trace-decision.ts'
import { following } from './util/async.ts'
import { trusting } from './util/clock.ts'
import { has } from './util/own-member.ts'

/**
 * What a guard without a requirement of its own needs, on surfaces that do not know their routes.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` where it lets requests without a token pass: nothing
 *   there would say so aloud.
 */
export function requireDefault({ fallback }: ServerOptions): CompiledRequirement {
  if (fallback !== false && !fallback.optional) return fallback
  throw new OptionError(
    'default',
    'lets requests without a token pass: here, pass { optional: true } where it is meant, or no guard',
  )
}

/** What comes before a token, as nearly every caller writes it. */
const SPELLING = 'Bearer '

/** See {@link CoreServer}. */
export class Server implements CoreServer {
  readonly #instance = nextInstance()
  readonly #options: ServerOptions
  readonly #refusals: Refusals
  readonly #stores: readonly KeyStore[]
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #admission: Admission
  readonly #tokens: TokenCache<CachedToken> | undefined
  readonly #clientIds = new Interned()
  readonly #kids = new Map<string, string>()
  readonly #declaredScopes = new Set<string>()
  #closed = false

  constructor(options: ServerOptions) {
    this.#options = options
    this.#refusals = refusals(options.realm, options.metadata?.url, options.challengeScopes)
    this.#stores = options.pools.map((pool) => openStore(pool, options, this.#instance))
    this.#issuers = tableOfIssuers(this.#stores, options)
    this.#admission = new Admission(options, this.#refusals)
    if (options.tokenCache !== false) this.#tokens = new TokenCache(options.tokenCache)
  }

  // What is compiled makes the answer null or not; types cannot follow it there.
  guard(...given: readonly [AccessRequirement?]): Guard<never> {
    // A requirement that is undefined is a slip, not a wish for the default.
    const compiled =
      given.length === 0
        ? requireDefault(this.#options)
        : compileRequirement(given[0], 'requirement')
    return this.guardOf(compiled) as Guard<never>
  }

  declare(requirement: CompiledRequirement): void {
    checkUserPools(requirement, this.#options.pools)
    for (const scope of [...requirement.allOf, ...requirement.anyOf]) {
      this.#declaredScopes.add(scope)
    }
  }

  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null> {
    this.declare(requirement)
    const route = this.#admission.routeOf(requirement)
    const monotonicNow = trusting(this.#options.monotonicNow)
    const observer = { instance: this.#instance, monotonicNow }
    return (authorization, request) =>
      isHeard('cognito-m2m:decision')
        ? observed(observer, (seen) => this.#decide(authorization, request, route, seen))
        : this.#decide(authorization, request, route)
  }

  refusalsOf(requirement: CompiledRequirement): readonly AuthError[] {
    return possibleRefusals(requirement, this.#refusals)
  }

  async ready(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.ready()))
  }

  status(): ServerStatus {
    const userPools = this.#stores.map((store, index) => {
      const { userPoolId, local } = this.#options.pools[index] as UserPool
      return { userPoolId, local, ...store.status() }
    })
    const ready = userPools.every((pool) => pool.ready)
    return { instance: this.#instance, ready, userPools }
  }

  resourceMetadata(): ResourceMetadataDocument | null {
    const issuers = this.#stores.flatMap((store) => store.issuersInUse())
    return this.#options.metadata?.document(this.#declaredScopes, issuers) ?? null
  }

  endAtExpiry(token: VerifiedToken, connection: LongConnection): void {
    endAtExpiry(token, connection, this.#options)
  }

  close(): void {
    this.#closed = true
    this.#tokens?.clear()
    for (const store of this.#stores) store.close()
  }

  /** At once, unless a key, a crowd of signatures or the owner's code has to be waited for. */
  #decide(
    authorization: string | readonly string[] | undefined,
    request: unknown,
    route: Route,
    seen?: Seen,
  ): VerifiedToken | null | Promise<VerifiedToken | null> {
    const known = this.#recall(authorization)
    if (known !== undefined) {
      if (seen !== undefined) note(seen, known)
      return this.#admission.admit(known, route, request)
    }
    const { refuse, unavailable } = this.#refusals
    const credential = readBearer(authorization, this.#options.maxTokenLength)
    if (typeof credential === 'string') {
      if (credential === 'ERR_TOKEN_MISSING' && route.requirement.optional) return null
      throw refuse(credential, route.headers.get(credential))
    }
    if (this.#closed) throw unavailable('ERR_KEYS_UNAVAILABLE', 0)
    const claimed = readToken(credential.token, this.#issuers, this.#kids)
    if (has(claimed, 'code')) throw this.#reject(claimed, null, route, seen)
    const { issuer, jws } = claimed
    if (seen !== undefined) seen.userPoolId = issuer.userPoolId
    const wrong = checkClaims(jws.claims, issuer.rules, this.#options.now())
    if (wrong !== undefined) {
      throw this.#reject(rejectionOf(wrong, jws.claims), issuer.userPoolId, route, seen)
    }
    return following(verifyToken(claimed), (verification) => {
      const verified = this.#verified(verification, route)
      keepKid(this.#kids, jws)
      const known = this.#remember(authorization, credential.token, issuer, verified)
      if (seen !== undefined) note(seen, known)
      return this.#admission.admit(known, route, request, verified.claims)
    })
  }

  /** Names the claim that is wrong to operators. The caller is told the code's fixed text. */
  #reject(
    { code, reason }: Rejection,
    userPoolId: string | null,
    { headers }: Route,
    seen: Seen | undefined,
  ): AuthError {
    if (seen !== undefined) seen.reason = reason
    if (reason !== null) {
      const details = { userPoolId, code, reason }
      this.#options.logger.debug(details, `cognito-m2m: token rejected: ${reason}`)
    }
    return this.#refusals.refuse(code, headers.get(code))
  }

  #verified(verification: Verification, { headers }: Route): Verified {
    if (typeof verification === 'string') {
      throw this.#refusals.refuse(verification, headers.get(verification))
    }
    if (has(verification, 'key')) return verification
    const { retryAfter, cause } = verification
    throw this.#refusals.unavailable('ERR_KEYS_UNAVAILABLE', retryAfter, cause)
  }

  /** What was verified under exactly this header value and holds still. */
  #recall(authorization: string | readonly string[] | undefined): CachedToken | undefined {
    if (typeof authorization !== 'string' || this.#closed) return undefined
    const known = this.#tokens?.get(authorization)
    if (known === undefined || known.stillHolds(this.#options.now())) return known
    this.#tokens?.delete(known)
    return undefined
  }

  /** Only under the one spelling that callers use: others would fill the cache with one token. */
  #remember(
    authorization: string | readonly string[] | undefined,
    encoded: string,
    issuer: Issuer,
    verified: Verified,
  ): Known {
    const isCached =
      typeof authorization === 'string' &&
      authorization.length === SPELLING.length + encoded.length &&
      authorization.startsWith(SPELLING)
    const tokens = isCached ? this.#tokens : undefined
    // Another request with the same token may have been faster.
    const faster = tokens?.get(authorization as string)
    if (faster !== undefined) return faster
    const { claims } = verified
    const token = verifiedToken(isCached ? authorization : encoded, claims, {
      userPoolId: issuer.userPoolId,
      issuer: issuer.issuer,
      clientId: this.#clientIds.one(claims.client_id),
    })
    if (tokens === undefined) return { token, issuer, met: 0 }
    const known = new CachedToken(authorization as string, token, issuer, verified)
    tokens.add(known)
    return known
  }
}

function note(seen: Seen, { token, issuer }: Known): void {
  seen.userPoolId = issuer.userPoolId
  seen.clientId = token.clientId
}
