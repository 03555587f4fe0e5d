/**
 * Fetches tokens from Cognito with single-flight: one request for the same token at a time. Callers of a process share
 * the promise, processes use the lock of the store. A caller that disconnects does not end the flight.
 */
import type { Channel } from 'node:diagnostics_channel'
import { CHANNELS, publish, secondsBetween } from '../../core/diagnostics.ts'
import { sleepWithJitter, withTimeout } from '../../core/util/time.ts'
import {
  createUnavailableResponse,
  type JsonResponse,
  type TokenRequest,
} from '../oauth/protocol.ts'
import type { TokenPhase } from '../oauth/token-lifetime.ts'
import {
  isCurrentEpoch,
  isSameEpoch,
  type ResilientStore,
  type StoreLock,
  type TimedLookup,
} from '../store/resilient-store.ts'
import { COMMAND_TIMEOUT_MS } from '../store/store-caller.ts'
import {
  type CachedToken,
  type CacheKey,
  type ClientCredential,
  type EntryLimits,
  encodeEntry,
  getTtlMs,
  type NegativeCache,
  type Refusal,
  type TokenEntry,
  type UpstreamError,
  type VerifiedClient,
  type VerifiedCredentials,
} from './cached-results.ts'
import type { QuotaQueue } from './quota.ts'
import type { UnavailableCode } from './unavailable-log.ts'
import {
  type EndpointHealth,
  readUpstreamToken,
  type Upstream,
  type UpstreamToken,
} from './upstream.ts'

/** Channel of the proxy's events. Checked before {@link publish}, so that no event is created without a subscriber. */
export const TOKEN_REQUEST_CHANNEL: Channel = CHANNELS['cognito-m2m:token-request']

/** A token to fetch. */
interface TokenFetch {
  readonly request: TokenRequest
  readonly key: CacheKey
  readonly credential: ClientCredential
  /** Phase of the cached token when the caller started the fetch. */
  readonly phase: TokenPhase
}

/** Neither a token nor a rejection by Cognito. */
export interface UnavailableToken {
  readonly kind: 'unavailable'
  readonly code: UnavailableCode
  readonly response: JsonResponse
  readonly client: VerifiedClient | undefined
}

/** A token that Cognito issued. */
export interface IssuedToken {
  readonly kind: 'issued'
  /** Cognito's response, for the caller that started the flight. */
  readonly response: JsonResponse
  readonly client: VerifiedClient
  /** For callers that joined: they may join while the token is being stored, with less of its lifetime left. */
  readonly entry: TokenEntry
  /** Monotonic time of the token request, in milliseconds. */
  readonly requestedAt: number
}

/** A token that another process has stored since. */
interface StoredToken {
  readonly kind: 'cached'
  readonly cached: CachedToken
}

/** Result of a fetch. */
export type FetchResult = IssuedToken | StoredToken | Refusal | UnavailableToken

/** Options of {@link TokenFlights}. Durations in milliseconds. */
export interface TokenFlightsOptions {
  readonly instance: number
  readonly store: ResilientStore
  readonly credentials: VerifiedCredentials
  readonly queue: QuotaQueue
  readonly upstream: Upstream
  readonly endpoint: EndpointHealth
  readonly negative: NegativeCache
  readonly limits: EntryLimits
  /** Longest fetch: queue, store and Cognito together. */
  readonly timeoutMs: number
  readonly monotonicNow: () => number
  /** Returns the cached token of a look-up, if it may be served. */
  readonly read: (found: TimedLookup) => CachedToken | undefined
}

interface AdmittedFetch extends TokenFetch {
  /** Whether it is the probe of an open circuit breaker. */
  readonly isProbe: boolean
}

/** What a flight has done so far. */
interface FlightProgress {
  /** Epoch of the group in the last look-up. After an invalidation, callers do not join the flight. */
  epoch: string
  /** Whether the token request is sent. The flight does not see an invalidation after that. */
  isFinal: boolean
  lock: StoreLock | undefined
}

/** One fetch of a token, for all its callers. */
export interface Flight {
  readonly name: string
  readonly progress: FlightProgress
  readonly result: Promise<FetchResult>
  /** Resolves once the token is stored and the lock released. */
  readonly stored: Promise<void>
}

/** A flight as one caller sees it. */
interface JoinedFlight {
  readonly result: Promise<FetchResult>
  /** Undefined if a backoff or the circuit breaker forbids a request. */
  readonly flight: Flight | undefined
  readonly isShared: boolean
}

/** The result of a fetch. `stored` resolves once its token is stored and the lock released: no caller waits for it. */
interface CompletedFetch {
  readonly result: FetchResult
  readonly stored: Promise<void>
}

/** A look-up without a usable token. It is made with the lock, unless another process holds the lock. */
interface LookUp {
  readonly kind: 'missing'
  readonly lock: StoreLock | undefined
  readonly found: TimedLookup
  /** Monotonic time of the look-up, in milliseconds. */
  readonly foundAt: number
}

/** Longest wait between two look-ups for the token of another process, in milliseconds. */
const POLL_MS = 100
/** Longest wait for a store that stalls, in milliseconds: no cached token can be served meanwhile. */
const STORE_WAIT_MS = 1250
/** Part of the timeout that such a wait may take. The rest is for Cognito. */
const STORE_WAIT_SHARE = 1 / 2
/** Milliseconds of the timeout that are reserved for a request, in case the other process stores no token. */
const MIN_OWN_REQUEST_MS = 1000
/** Seconds of `Retry-After`: while all turns are taken, and while the circuit breaker is open. */
const TURN_RETRY_AFTER = 1
const OUTAGE_RETRY_AFTER = 5

const STORED = Promise.resolve()

/** Single-flight token requests to Cognito, by the name of the token. */
export class TokenFlights {
  readonly #options: TokenFlightsOptions
  readonly #maxPolls: number
  readonly #storeWaitMs: number
  readonly #flights = new Map<string, Flight>()

  constructor(options: TokenFlightsOptions) {
    this.#options = options
    this.#storeWaitMs = Math.min(
      STORE_WAIT_MS,
      Math.max(COMMAND_TIMEOUT_MS, options.timeoutMs * STORE_WAIT_SHARE),
    )
    // A pause takes at least half its time. The bound holds where the clock stands still.
    this.#maxPolls = Math.ceil(options.timeoutMs / (POLL_MS / 2))
  }

  /**
   * Joins the flight of this token, or starts one unless a backoff or the circuit breaker forbids it.
   *
   * @returns A result that never rejects, the flight, and whether another caller started it.
   */
  fetch(fetch: TokenFetch, epoch: string): JoinedFlight {
    const { name } = fetch.key
    const joined = this.#flights.get(name)
    if (joined !== undefined && isShareable(joined, epoch)) {
      return { result: joined.result, flight: joined, isShared: true }
    }
    const isProbe = this.#options.endpoint.isOpen
    const unavailable = this.#checkBackoff(name)
    if (unavailable !== undefined) {
      return { result: Promise.resolve(unavailable), flight: undefined, isShared: false }
    }
    const flight = this.#start({ ...fetch, isProbe }, epoch)
    return { result: flight.result, flight, isShared: false }
  }

  /** Repeats the last failure while its backoff lasts or the breaker is open. Undefined if a request may be sent. */
  #checkBackoff(name: string): UnavailableToken | undefined {
    const { endpoint, negative } = this.#options
    const last = negative.findFailure(name)
    const isRequestFailure = last?.failure.cause === 'request'
    if (last !== undefined && (isRequestFailure || !endpoint.isOpen)) {
      return createUpstreamUnavailable(
        last.failure.createResponse(last.seconds),
        last.failure.client,
      )
    }
    if (endpoint.admitRequest()) return undefined
    const createResponse = last?.failure.createResponse ?? createUnavailableResponse
    return createUpstreamUnavailable(createResponse(OUTAGE_RETRY_AFTER), last?.failure.client)
  }

  #start(fetch: AdmittedFetch, epoch: string): Flight {
    const { name } = fetch.key
    const progress: FlightProgress = { epoch, isFinal: false, lock: undefined }
    const completion = this.#run(fetch, progress)
    const result = completion.then(({ result }) => result)
    const stored = completion.then(({ stored }) => stored)
    const flight: Flight = { name, progress, result, stored }
    this.#flights.set(name, flight)
    void stored.finally(() => this.#remove(flight))
    return flight
  }

  /**
   * Waits until flights have ended, by default all, at most `timeoutMs`. One that takes longer continues, but later
   * callers neither join it nor wait for its lock.
   */
  async settle(
    timeoutMs: number,
    flights: readonly Flight[] = [...this.#flights.values()],
  ): Promise<void> {
    await withTimeout(timeoutMs, Promise.all(flights.map(({ stored }) => stored)))
    for (const flight of flights) {
      this.#remove(flight)
      void flight.progress.lock?.release()
    }
  }

  #remove(flight: Flight): void {
    if (this.#flights.get(flight.name) === flight) this.#flights.delete(flight.name)
  }

  async #run(fetch: AdmittedFetch, progress: FlightProgress): Promise<CompletedFetch> {
    const { credentials, queue, monotonicNow, timeoutMs } = this.#options
    const deadline = monotonicNow() + timeoutMs
    const client = await credentials.find(fetch.credential)
    // A flood of guessed secrets ends here, without a lock or a further look-up.
    if (!queue.hasRoom(fetch.request.clientId, client !== undefined)) {
      return completeWithoutStoring(createOverBudget(client))
    }
    const lastPoll = deadline - Math.min(MIN_OWN_REQUEST_MS, timeoutMs / 2)
    let lookUp = await this.#lockAndLookUp(fetch)
    for (let poll = 0; poll < this.#maxPolls && isLockedElsewhere(lookUp); poll += 1) {
      // The holder of the lock has stored no token: one further request is better than none.
      if (monotonicNow() >= lastPoll) break
      await sleepWithJitter(POLL_MS)
      lookUp = await this.#lockAndLookUp(fetch)
    }
    if (lookUp.kind === 'cached') return completeWithoutStoring(lookUp)
    progress.epoch = lookUp.found.epoch
    progress.isFinal = true
    progress.lock = lookUp.lock
    return this.#request(fetch, lookUp, { client, deadline })
  }

  async #lockAndLookUp({ key, phase }: TokenFetch): Promise<LookUp | StoredToken> {
    const { store, read, monotonicNow } = this.#options
    const startedAt = monotonicNow()
    const lock = await store.acquire(key.name, this.#storeWaitMs)
    // Looked up with the lock: its previous holder may have stored the token.
    const timeLeftMs = Math.max(
      COMMAND_TIMEOUT_MS,
      this.#storeWaitMs - (monotonicNow() - startedAt || 0),
    )
    const found = await store.get(key.name, key.group, timeLeftMs)
    const cached = read(found)
    if (cached === undefined || !isBetter(cached.phase, phase)) {
      return { kind: 'missing', lock, found, foundAt: monotonicNow() }
    }
    void lock?.release()
    return { kind: 'cached', cached }
  }

  async #request(
    fetch: AdmittedFetch,
    { lock, found, foundAt }: LookUp,
    {
      client,
      deadline,
    }: { readonly client: VerifiedClient | undefined; readonly deadline: number },
  ): Promise<CompletedFetch> {
    const { queue, upstream, endpoint, negative, monotonicNow } = this.#options
    const timeLeftMs = (): number =>
      Math.max(1, deadline - monotonicNow() || this.#options.timeoutMs)
    // Half of the time is reserved for Cognito: a request without time left would time out and open the breaker.
    const release = await queue.take(fetch.request.clientId, client !== undefined, timeLeftMs() / 2)
    if (release === undefined) {
      void lock?.release()
      return completeWithoutStoring(createOverBudget(client))
    }
    // The breaker may have opened while the request waited for its turn.
    const unavailable = fetch.isProbe ? undefined : this.#checkBackoff(fetch.key.name)
    if (unavailable !== undefined) {
      release()
      void lock?.release()
      return completeWithoutStoring(unavailable)
    }
    const startedAt = monotonicNow()
    // By the clock that dates entries.
    const requestedAt = found.now + (startedAt - foundAt)
    const response = await upstream.requestToken(fetch.request, timeLeftMs())
    release()
    const token = readUpstreamToken(response, requestedAt)
    if (endpoint.record(response, token)) negative.endOutageBackoffs()
    const { result, stored } = this.#complete(fetch, token, {
      client,
      found,
      requestedAt: startedAt,
    })
    return { result, stored: stored.finally(() => lock?.release()) }
  }

  #complete(
    fetch: TokenFetch,
    token: UpstreamToken,
    context: {
      readonly client: VerifiedClient | undefined
      readonly found: TimedLookup
      readonly requestedAt: number
    },
  ): CompletedFetch {
    const { client, found } = context
    if (token.kind === 'failed')
      return completeWithoutStoring(this.#handleFailure(fetch, token.failure, client))
    if (token.kind === 'refused') {
      const refusal: Refusal = { ...token, client }
      return { result: refusal, stored: this.#handleRefusal(fetch, refusal, found) }
    }
    return this.#handleIssued(fetch, token, context)
  }

  #handleFailure(
    { key }: TokenFetch,
    failure: UpstreamError,
    client: VerifiedClient | undefined,
  ): UnavailableToken {
    const seconds = this.#options.negative.addFailure(key.name, { ...failure, client })
    return createUpstreamUnavailable(failure.createResponse(seconds), client)
  }

  /**
   * A wrong secret deletes the client's tokens. After any other refusal of a renewal, the cached token is served until
   * it ends.
   */
  async #handleRefusal(
    { key, credential, phase }: TokenFetch,
    refusal: Refusal,
    found: TimedLookup,
  ): Promise<void> {
    const { store, credentials, negative } = this.#options
    const isWrongSecret = refusal.error === 'invalid_client'
    if (phase !== 'ended' && !isWrongSecret) {
      negative.addFailure(key.name, {
        cause: 'request',
        retryAfter: undefined,
        client: refusal.client,
        createResponse: createUnavailableResponse,
      })
      return
    }
    negative.addRefusal(key.name, refusal)
    if (isWrongSecret) await credentials.remove(credential)
    // A store that evicts may have dropped the credential's record, but not its entry.
    if (found.value !== undefined) await store.delete(key.name, key.group)
  }

  #handleIssued(
    { key, credential, request }: TokenFetch,
    { entry, response }: Extract<UpstreamToken, { kind: 'issued' }>,
    { found, requestedAt }: { readonly found: TimedLookup; readonly requestedAt: number },
  ): CompletedFetch {
    const { instance, credentials, negative, monotonicNow } = this.#options
    const { clientId } = request
    const { userPoolId } = entry
    negative.deleteFailure(key.name)
    credentials.add(credential, userPoolId)
    if (TOKEN_REQUEST_CHANNEL.hasSubscribers) {
      publish('cognito-m2m:token-request', () => ({
        instance,
        userPoolId,
        clientId,
        outcome: 'issued',
        error: null,
        code: null,
        duration: secondsBetween(requestedAt, monotonicNow()),
      }))
    }
    const store = async (): Promise<void> => {
      const { store, limits } = this.#options
      // The record first: an entry without a record would outlive its secret.
      await credentials.recordEntry(credential, key.name, userPoolId)
      const now = entry.requestedAt + (monotonicNow() - requestedAt)
      const ttl = getTtlMs(entry, now, limits)
      await store.set(key.name, key.group, { value: encodeEntry(entry), epoch: found.epoch, ttl })
    }
    const client = { clientId, userPoolId }
    return {
      result: { kind: 'issued', response, client, entry, requestedAt },
      stored: store(),
    }
  }
}

function isShareable({ progress }: Flight, epoch: string): boolean {
  return (progress.isFinal ? isCurrentEpoch : isSameEpoch)(progress.epoch, epoch)
}

function isLockedElsewhere(lookUp: LookUp | StoredToken): boolean {
  return lookUp.kind === 'missing' && lookUp.lock === undefined
}

/** Whether a token in this phase makes the fetch unnecessary. */
function isBetter(phase: TokenPhase, before: TokenPhase): boolean {
  return phase === 'fresh' || (phase === 'refreshDue' && before !== 'refreshDue')
}

function completeWithoutStoring(result: FetchResult): CompletedFetch {
  return { result, stored: STORED }
}

function createOverBudget(client: VerifiedClient | undefined): UnavailableToken {
  return {
    kind: 'unavailable',
    code: 'ERR_OVER_BUDGET',
    response: createUnavailableResponse(TURN_RETRY_AFTER),
    client,
  }
}

/** @param response The response, with `Retry-After`. */
export function createUpstreamUnavailable(
  response: JsonResponse,
  client?: VerifiedClient,
): UnavailableToken {
  return { kind: 'unavailable', code: 'ERR_UPSTREAM_UNAVAILABLE', response, client }
}
