/** The core API: `createResourceServer`, its guards, and what operators ask a resource server. */

import { AccessDecision, type Route, type VerifiedCredential } from './authorize.ts'
import { type AuthErrorFactory, createAuthErrorFactory, listPossibleErrors } from './challenge.ts'
import { type ClosableConnection, closeOnExpiry } from './close-on-expiry.ts'
import { CHANNELS, nextInstance } from './diagnostics.ts'
import type { AuthError, AuthErrorCode } from './errors.ts'
import { createKeyStore, indexIssuers } from './issuers.ts'
import type { KeyStore, KeyStoreStatus } from './keys/key-store.ts'
import { type CognitoAuthOptions, readOptions, type ServerOptions } from './options/options.ts'
import type { UserPool } from './options/user-pool.ts'
import { OptionError } from './options/validate.ts'
import { RejectionLog } from './rejection-log.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  checkUserPools,
  compileRequirement,
} from './requirement.ts'
import type { ResourceMetadataDocument } from './resource-metadata.ts'
import { readBearer } from './token/bearer.ts'
import { checkClaims } from './token/claims.ts'
import { type JwsHeader, rememberHeader } from './token/jws.ts'
import { CachedToken, StringInterner, TokenCache } from './token/token-cache.ts'
import { createVerifiedToken, type VerifiedToken } from './token/verified-token.ts'
import {
  type Issuer,
  readToken,
  type UnverifiedToken,
  type Verification,
  type VerifiedClaims,
  verifyToken,
} from './token/verify.ts'
import { type DecisionTrace, type RouteReader, traceDecision } from './trace-decision.ts'
import { chain } from './util/async.ts'
import { safeClock } from './util/time.ts'

/** What a guard returns for a requirement: `null` only if a token is optional. */
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
 * @param authorization Every Authorization header of the request: more than one is rejected.
 * @param request Passed unchanged to the requirement's `check`.
 * @returns A promise of the verified token; of `null` for a request without a token if a token is optional.
 * @throws {AuthError} with one of the codes of {@link AuthErrorCode}, as a rejection. A guard never throws
 *   synchronously.
 */
export type Guard<Auth extends VerifiedToken | null> = (
  authorization: string | readonly string[] | undefined,
  request?: unknown,
) => Promise<Auth>

/**
 * A guard for adapters. It may return or throw synchronously: for a cached token, and for a request that it
 * rejects without a key. There, a promise would cost more than the decision.
 */
export type CoreGuard = (
  authorization: string | readonly string[] | undefined,
  request?: unknown,
) => VerifiedToken | null | Promise<VerifiedToken | null>

/** The state of a resource server, for operators. */
export interface ServerStatus {
  /** Number of this resource server in its process, as in {@link DiagnosticsEvents}. */
  readonly instance: number
  /** Whether every pool has had keys. For readiness probes, never for liveness. */
  readonly ready: boolean
  readonly userPools: readonly UserPoolStatus[]
}

/** The state of one pool in {@link ServerStatus}. */
export interface UserPoolStatus extends KeyStoreStatus {
  readonly userPoolId: string
  /** Whether it is a generated pool for development. Must be false in production. */
  readonly local: boolean
}

/** Verifies tokens and decides on requests for one API. */
export interface ResourceServer {
  /**
   * Validates and compiles a requirement once. Without one, the option `default` applies: by default, any valid
   * token.
   *
   * @returns A guard, which always returns a promise.
   * @throws {OptionError} `ERR_OPTION_INVALID`, synchronously.
   */
  guard(): Guard<VerifiedToken>
  /**
   * Validates and compiles a requirement once.
   *
   * @param requirement What a request needs to pass the guard.
   * @returns A guard, which always returns a promise.
   * @throws {OptionError} `ERR_OPTION_INVALID`, synchronously.
   */
  guard<const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): Guard<AuthFor<Requirement>>
  /**
   * Waits for the first fetch of each pool's keys. Fetching starts when the server is created.
   *
   * @throws {StartupError} `ERR_KEYS_UNAVAILABLE` with `keyStore.startup: 'require'` and no keys.
   */
  ready(): Promise<void>
  /** Returns the current state. */
  status(): ServerStatus
  /** Returns the document of RFC 9728; null without the option `resourceMetadata`. */
  resourceMetadata(): ResourceMetadataDocument | null
  /**
   * Closes a connection that outlives its request when the token it was opened with expires. A websocket is
   * closed with code 1008 and terminated a second later. A response or socket is destroyed, as if the caller
   * disconnected. The clock is read every minute and at `exp` + `clockTolerance`.
   *
   * @param token The token that opened the connection.
   * @param connection A websocket of `ws`, a response, or a socket.
   * @throws {OptionError} `ERR_OPTION_INVALID` for a connection that cannot be closed.
   * @example
   * ```ts
   * app.get('/events', { config: { auth: {} } }, (request, reply) => {
   *   app.cognito.closeOnExpiry(request.auth, reply.raw)
   * })
   * ```
   */
  closeOnExpiry(token: VerifiedToken, connection: ClosableConnection): void
  /** Stops timers and fetches. From then on, requests with a token get a 503. */
  close(): void
}

/** The API for adapters: they declare requirements first and create guards later. */
export interface CoreServer extends ResourceServer {
  /**
   * Adds the scopes of a requirement to the resource metadata, before its guard is created.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for a user pool that the server does not have.
   */
  declare(requirement: CompiledRequirement): void
  /** @param readRoute Called only for an event or a log line. */
  createGuard(requirement: CompiledRequirement, readRoute?: RouteReader): CoreGuard
  /** Every error that a route with this requirement can return, with the headers of this server. */
  listErrors(requirement: CompiledRequirement): readonly AuthError[]
}

/**
 * Creates the framework-independent core, for an API whose framework has no adapter here.
 *
 * @param options The user pools, and the rules for their tokens.
 * @returns The resource server. It fetches keys from now on.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const server = createResourceServer({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })
 * const guard = server.guard({ scopes: 'orders/read' })
 * const token = await guard(request.headers.authorization, request)
 * ```
 */
export function createResourceServer(options: CognitoAuthOptions): ResourceServer {
  const serverOptions = readOptions(options)
  requireProtectedDefault(serverOptions)
  return createCoreServer(serverOptions)
}

/** Creates the core for an adapter, which reads the options with its framework's logger. */
export function createCoreServer(options: ServerOptions): CoreServer {
  return new CognitoResourceServer(options)
}

/**
 * The requirement of a guard without its own, in adapters that do not know their routes.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` if it allows requests without a token: there, no route would show
 *   that it is public.
 */
export function requireProtectedDefault({
  defaultRequirement,
}: ServerOptions): CompiledRequirement {
  if (defaultRequirement !== false && !defaultRequirement.optional) return defaultRequirement
  throw new OptionError(
    'default',
    'expected a requirement for a token, got one that allows requests without a token. Pass { optional: true } to the guards of public routes instead.',
  )
}

/** The start of the Authorization header as nearly every caller writes it. */
const BEARER_PREFIX = 'Bearer '

/** One call of a guard. */
interface GuardCall {
  readonly authorization: string | readonly string[] | undefined
  readonly request: unknown
  readonly route: Route
  /** Undefined without a subscriber. */
  readonly trace: DecisionTrace | undefined
}

/** Implements {@link CoreServer}. */
export class CognitoResourceServer implements CoreServer {
  readonly #instance = nextInstance()
  readonly #options: ServerOptions
  readonly #errors: AuthErrorFactory
  readonly #keyStores: readonly KeyStore[]
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #access: AccessDecision
  readonly #tokenCache: TokenCache<CachedToken> | undefined
  readonly #clientIds = new StringInterner()
  readonly #headers = new Map<string, JwsHeader>()
  readonly #declaredScopes = new Set<string>()
  readonly #rejectionLog: RejectionLog | undefined
  #closed = false

  constructor(options: ServerOptions) {
    const { realm, metadata, challengeScopes, pools, tokenCache } = options
    this.#options = options
    this.#errors = createAuthErrorFactory(realm, metadata?.url, challengeScopes)
    this.#keyStores = pools.map((pool) => createKeyStore(pool, options, this.#instance))
    this.#issuers = indexIssuers(this.#keyStores, options)
    this.#access = new AccessDecision(options, this.#errors)
    const { logger, monotonicNow, rejectionsPerMinute: perMinute } = options
    if (perMinute !== undefined) {
      this.#rejectionLog = new RejectionLog(logger, safeClock(monotonicNow), perMinute)
    }
    if (tokenCache !== false) this.#tokenCache = new TokenCache(tokenCache)
  }

  guard(): Guard<VerifiedToken>
  guard<const Requirement extends AccessRequirement>(
    requirement: Requirement,
  ): Guard<AuthFor<Requirement>>
  // `guard(undefined)` is a mistake, not a request for the default requirement.
  guard(...args: readonly unknown[]): Guard<VerifiedToken | null> {
    const requirement =
      args.length === 0
        ? requireProtectedDefault(this.#options)
        : compileRequirement(args[0], 'requirement')
    const decide = this.createGuard(requirement)
    return async (authorization, request) => decide(authorization, request)
  }

  declare(requirement: CompiledRequirement): void {
    checkUserPools(requirement, this.#options.pools)
    for (const scope of [...requirement.allOf, ...requirement.anyOf]) {
      this.#declaredScopes.add(scope)
    }
  }

  createGuard(requirement: CompiledRequirement, readRoute: RouteReader = () => null): CoreGuard {
    this.declare(requirement)
    const route = this.#access.createRoute(requirement)
    const monotonicNow = safeClock(this.#options.monotonicNow)
    const rejectionLog = this.#rejectionLog
    const context = { instance: this.#instance, monotonicNow, readRoute, rejectionLog }
    return (authorization, request) =>
      CHANNELS['cognito-m2m:decision'].hasSubscribers || rejectionLog !== undefined
        ? traceDecision(context, request, (trace) =>
            this.#decide(authorization, request, route, trace),
          )
        : this.#decide(authorization, request, route)
  }

  listErrors(requirement: CompiledRequirement): readonly AuthError[] {
    return listPossibleErrors(requirement, this.#errors)
  }

  async ready(): Promise<void> {
    await Promise.all(this.#keyStores.map((store) => store.ready()))
  }

  status(): ServerStatus {
    const userPools = this.#keyStores.map((store, index) => {
      const { userPoolId, local } = this.#options.pools[index] as UserPool
      return { userPoolId, local, ...store.status() }
    })
    const ready = userPools.every((pool) => pool.ready)
    return { instance: this.#instance, ready, userPools }
  }

  resourceMetadata(): ResourceMetadataDocument | null {
    const issuers = this.#keyStores.flatMap((store) => store.issuersInUse())
    return this.#options.metadata?.document(this.#declaredScopes, issuers) ?? null
  }

  closeOnExpiry(token: VerifiedToken, connection: ClosableConnection): void {
    closeOnExpiry(token, connection, this.#options)
  }

  close(): void {
    this.#closed = true
    this.#tokenCache?.clear()
    for (const store of this.#keyStores) store.close()
  }

  /** Synchronous for a cached token, and for every rejection that needs no key. */
  #decide(
    authorization: string | readonly string[] | undefined,
    request: unknown,
    route: Route,
    trace?: DecisionTrace,
  ): VerifiedToken | null | Promise<VerifiedToken | null> {
    const cached = this.#findCachedToken(authorization)
    if (cached !== undefined) {
      if (trace !== undefined) recordCredential(trace, cached, true)
      return this.#access.decideAccess(cached, route, request)
    }
    const credential = readBearer(authorization, this.#options.maxTokenLength)
    if (credential.kind === 'rejected') {
      if (credential.code === 'ERR_TOKEN_MISSING' && route.requirement.optional) return null
      throw this.#errors.createError(credential.code, route.headers.get(credential.code))
    }
    if (this.#closed) throw this.#errors.createUnavailableError('ERR_KEYS_UNAVAILABLE', 0)
    const call = { authorization, request, route, trace }
    return this.#verifyAndDecide(call, credential.token, this.#readToken(call, credential.token))
  }

  /** Checks everything that needs no key. */
  #readToken({ route, trace }: GuardCall, encoded: string): UnverifiedToken {
    const token = readToken(encoded, this.#issuers, this.#headers)
    if (token.kind === 'rejected') throw this.#reject(token, null, route, trace)
    const { issuer, jws } = token
    const { userPoolId } = issuer
    if (trace !== undefined) trace.userPoolId = userPoolId
    const failure = checkClaims(jws.claims, issuer.rules, this.#options.now())
    if (failure !== undefined) throw this.#reject(failure, userPoolId, route, trace)
    return token
  }

  #verifyAndDecide(
    call: GuardCall,
    encoded: string,
    token: UnverifiedToken,
  ): VerifiedToken | Promise<VerifiedToken> {
    return chain(verifyToken(token), (verification) =>
      this.#decideVerified(call, encoded, token, this.#requireVerified(verification, call.route)),
    )
  }

  #decideVerified(
    { authorization, request, route, trace }: GuardCall,
    encoded: string,
    { jws, issuer }: UnverifiedToken,
    verified: VerifiedClaims,
  ): VerifiedToken | Promise<VerifiedToken> {
    rememberHeader(this.#headers, jws)
    const credential = this.#cacheToken(authorization, encoded, issuer, verified)
    if (trace !== undefined) recordCredential(trace, credential, false)
    return this.#access.decideAccess(credential, route, request, verified.claims)
  }

  /** Names the malformed claim to operators. The caller gets the code's fixed text. */
  #reject(
    { code, reason }: { readonly code: AuthErrorCode; readonly reason: string | null },
    userPoolId: string | null,
    { headers }: Route,
    trace: DecisionTrace | undefined,
  ): AuthError {
    if (trace !== undefined) trace.reason = reason
    if (reason !== null) {
      this.#options.logger.debug({ userPoolId, code, reason }, 'cognito-m2m: token rejected')
    }
    return this.#errors.createError(code, headers.get(code))
  }

  #requireVerified(verification: Verification, { headers }: Route): VerifiedClaims {
    switch (verification.kind) {
      case 'verified':
        return verification
      case 'rejected':
        throw this.#errors.createError(verification.code, headers.get(verification.code))
      case 'undecided': {
        const { retryAfter, cause } = verification.keys
        throw this.#errors.createUnavailableError('ERR_KEYS_UNAVAILABLE', retryAfter, cause)
      }
    }
  }

  /** The token that was verified under exactly this header value, if it is still valid. */
  #findCachedToken(authorization: string | readonly string[] | undefined): CachedToken | undefined {
    if (typeof authorization !== 'string' || this.#closed) return undefined
    const cached = this.#tokenCache?.get(authorization)
    if (cached === undefined || cached.isStillValid(this.#options.now())) return cached
    this.#tokenCache?.delete(cached)
    return undefined
  }

  /** Caches only the usual spelling of the header: others could fill the cache with one token. */
  #cacheToken(
    authorization: string | readonly string[] | undefined,
    encoded: string,
    issuer: Issuer,
    verified: VerifiedClaims,
  ): VerifiedCredential {
    const isCacheable =
      typeof authorization === 'string' &&
      authorization.length === BEARER_PREFIX.length + encoded.length &&
      authorization.startsWith(BEARER_PREFIX)
    // A verification that ends after close() must not refill the cache.
    const cache = isCacheable && !this.#closed ? this.#tokenCache : undefined
    // A concurrent request with the same token may have cached it.
    const existing = cache?.get(authorization as string)
    if (existing !== undefined) return existing
    const { claims } = verified
    const token = createVerifiedToken(isCacheable ? authorization : encoded, claims, {
      userPoolId: issuer.userPoolId,
      issuer: issuer.issuer,
      clientId: this.#clientIds.intern(claims.client_id),
    })
    if (cache === undefined) return { token, issuer, satisfiedRoutes: 0 }
    const cached = new CachedToken(authorization as string, token, issuer, verified)
    cache.add(cached)
    return cached
  }
}

function recordCredential(
  trace: DecisionTrace,
  { token, issuer }: VerifiedCredential,
  cached: boolean,
): void {
  trace.cached = cached
  trace.userPoolId = issuer.userPoolId
  trace.clientId = token.clientId
}
