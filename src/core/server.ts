/**
 * Decides: credential → token → decision → answer. Adapters are thin layers over its guards, so every
 * surface gives the same answer in the same order.
 */
import { ask, type NoDecisionError } from './ask.ts'
import { readBearer } from './bearer.ts'
import { type Refusals, refusals } from './challenge.ts'
import { checkClaims } from './claims.ts'
import { isHeard, nextInstance } from './diagnostics.ts'
import type { AuthError } from './errors.ts'
import { endAtExpiry, type LongConnection } from './expiry.ts'
import type { KeyStore } from './keys.ts'
import { observed, type Seen } from './observed.ts'
import { OptionError } from './option-error.ts'
import type { ServerOptions } from './options.ts'
import { openStore, tableOfIssuers } from './pools.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  compileRequirement,
  scopesSuffice,
} from './requirement.ts'
import type { ResourceMetadataDocument } from './resource-metadata.ts'
import type { CoreServer, Guard, ServerStatus } from './resource-server.ts'
import type { UserPool } from './user-pool-options.ts'
import type { VerifiedToken } from './verified-token.ts'
import { type Claimed, type Issuer, readToken, type Verified, verifyToken } from './verifier.ts'

/** What a caller is told to wait when a check or lookup gave no decision, in milliseconds. */
const CHECK_RETRY_AFTER = 1000

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

/** What a guard holds requests against. */
interface Route {
  readonly requirement: CompiledRequirement
  /** Headers of a refusal for missing scopes. */
  readonly insufficient: AuthError['headers']
}

/** See {@link CoreServer}. */
export class Server implements CoreServer {
  readonly #instance = nextInstance()
  readonly #options: ServerOptions
  readonly #refusals: Refusals
  readonly #stores: readonly KeyStore[]
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #declaredScopes = new Set<string>()
  #closed = false

  constructor(options: ServerOptions) {
    this.#options = options
    this.#refusals = refusals(options.realm, options.metadata?.url)
    this.#stores = options.pools.map((pool) => openStore(pool, options, this.#instance))
    this.#issuers = tableOfIssuers(this.#stores, options)
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

  declare({ allOf, anyOf }: CompiledRequirement): void {
    for (const scope of [...allOf, ...anyOf]) this.#declaredScopes.add(scope)
  }

  guardOf(requirement: CompiledRequirement): Guard<VerifiedToken | null> {
    const { allOf, anyOf } = requirement
    this.declare(requirement)
    const insufficient = this.#refusals.scopeHeaders([...allOf, ...anyOf])
    const route = { requirement, insufficient }
    const observer = { instance: this.#instance, monotonicNow: this.#options.monotonicNow }
    return (authorization, request) =>
      isHeard('cognito-m2m:decision')
        ? observed(observer, (seen) => this.#decide(authorization, request, route, seen))
        : this.#decide(authorization, request, route)
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
    for (const store of this.#stores) store.close()
  }

  /** At once what needs no key, else a promise. */
  #decide(
    authorization: string | readonly string[] | undefined,
    request: unknown,
    route: Route,
    seen?: Seen,
  ): null | Promise<VerifiedToken | null> {
    const { refuse, unavailable } = this.#refusals
    const credential = readBearer(authorization, this.#options.maxTokenLength)
    if (typeof credential === 'string') {
      if (credential === 'ERR_TOKEN_MISSING' && route.requirement.optional) return null
      throw refuse(credential)
    }
    // A cache of verified tokens answers here, before anything of the token is looked at.
    if (this.#closed) throw unavailable('ERR_KEYS_UNAVAILABLE', 0)
    const claimed = readToken(credential.token, this.#issuers)
    if (typeof claimed === 'string') throw refuse(claimed)
    const { issuer, jws } = claimed
    if (seen !== undefined) seen.userPoolId = issuer.userPoolId
    const wrong = checkClaims(jws.claims, issuer.rules, this.#options.now())
    if (wrong !== undefined) throw refuse(wrong)
    return this.#decideOn(claimed, request, route, seen)
  }

  async #decideOn(
    claimed: Claimed,
    request: unknown,
    { requirement, insufficient }: Route,
    seen: Seen | undefined,
  ): Promise<VerifiedToken> {
    const { refuse } = this.#refusals
    const { token, issuer } = await this.#verify(claimed)
    if (seen !== undefined) seen.clientId = token.clientId
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

  async #verify(claimed: Claimed): Promise<Verified> {
    const result = await verifyToken(claimed)
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
