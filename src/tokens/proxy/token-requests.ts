/** Responds to a token request from the negative cache, the token cache, or Cognito. */

import { publish, secondsBetween, type TokenRequestEvent } from '../../core/diagnostics.ts'
import { withTimeout } from '../../core/util/async.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { RENEWAL_WAIT_MS } from '../oauth/token-lifetime.ts'
import type { TimedLookup } from '../store/resilient-store.ts'
import {
  type CachedToken,
  decodeEntry,
  type TokenEntry,
  toCachedToken,
  writeTokenBody,
} from './cached-results.ts'
import type { ClientCredential, VerifiedClient } from './credentials.ts'
import {
  type CacheKey,
  createTokenResponse,
  createUnavailableResponse,
  encodeCredentialIdentity,
  encodeTokenIdentity,
  type ProxyResponse,
  type TokenRequest,
} from './protocol.ts'
import {
  createUpstreamUnavailable,
  type FetchResult,
  type IssuedToken,
  TOKEN_REQUEST_CHANNEL,
  TokenFlights,
  type TokenFlightsOptions,
} from './single-flight.ts'
import type { UnavailableCode, UnavailableLog } from './unavailable-log.ts'

/** Options of {@link TokenRequests}. */
export interface TokenRequestsOptions extends Omit<TokenFlightsOptions, 'read'> {
  readonly tokenEndpoint: string
  readonly unavailable: UnavailableLog
}

/** One caller's request. */
interface CallerRequest {
  readonly request: TokenRequest
  readonly key: CacheKey
  /** Monotonic time of arrival, in milliseconds. */
  readonly receivedAt: number
}

/** Most app clients in the cache of groups. Unauthenticated callers can send any number of client ids. */
const MAX_GROUPS = 10_000
/** Seconds of `Retry-After` for a caller that reached `timeout` before there was a result. */
const TIMEOUT_RETRY_AFTER = 1

/** Chooses for each caller: a cached refusal, the cached token, or a token request. */
export class TokenRequests {
  readonly #options: TokenRequestsOptions
  readonly #flights: TokenFlights
  readonly #groups = new BoundedMap<string>(MAX_GROUPS)
  /** Caches by request object and by bytes: repeated requests have the same objects. */
  readonly #names = new WeakMap<TokenRequest, string>()
  readonly #entries = new WeakMap<Uint8Array, TokenEntry>()

  constructor(options: TokenRequestsOptions) {
    this.#options = options
    this.#flights = new TokenFlights({ ...options, read: (found) => this.#read(found) })
  }

  /** Never rejects. @param receivedAt Monotonic time of arrival, in milliseconds. */
  async respond(request: TokenRequest, receivedAt: number): Promise<ProxyResponse> {
    const { store, negative } = this.#options
    const key = { name: this.#getName(request), group: this.#getGroup(request.clientId) }
    const call = { request, key, receivedAt }
    const refusal = negative.findRefusal(key.name)
    if (refusal !== undefined) return this.#respondWith(refusal, call)
    const found = await store.get(key.name, key.group)
    const cached = this.#read(found)
    if (cached?.phase === 'fresh') return this.#serve(cached, call)
    const credential = this.#getCredential(request, key.group)
    const phase = cached?.phase ?? 'ended'
    const flight = this.#flights.fetch({ request, key, credential, phase }, found.epoch)
    if (cached?.phase === 'refreshDue') return this.#serve(cached, call)
    if (cached !== undefined) {
      const waitMs = Math.min(RENEWAL_WAIT_MS, this.#timeLeftMs(receivedAt))
      const result = await withTimeout(waitMs, flight.result)
      const stillCached = hasNoToken(result) ? await this.#lookUp(key) : undefined
      if (stillCached !== undefined) return this.#serve(stillCached, call)
    }
    const result = await withTimeout(this.#timeLeftMs(receivedAt), flight.result)
    return this.#respondWith(result ?? TIMED_OUT, call, flight.isShared)
  }

  /** Looks up again, because the client may have been invalidated while its caller waited. */
  async #lookUp({ name, group }: CacheKey): Promise<CachedToken | undefined> {
    return this.#read(await this.#options.store.get(name, group))
  }

  #timeLeftMs(receivedAt: number): number {
    const { timeoutMs, monotonicNow } = this.#options
    const waited = monotonicNow() - receivedAt
    // If the clock failed, the full timeout remains: a caller waits at most twice as long.
    return Math.max(0, timeoutMs - (waited || 0))
  }

  #read({ value, now }: TimedLookup): CachedToken | undefined {
    if (value === undefined) return undefined
    const entry = this.#entries.get(value) ?? decodeEntry(value)
    if (entry === undefined) return undefined
    this.#entries.set(value, entry)
    return toCachedToken(entry, now, this.#options.limits)
  }

  /** Undefined if the clock failed. */
  #readIssued({ entry, requestedAt }: IssuedToken): CachedToken | undefined {
    const { limits, monotonicNow } = this.#options
    return toCachedToken(entry, entry.requestedAt + (monotonicNow() - requestedAt), limits)
  }

  #respondWith(result: FetchResult, call: CallerRequest, isShared = false): ProxyResponse {
    if (result.kind === 'cached') return this.#serve(result.cached, call)
    if (result.kind === 'issued') {
      const cached = isShared ? this.#readIssued(result) : undefined
      // The event of the caller that started the flight is already published.
      return cached === undefined ? result.response : this.#serve(cached, call)
    }
    if (result.kind === 'refused') {
      this.#publish('refused', result, call)
      return result.response
    }
    const { response, code, client } = result
    this.#options.unavailable.count(code)
    this.#publish('unavailable', { client, code, error: 'temporarily_unavailable' }, call)
    return response
  }

  #serve(cached: CachedToken, call: CallerRequest): ProxyResponse {
    const { userPoolId } = cached.entry
    this.#publish('cached', { client: { clientId: call.request.clientId, userPoolId } }, call)
    return createTokenResponse(writeTokenBody(cached))
  }

  #publish(
    outcome: TokenRequestEvent['outcome'],
    {
      client,
      error = null,
      code = null,
    }: {
      readonly client: VerifiedClient | undefined
      readonly error?: string | null
      readonly code?: UnavailableCode | null
    },
    { receivedAt }: CallerRequest,
  ): void {
    const { instance, monotonicNow } = this.#options
    if (!TOKEN_REQUEST_CHANNEL.hasSubscribers) return
    publish('cognito-m2m:token-request', () => ({
      instance,
      userPoolId: client?.userPoolId ?? null,
      clientId: client?.clientId ?? null,
      outcome,
      error,
      code,
      duration: secondsBetween(receivedAt, monotonicNow()),
    }))
  }

  #getCredential(request: TokenRequest, entryGroup: string): ClientCredential {
    const { tokenEndpoint, store } = this.#options
    const { clientId } = request
    const name = store.deriveName(encodeCredentialIdentity(tokenEndpoint, request))
    // Client ids contain no spaces, so this group belongs to no client.
    return {
      clientId,
      entryGroup,
      recordKey: { name, group: this.#getGroup(`pairs of ${clientId}`) },
    }
  }

  #getName(request: TokenRequest): string {
    const { tokenEndpoint, store } = this.#options
    const name =
      this.#names.get(request) ?? store.deriveName(encodeTokenIdentity(tokenEndpoint, request))
    this.#names.set(request, name)
    return name
  }

  #getGroup(clientId: string): string {
    const cached = this.#groups.get(clientId)
    if (cached !== undefined) return cached
    const group = this.#options.store.deriveGroup(clientId)
    this.#groups.set(clientId, group)
    return group
  }
}

/** Result for a caller that reached `timeout`. The fetch continues, and its failure is cached. */
const TIMED_OUT = createUpstreamUnavailable(createUnavailableResponse(TIMEOUT_RETRY_AFTER))

/** Whether the cached token is served instead of the renewal's result. Not after a wrong secret. */
function hasNoToken(result: FetchResult | undefined): boolean {
  if (result === undefined || result.kind === 'unavailable') return true
  return result.kind === 'refused' && result.error !== 'invalid_client'
}
