/** Answers a token request from the negative cache, the token cache, or Cognito. */

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

/** What {@link TokenRequests} works with. */
export interface TokenRequestsOptions extends Omit<TokenFlightsOptions, 'read'> {
  readonly tokenEndpoint: string
  readonly unavailable: UnavailableLog
}

/** One caller's request. */
interface CallerRequest {
  readonly request: TokenRequest
  readonly key: CacheKey
  /** Monotonic, milliseconds, when it came. */
  readonly receivedAt: number
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
  readonly #entries = new WeakMap<Uint8Array, TokenEntry>()

  constructor(options: TokenRequestsOptions) {
    this.#options = options
    this.#flights = new TokenFlights({ ...options, read: (found) => this.#read(found) })
  }

  /** @param receivedAt Monotonic, milliseconds, when the request came. Never rejects. */
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

  /** Again, as the client may have been invalidated while its caller waited. */
  async #lookUp({ name, group }: CacheKey): Promise<CachedToken | undefined> {
    return this.#read(await this.#options.store.get(name, group))
  }

  #timeLeftMs(receivedAt: number): number {
    const { timeoutMs, monotonicNow } = this.#options
    const waited = monotonicNow() - receivedAt
    // A clock that failed leaves the whole time: no caller waits longer than twice that.
    return Math.max(0, timeoutMs - (waited || 0))
  }

  #read({ value, now }: TimedLookup): CachedToken | undefined {
    if (value === undefined) return undefined
    const entry = this.#entries.get(value) ?? decodeEntry(value)
    if (entry === undefined) return undefined
    this.#entries.set(value, entry)
    return toCachedToken(entry, now, this.#options.limits)
  }

  /** Undefined where the clock failed. */
  #readIssued({ entry, requestedAt }: IssuedToken): CachedToken | undefined {
    const { limits, monotonicNow } = this.#options
    return toCachedToken(entry, entry.requestedAt + (monotonicNow() - requestedAt), limits)
  }

  #respondWith(result: FetchResult, call: CallerRequest, isShared = false): ProxyResponse {
    if (result.kind === 'cached') return this.#serve(result.cached, call)
    if (result.kind === 'issued') {
      const cached = isShared ? this.#readIssued(result) : undefined
      // The caller that started the flight has its event already.
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
    // No id has a blank in it: this group is no client's.
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
    const known = this.#groups.get(clientId)
    if (known !== undefined) return known
    const group = this.#options.store.deriveGroup(clientId)
    this.#groups.set(clientId, group)
    return group
  }
}

/** A caller whose time was over. The fetch goes on, and its failure is remembered. */
const TIMED_OUT = createUpstreamUnavailable(createUnavailableResponse(TIMEOUT_RETRY_AFTER))

/** Whether the cached token is better than the result of its renewal. A wrong secret ends it. */
function hasNoToken(result: FetchResult | undefined): boolean {
  if (result === undefined || result.kind === 'unavailable') return true
  return result.kind === 'refused' && result.error !== 'invalid_client'
}
