/**
 * Handles token requests without a framework: `authorize` and `clients`, then the response from the negative cache, the
 * token cache or Cognito.
 */
import { publish, secondsBetween, type TokenRequestEvent } from '../../core/diagnostics.ts'
import { callHook } from '../../core/hooks.ts'
import type { Logger } from '../../core/options/logger.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import { withTimeout } from '../../core/util/time.ts'
import type { RegionalTokenApis } from '../oauth/failover.ts'
import {
  createErrorResponse,
  createTokenResponse,
  createUnavailableResponse,
  type IncomingTokenRequest,
  type JsonResponse,
  ParsedRequestCache,
  type TokenErrorCode,
  type TokenRequest,
} from '../oauth/protocol.ts'
import { RENEWAL_WAIT_MS } from '../oauth/token-lifetime.ts'
import type { TimedLookup } from '../store/resilient-store.ts'
import {
  type CachedToken,
  type CacheKey,
  type ClientCredential,
  decodeEntry,
  encodeCredentialIdentity,
  encodeTokenIdentity,
  type ServedToken,
  type TokenEntry,
  toCachedToken,
  type VerifiedClient,
  writeTokenBody,
} from './cached-results.ts'
import type { ClientAdmission } from './options.ts'
import {
  createUpstreamUnavailable,
  type FetchResult,
  type Flight,
  type IssuedToken,
  TOKEN_REQUEST_CHANNEL,
  TokenFlights,
  type TokenFlightsOptions,
} from './single-flight.ts'
import type { UnavailableCode, UnavailableLog } from './unavailable-log.ts'

/** Options of {@link TokenRequests}. */
export interface TokenRequestsOptions extends Omit<TokenFlightsOptions, 'read'> {
  readonly api: RegionalTokenApis
  readonly clients: ClientAdmission | undefined
  readonly unavailable: UnavailableLog
}

/** One caller's request. */
interface CallerRequest {
  readonly request: TokenRequest
  readonly key: CacheKey
  /** Monotonic time of arrival, in milliseconds. */
  readonly receivedAt: number
}

/** The path of Cognito's token endpoint. */
export const TOKEN_PATH = '/oauth2/token'

/** Most app clients in the cache of groups. Unauthenticated callers can send any number of client ids. */
const MAX_GROUPS = 10_000
/** Seconds of `Retry-After` if `authorize` or `clients` failed. */
const HOOK_RETRY_AFTER = 5
/** Seconds of `Retry-After` for a caller that reached `timeout` before there was a result. */
const TIMEOUT_RETRY_AFTER = 1

/** Admits each caller, then chooses: a cached refusal, the cached token, or a token request to Cognito. */
export class TokenRequests {
  readonly #options: TokenRequestsOptions
  readonly #parsed = new ParsedRequestCache()
  readonly #flights: TokenFlights
  readonly #groups = new BoundedMap<string>(MAX_GROUPS)
  /** Caches by request object and by bytes: repeated requests have the same objects. */
  readonly #names = new WeakMap<TokenRequest, string>()
  readonly #entries = new WeakMap<Uint8Array, TokenEntry>()

  constructor(options: TokenRequestsOptions) {
    this.#options = options
    this.#flights = new TokenFlights({ ...options, read: (found) => this.#read(found) })
  }

  /**
   * Calls `authorize` of the app.
   *
   * @returns The response for a caller that is not authorized. Never rejects.
   */
  async authorize(
    authorize: () => boolean | Promise<boolean>,
    logger: Pick<Logger, 'error'>,
  ): Promise<JsonResponse | undefined> {
    const receivedAt = this.#options.monotonicNow()
    const isAuthorized = await callHook(authorize).catch(() => undefined)
    if (isAuthorized === true) return undefined
    if (isAuthorized === false) return this.reject('access_denied', 403, {}, receivedAt)
    logger.error(
      { code: 'ERR_CHECK_UNAVAILABLE' },
      'cognito-m2m: the authorize function of the token proxy failed',
    )
    return this.#rejectForNow(receivedAt)
  }

  /**
   * Responds to a request whose caller is authorized. Never rejects.
   *
   * @param flights Gets the flight that the request started or joined.
   */
  async handle(incoming: IncomingTokenRequest, flights: Flight[] = []): Promise<JsonResponse> {
    const { clients, monotonicNow } = this.#options
    const receivedAt = monotonicNow()
    const request = this.#parsed.read(incoming)
    if (typeof request === 'string') return this.reject(request, 400, {}, receivedAt)
    const isAdmitted = clients === undefined || (await admit(clients, request.clientId))
    if (isAdmitted === undefined) return this.#rejectForNow(receivedAt)
    if (isAdmitted !== true) return this.reject('invalid_client', 400, {}, receivedAt)
    const response = await this.#respond(request, receivedAt, flights)
    if (response.status === 200) this.#parsed.add(incoming, request)
    return response
  }

  /**
   * Waits until flights have ended and their tokens are stored, at most `timeoutMs`. Later requests do not wait for one
   * that takes longer.
   *
   * @param flights Default: all of this process.
   */
  settle(timeoutMs: number, flights?: readonly Flight[]): Promise<void> {
    return this.#flights.settle(timeoutMs, flights)
  }

  /** Creates the response to a request that no look-up is made for, and publishes its event. */
  reject(
    error: TokenErrorCode,
    status: number,
    headers: Readonly<Record<string, string>> = {},
    receivedAt: number = this.#options.monotonicNow(),
  ): JsonResponse {
    this.#publish('refused', { error }, receivedAt)
    return createErrorResponse(error, status, headers)
  }

  #rejectForNow(receivedAt: number): JsonResponse {
    this.#publish('unavailable', { error: 'temporarily_unavailable' }, receivedAt)
    return createUnavailableResponse(HOOK_RETRY_AFTER)
  }

  /** Never rejects. @param receivedAt Monotonic time of arrival, in milliseconds. */
  async #respond(
    request: TokenRequest,
    receivedAt: number,
    flights: Flight[],
  ): Promise<JsonResponse> {
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
    const joined = this.#flights.fetch({ request, key, credential, phase }, found.epoch)
    if (joined.flight !== undefined) flights.push(joined.flight)
    if (cached?.phase === 'refreshDue') return this.#serve(cached, call)
    if (cached !== undefined) {
      const waitMs = Math.min(RENEWAL_WAIT_MS, this.#timeLeftMs(receivedAt))
      const result = await withTimeout(waitMs, joined.result)
      const stillCached = hasNoToken(result) ? await this.#lookUp(key) : undefined
      if (stillCached !== undefined) return this.#serve(stillCached, call)
    }
    const result = await withTimeout(this.#timeLeftMs(receivedAt), joined.result)
    return this.#respondWith(result ?? TIMED_OUT, call, joined.isShared)
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

  /** A caller may join while the token is stored, or the process was suspended since its request. */
  #serveJoined({ entry, requestedAt, response }: IssuedToken, call: CallerRequest): JsonResponse {
    const ageMs = this.#options.monotonicNow() - requestedAt
    const secondsLeft = Math.floor(entry.lifetime - ageMs / 1000)
    if (secondsLeft > 0) return this.#serve({ entry, secondsLeft }, call)
    // The clock failed.
    if (Number.isNaN(secondsLeft)) return response
    return this.#respondWith(TIMED_OUT, call)
  }

  #respondWith(result: FetchResult, call: CallerRequest, isShared = false): JsonResponse {
    if (result.kind === 'cached') return this.#serve(result.cached, call)
    if (result.kind === 'issued') {
      // The event of the caller that started the flight is already published.
      return isShared ? this.#serveJoined(result, call) : result.response
    }
    if (result.kind === 'refused') {
      this.#publish('refused', result, call.receivedAt)
      return result.response
    }
    const { response, code, client } = result
    this.#options.unavailable.count(code)
    const error = 'temporarily_unavailable'
    this.#publish('unavailable', { client, code, error }, call.receivedAt)
    return response
  }

  #serve(token: ServedToken, call: CallerRequest): JsonResponse {
    const client = { clientId: call.request.clientId, userPoolId: token.entry.userPoolId }
    this.#publish('cached', { client }, call.receivedAt)
    return createTokenResponse(writeTokenBody(token))
  }

  #publish(
    outcome: TokenRequestEvent['outcome'],
    {
      client,
      error,
      code,
    }: {
      readonly client?: VerifiedClient | undefined
      readonly error?: string
      readonly code?: UnavailableCode
    },
    receivedAt: number,
  ): void {
    const { instance, monotonicNow } = this.#options
    if (!TOKEN_REQUEST_CHANNEL.hasSubscribers) return
    publish('cognito-m2m:token-request', () => ({
      instance,
      userPoolId: client?.userPoolId ?? null,
      clientId: client?.clientId ?? null,
      outcome,
      error: error ?? null,
      code: code ?? null,
      duration: secondsBetween(receivedAt, monotonicNow()),
    }))
  }

  #getCredential(request: TokenRequest, entryGroup: string): ClientCredential {
    const { api, store } = this.#options
    const { clientId } = request
    const name = store.deriveName(encodeCredentialIdentity(api.url, request))
    // Client ids contain no spaces, so this group belongs to no client.
    return {
      clientId,
      entryGroup,
      recordKey: { name, group: this.#getGroup(`pairs of ${clientId}`) },
    }
  }

  #getName(request: TokenRequest): string {
    const { api, store } = this.#options
    const name = this.#names.get(request) ?? store.deriveName(encodeTokenIdentity(api.url, request))
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

/** @returns Whether the app client may request tokens. Undefined if the lookup failed. */
async function admit(clients: ClientAdmission, clientId: string): Promise<boolean | undefined> {
  try {
    return await clients(clientId)
  } catch {
    return undefined
  }
}
