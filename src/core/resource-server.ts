/** The core's face: guards, and what operators ask a resource server. */

import { AccessDecision, type Route, type VerifiedCredential } from './authorize.ts'
import { type AuthErrorFactory, createAuthErrorFactory, listPossibleErrors } from './challenge.ts'
import { type ClosableConnection, closeOnExpiry } from './close-on-expiry.ts'
import { hasSubscribers, nextInstance } from './diagnostics.ts'
import type { AuthError } from './errors.ts'
import { createCachedLookup } from './hooks.ts'
import { KeyStore, type KeyStoreStatus } from './keys/key-store.ts'
import { type CognitoAuthOptions, readOptions, type ServerOptions } from './options/options.ts'
import type { UserPool } from './options/user-pool.ts'
import { OptionError } from './options/validate.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  checkUserPools,
  compileRequirement,
} from './requirement.ts'
import type { ResourceMetadataDocument } from './resource-metadata.ts'
import { readBearer } from './token/bearer.ts'
import { checkClaims } from './token/claims.ts'
import { rememberKid } from './token/jws.ts'
import { CachedToken, StringInterner, TokenCache } from './token/token-cache.ts'
import { createVerifiedToken, type VerifiedToken } from './token/verified-token.ts'
import {
  type Issuer,
  type Rejection,
  readToken,
  toRejection,
  type Verification,
  type VerifiedClaims,
  verifyToken,
} from './token/verify.ts'
import { type DecisionTrace, traceDecision } from './trace-decision.ts'
import { chain } from './util/async.ts'
import { safeClock, steadyClock } from './util/clock.ts'
import { has } from './util/own-member.ts'

/**
 * Keys are fetched from here on.
 *
 * @param instance Number of the resource server.
 */
export function openKeyStore(pool: UserPool, options: ServerOptions, instance: number): KeyStore {
  const { userPoolId, issuers, staticKeys: given, local } = pool
  const { timing, fetch, now, monotonicNow, logger } = options
  if (local) {
    logger.warn(
      { userPoolId },
      'cognito-m2m: local user pool: its tokens prove nothing, for development only',
    )
  }
  return new KeyStore({
    ...{ instance, userPoolId, issuers, given, timing, fetch },
    ...{ now, monotonicNow, logger },
  })
}

/** By the exact `iss`, so two pools can never be mixed up. */
function tableOfIssuers(
  stores: readonly KeyStore[],
  options: ServerOptions,
): ReadonlyMap<string, Issuer> {
  const { clockTolerance, clientCache, monotonicNow, metadata } = options
  const byDefault = metadata && new Set([metadata.resource])
  const issuers = new Map<string, Issuer>()
  for (const [index, pool] of options.pools.entries()) {
    const { userPoolId, machinesOnly, clientIds, lookup } = pool
    const elapsed = steadyClock(safeClock(monotonicNow))
    const audience = pool.audience === undefined ? byDefault : (pool.audience ?? undefined)
    const rules = { machinesOnly, audience, clientIds, clockTolerance }
    const cached = lookup && createCachedLookup(lookup, { ...clientCache, elapsed })
    for (const keys of (stores[index] as KeyStore).issuers) {
      const { issuer } = keys.source
      issuers.set(issuer, { userPoolId, issuer, keys, rules, lookup: cached })
    }
  }
  return issuers
}

/**
 * What a guard without a requirement of its own needs, on surfaces that do not know their routes.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` where it lets requests without a token pass: nothing
 *   there would say so aloud.
 */
export function requireDefault({
  defaultRequirement: fallback,
}: ServerOptions): CompiledRequirement {
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
  readonly #refusals: AuthErrorFactory
  readonly #stores: readonly KeyStore[]
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #admission: AccessDecision
  readonly #tokens: TokenCache<CachedToken> | undefined
  readonly #clientIds = new StringInterner()
  readonly #kids = new Map<string, string>()
  readonly #declaredScopes = new Set<string>()
  #closed = false

  constructor(options: ServerOptions) {
    this.#options = options
    this.#refusals = createAuthErrorFactory(
      options.realm,
      options.metadata?.url,
      options.challengeScopes,
    )
    this.#stores = options.pools.map((pool) => openKeyStore(pool, options, this.#instance))
    this.#issuers = tableOfIssuers(this.#stores, options)
    this.#admission = new AccessDecision(options, this.#refusals)
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
    const monotonicNow = safeClock(this.#options.monotonicNow)
    const observer = { instance: this.#instance, monotonicNow }
    return (authorization, request) =>
      hasSubscribers('cognito-m2m:decision')
        ? traceDecision(observer, (seen) => this.#decide(authorization, request, route, seen))
        : this.#decide(authorization, request, route)
  }

  refusalsOf(requirement: CompiledRequirement): readonly AuthError[] {
    return listPossibleErrors(requirement, this.#refusals)
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

  closeOnExpiry(token: VerifiedToken, connection: ClosableConnection): void {
    closeOnExpiry(token, connection, this.#options)
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
    seen?: DecisionTrace,
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
      throw this.#reject(toRejection(wrong, jws.claims), issuer.userPoolId, route, seen)
    }
    return chain(verifyToken(claimed), (verification) => {
      const verified = this.#verified(verification, route)
      rememberKid(this.#kids, jws)
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
    seen: DecisionTrace | undefined,
  ): AuthError {
    if (seen !== undefined) seen.reason = reason
    if (reason !== null) {
      const details = { userPoolId, code, reason }
      this.#options.logger.debug(details, `cognito-m2m: token rejected: ${reason}`)
    }
    return this.#refusals.refuse(code, headers.get(code))
  }

  #verified(verification: Verification, { headers }: Route): VerifiedClaims {
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
    verified: VerifiedClaims,
  ): VerifiedCredential {
    const isCached =
      typeof authorization === 'string' &&
      authorization.length === SPELLING.length + encoded.length &&
      authorization.startsWith(SPELLING)
    const tokens = isCached ? this.#tokens : undefined
    // Another request with the same token may have been faster.
    const faster = tokens?.get(authorization as string)
    if (faster !== undefined) return faster
    const { claims } = verified
    const token = createVerifiedToken(isCached ? authorization : encoded, claims, {
      userPoolId: issuer.userPoolId,
      issuer: issuer.issuer,
      clientId: this.#clientIds.one(claims.client_id),
    })
    if (tokens === undefined) return { token, issuer, satisfiedRoutes: 0 }
    const known = new CachedToken(authorization as string, token, issuer, verified)
    tokens.add(known)
    return known
  }
}

function note(seen: DecisionTrace, { token, issuer }: VerifiedCredential): void {
  seen.userPoolId = issuer.userPoolId
  seen.clientId = token.clientId
}

/** What a guard answers for a requirement: `null` only where a token is optional. */
export type AuthFor<Requirement> = Requirement extends false
  ? null
  : 'optional' extends keyof Requirement
    ? Requirement['optional'] extends false | undefined
      ? VerifiedToken
      : VerifiedToken | null
    : VerifiedToken

/**
 * Decides on one request.
 *
 * @param authorization Every Authorization line of the request: more than one is refused.
 * @param request Handed to the requirement's `check` as it is.
 * @throws {AuthError} with one of the codes of {@link AuthErrorCode}; thrown at once or as a
 *   rejection, so `await` it.
 */
export type Guard<Auth extends VerifiedToken | null> = (
  authorization: string | readonly string[] | undefined,
  request?: unknown,
) => Auth | Promise<Auth>

/** The state operators ask for. */
export interface ServerStatus {
  /** Number of this resource server in its process, as {@link DiagnosticsEvents} name it. */
  readonly instance: number
  /** Every pool has had keys. For readiness probes, never for liveness. */
  readonly ready: boolean
  readonly userPools: readonly UserPoolStatus[]
}

/** One pool's part of {@link ServerStatus}. */
export interface UserPoolStatus extends KeyStoreStatus {
  readonly userPoolId: string
  /** A generated pool for development: never to be seen in production. */
  readonly local: boolean
}

/** Verifies tokens and decides on requests for one API. */
export interface ResourceServer {
  /**
   * Validates and compiles a requirement, once. Left out, the option `default` decides, which is a
   * valid token unless it asks for more.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID`.
   */
  guard(): Guard<VerifiedToken>
  guard<const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): Guard<AuthFor<Requirement>>
  /**
   * Settles when each pool's first fetch did; keys are fetched from creation on.
   *
   * @throws {StartupError} `ERR_KEYS_UNAVAILABLE` with `keyStore.startup: 'require'` and no keys.
   */
  ready(): Promise<void>
  status(): ServerStatus
  /** The document of RFC 9728, for who serves it; null without the option `resourceMetadata`. */
  resourceMetadata(): ResourceMetadataDocument | null
  /**
   * Ends a connection that outlives its request when the token it was opened with expires: a
   * websocket is closed with 1008 and cut a second later, a response or socket is destroyed, as by
   * a caller that hangs up. The clock is looked at every minute and at `exp` + `clockTolerance`.
   *
   * ```ts
   * app.get('/events', { config: { auth: {} } }, (request, reply) => {
   *   app.cognito.closeOnExpiry(request.auth, reply.raw)
   * })
   * ```
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for what cannot be ended.
   */
  closeOnExpiry(token: VerifiedToken, connection: ClosableConnection): void
  /** Ends timers and fetches. Tokens get 503 from then on. */
  close(): void
}

/**
 * Creates the framework-free core: what protects an API whose framework has no adapter here.
 *
 * ```ts
 * const server = createResourceServer({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })
 * const guard = server.guard({ scopes: 'orders/read' })
 * const token = await guard(request.headers.authorization, request)
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createResourceServer(options: CognitoAuthOptions): ResourceServer {
  const read = readOptions(options)
  requireDefault(read)
  return openResourceServer(read)
}

/** What adapters use: requirements are compiled where they are declared, guards made later. */
export interface CoreServer extends ResourceServer {
  /**
   * Counts the scopes of a requirement as declared, before its guard is made.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for a user pool that the server does not have.
   */
  declare(requirement: CompiledRequirement): void
  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null>
  /** Every refusal a route with this requirement may answer, headers as this server sends them. */
  refusalsOf(requirement: CompiledRequirement): readonly AuthError[]
}

/** The same for an adapter, which reads the options with its framework's logger. */
export function openResourceServer(options: ServerOptions): CoreServer {
  return new Server(options)
}
