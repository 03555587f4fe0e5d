/**
 * Ties the core together: credential → token → decision → answer. Adapters are thin layers over a
 * guard, so every surface gives the same answer in the same order.
 */

import { ask, type NoDecisionError } from './ask.ts'
import { readBearer } from './bearer.ts'
import { type Refusals, refusals } from './challenge.ts'
import { cachedLookup } from './client-lookup.ts'
import { KeyStore, type KeyStoreStatus } from './keys.ts'
import type { CognitoAuthOptions, ServerOptions } from './options.ts'
import { readOptions } from './options.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  compileRequirement,
  scopesSuffice,
} from './requirement.ts'
import { steadyClock } from './steady-clock.ts'
import type { UserPool } from './user-pool-options.ts'
import type { VerifiedToken } from './verified-token.ts'
import { type Issuer, type Verified, verifyToken } from './verifier.ts'

/** What a caller is told to wait when a check or lookup gave no decision, in milliseconds. */
const CHECK_RETRY_AFTER = 1000

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
   * Validates and compiles a requirement, once. Left out, a valid token is enough.
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
  return openResourceServer(readOptions(options))
}

/** What adapters use: requirements are compiled where they are declared, guards made later. */
export interface CoreServer extends ResourceServer {
  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null>
}

/** The same for an adapter, which reads the options with its framework's logger. */
export function openResourceServer(options: ServerOptions): CoreServer {
  return new Server(options)
}

class Server implements CoreServer {
  readonly #options: ServerOptions
  readonly #refusals: Refusals
  readonly #stores: readonly KeyStore[]
  readonly #issuers: ReadonlyMap<string, Issuer>
  #closed = false

  constructor(options: ServerOptions) {
    this.#options = options
    this.#refusals = refusals(options.realm)
    this.#stores = options.pools.map((pool) => openStore(pool, options))
    this.#issuers = tableOfIssuers(this.#stores, options)
  }

  // What is compiled makes the answer null or not; types cannot follow it there.
  guard(requirement: AccessRequirement = {}): Guard<never> {
    return this.guardOf(compileRequirement(requirement, 'requirement')) as Guard<never>
  }

  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null> {
    const { allOf, anyOf } = requirement
    const insufficient = this.#refusals.scopeHeaders([...allOf, ...anyOf])
    return (authorization, request) =>
      this.#decide(authorization, request, requirement, insufficient)
  }

  async ready(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.ready()))
  }

  status(): ServerStatus {
    const userPools = this.#stores.map((store, index) => {
      const { userPoolId, local } = this.#options.pools[index] as UserPool
      return { userPoolId, local, ...store.status() }
    })
    return { ready: userPools.every(({ ready }) => ready), userPools }
  }

  close(): void {
    this.#closed = true
    for (const store of this.#stores) store.close()
  }

  async #decide(
    authorization: string | readonly string[] | undefined,
    request: unknown,
    requirement: CompiledRequirement,
    insufficient: Readonly<Record<string, string>>,
  ): Promise<VerifiedToken | null> {
    const { refuse } = this.#refusals
    const credential = readBearer(authorization, this.#options.maxTokenLength)
    if (typeof credential === 'string') {
      if (credential === 'ERR_TOKEN_MISSING' && requirement.optional) return null
      throw refuse(credential)
    }
    const { token, issuer } = await this.#verify(credential.token)
    if (!(await this.#asked(() => issuer.lookup?.(token.clientId) ?? true))) {
      throw refuse('ERR_CLIENT_NOT_ALLOWED')
    }
    if (!scopesSuffice(token.scopes, requirement)) {
      throw refuse('ERR_SCOPE_INSUFFICIENT', insufficient)
    }
    if (requirement.clientIds?.has(token.clientId) === false) throw refuse('ERR_ACCESS_DENIED')
    // Both are called unbound: what they would find as `this` is not theirs.
    const { check: serverCheck } = this.#options
    const { check: routeCheck } = requirement
    const allowed =
      (serverCheck === undefined || (await this.#asked(() => ask(() => serverCheck(token))))) &&
      (routeCheck === undefined || (await this.#asked(() => ask(() => routeCheck(token, request)))))
    if (!allowed) throw refuse('ERR_ACCESS_DENIED')
    return token
  }

  /** A cache of verified tokens answers here, before anything of the token is looked at. */
  async #verify(token: string): Promise<Verified> {
    if (this.#closed) throw this.#refusals.unavailable('ERR_KEYS_UNAVAILABLE', 0)
    const result = await verifyToken(token, this.#issuers, this.#options.now)
    if (typeof result === 'string') throw this.#refusals.refuse(result)
    if ('retryAfter' in result) {
      throw this.#refusals.unavailable('ERR_KEYS_UNAVAILABLE', result.retryAfter, result.cause)
    }
    return result
  }

  /** Runs a question to the owner's code; no decision is answered with 503. */
  async #asked(question: () => boolean | Promise<boolean>): Promise<boolean> {
    try {
      return await question()
    } catch (error) {
      throw this.#refusals.unavailable(
        'ERR_CHECK_UNAVAILABLE',
        CHECK_RETRY_AFTER,
        error as NoDecisionError,
      )
    }
  }
}

function openStore(pool: UserPool, options: ServerOptions): KeyStore {
  const { userPoolId, issuers, given, local } = pool
  const { timing, fetch, now, monotonicNow, logger } = options
  if (local) {
    logger.warn(
      { userPoolId },
      'cognito-m2m: local user pool: its tokens prove nothing, for development only',
    )
  }
  return new KeyStore({ userPoolId, issuers, given, timing, fetch, now, monotonicNow, logger })
}

function tableOfIssuers(
  stores: readonly KeyStore[],
  options: ServerOptions,
): ReadonlyMap<string, Issuer> {
  const { clockTolerance, clientCache, monotonicNow } = options
  const issuers = new Map<string, Issuer>()
  for (const [index, { userPoolId, machinesOnly, clientIds, lookup }] of options.pools.entries()) {
    const elapsed = steadyClock(monotonicNow)
    const rules = { machinesOnly, clientIds, clockTolerance }
    const cached = lookup && cachedLookup(lookup, { ...clientCache, elapsed })
    for (const keys of (stores[index] as KeyStore).issuers) {
      issuers.set(keys.issuer, { userPoolId, keys, rules, lookup: cached })
    }
  }
  return issuers
}
