/** Answers a token request from the negative cache, the token cache, or Cognito. */

import { publish, secondsBetween, type TokenRequestEvent } from '../../core/diagnostics.ts'
import { withTimeout } from '../../core/util/async.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { RENEWAL_WAIT_MS } from '../oauth/token-lifetime.ts'
import type { TimedLookup } from '../store/resilient-store.ts'
import {
  answerText,
  type CachedToken,
  cachedTokenOf,
  decodeEntry,
  type Entry,
} from './cache-entry.ts'
import type { Pair, Proof } from './credentials.ts'
import { type CacheKey, identityOf, pairIdentityOf, type TokenRequest } from './request.ts'
import {
  type Answer,
  token,
  type UnavailableCode,
  type UnavailableLog,
  unavailable,
} from './responses.ts'
import {
  type FetchResult,
  type IssuedToken,
  TokenFlights,
  type TokenFlightsOptions,
  upstreamUnavailable,
} from './single-flight.ts'

/** What {@link TokenRequests} works with. */
export interface TokenRequestsOptions extends Omit<TokenFlightsOptions, 'read'> {
  readonly tokenEndpoint: string
  readonly unavailable: UnavailableLog
}

/** One caller's request. */
interface Call {
  readonly request: TokenRequest
  readonly key: CacheKey
  /** Monotonic, milliseconds, when it came. */
  readonly begun: number
}

/** App clients whose group is not computed anew; unauthenticated callers may name as many as they like. */
const MAX_GROUPS = 10_000
/** Seconds a caller is asked to wait whose time was over before there was a result. */
const TIMEOUT_RETRY_AFTER = 1

/** Decides for each caller: a cached answer, the cached token, or a token of Cognito's. */
export class TokenRequests {
  readonly #options: TokenRequestsOptions
  readonly #flights: TokenFlights
  readonly #groups = new BoundedMap<string>(MAX_GROUPS)
  /** By request and by bytes: both are the same objects again for a caller who comes again. */
  readonly #names = new WeakMap<TokenRequest, string>()
  readonly #entries = new WeakMap<Uint8Array, Entry>()

  constructor(options: TokenRequestsOptions) {
    this.#options = options
    this.#flights = new TokenFlights({ ...options, read: (found) => this.#read(found) })
  }

  /** @param begun Monotonic, milliseconds, when the request came. Never rejects. */
  async answer(request: TokenRequest, begun: number): Promise<Answer> {
    const { store, negative } = this.#options
    const key = { name: this.#name(request), group: this.#group(request.clientId) }
    const call = { request, key, begun }
    const refusal = negative.refusalOf(key.name)
    if (refusal !== undefined) return this.#respond(refusal, call)
    const found = await store.find(key.name, key.group)
    const cached = this.#read(found)
    if (cached?.phase === 'fresh') return this.#serve(cached, call)
    const pair = this.#pair(request, key.group)
    const phase = cached?.phase ?? 'ended'
    const flight = this.#flights.fetch({ request, key, pair, phase }, found.epoch)
    if (cached?.phase === 'refreshDue') return this.#serve(cached, call)
    if (cached !== undefined) {
      const waitMs = Math.min(RENEWAL_WAIT_MS, this.#timeLeft(begun))
      const result = await withTimeout(waitMs, flight.result)
      const stillCached = isWithoutToken(result) ? await this.#lookUp(key) : undefined
      if (stillCached !== undefined) return this.#serve(stillCached, call)
    }
    const result = await withTimeout(this.#timeLeft(begun), flight.result)
    return this.#respond(result ?? TIMED_OUT, call, flight.isShared)
  }

  /** Again, as the client may have been invalidated while its caller waited. */
  async #lookUp({ name, group }: CacheKey): Promise<CachedToken | undefined> {
    return this.#read(await this.#options.store.find(name, group))
  }

  #timeLeft(begun: number): number {
    const { timeout, monotonicNow } = this.#options
    const waited = monotonicNow() - begun
    // A clock that failed leaves the whole time: no caller waits longer than twice that.
    return Math.max(0, timeout - (waited || 0))
  }

  #read({ value, now }: TimedLookup): CachedToken | undefined {
    if (value === undefined) return undefined
    const entry = this.#entries.get(value) ?? decodeEntry(value)
    if (entry === undefined) return undefined
    this.#entries.set(value, entry)
    return cachedTokenOf(entry, now, this.#options.limits)
  }

  /** Undefined where the clock failed. */
  #readIssued({ entry, begun }: IssuedToken): CachedToken | undefined {
    const { limits, monotonicNow } = this.#options
    return cachedTokenOf(entry, entry.askedAt + (monotonicNow() - begun), limits)
  }

  #respond(result: FetchResult, call: Call, isShared = false): Answer {
    if (result.kind === 'cached') return this.#serve(result.cached, call)
    if (result.kind === 'issued') {
      const cached = isShared ? this.#readIssued(result) : undefined
      // The caller that started the flight has its event already.
      return cached === undefined ? result.answer : this.#serve(cached, call)
    }
    if (result.kind === 'refused') {
      this.#tell('refused', result, call)
      return result.answer
    }
    const { answer, code, proof } = result
    this.#options.unavailable.count(code)
    this.#tell('unavailable', { proof, code, error: 'temporarily_unavailable' }, call)
    return answer
  }

  #serve(cached: CachedToken, call: Call): Answer {
    const { userPoolId } = cached.entry
    this.#tell('cached', { proof: { clientId: call.request.clientId, userPoolId } }, call)
    return token(answerText(cached))
  }

  #tell(
    outcome: TokenRequestEvent['outcome'],
    {
      proof,
      error = null,
      code = null,
    }: {
      readonly proof: Proof | undefined
      readonly error?: string | null
      readonly code?: UnavailableCode | null
    },
    { begun }: Call,
  ): void {
    const { instance, monotonicNow } = this.#options
    publish('cognito-m2m:token-request', () => ({
      instance,
      userPoolId: proof?.userPoolId ?? null,
      clientId: proof?.clientId ?? null,
      outcome,
      error,
      code,
      duration: secondsBetween(begun, monotonicNow()),
    }))
  }

  #pair(request: TokenRequest, entries: string): Pair {
    const { tokenEndpoint, store } = this.#options
    const { clientId } = request
    const name = store.name(pairIdentityOf(tokenEndpoint, request))
    // No id has a blank in it: this group is no client's.
    return { clientId, entries, record: { name, group: this.#group(`pairs of ${clientId}`) } }
  }

  #name(request: TokenRequest): string {
    const { tokenEndpoint, store } = this.#options
    const name = this.#names.get(request) ?? store.name(identityOf(tokenEndpoint, request))
    this.#names.set(request, name)
    return name
  }

  #group(clientId: string): string {
    const known = this.#groups.get(clientId)
    if (known !== undefined) return known
    const group = this.#options.store.group(clientId)
    this.#groups.set(clientId, group)
    return group
  }
}

/** A caller whose time was over. The fetch goes on, and its failure is remembered. */
const TIMED_OUT = upstreamUnavailable(unavailable(TIMEOUT_RETRY_AFTER))

/** Whether the cached token is better than the result of its renewal. A wrong secret ends it. */
function isWithoutToken(result: FetchResult | undefined): boolean {
  if (result === undefined || result.kind === 'unavailable') return true
  return result.kind === 'refused' && result.error !== 'invalid_client'
}
