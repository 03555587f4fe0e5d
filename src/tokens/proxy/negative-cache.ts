/**
 * Negative cache: refusals and failures of Cognito per token request. A name includes the secret, so a wrong
 * secret never delays the right one.
 */
import { Backoff } from '../../core/util/backoff.ts'
import { BoundedMap } from '../../core/util/bounded-map.ts'
import type { VerifiedClient } from './credentials.ts'
import type { ProxyResponse } from './responses.ts'

/** Cognito's error answer, as its caller gets it. */
export interface Refusal {
  readonly kind: 'refused'
  readonly response: ProxyResponse
  /** `error` of RFC 6749 section 5.2. */
  readonly error: string
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Why Cognito gave no answer about the request: `endpoint` says that it would have failed any request. */
export type FailureCause = 'endpoint' | 'request'

/** What Cognito's failure means for later requests. */
export interface UpstreamError {
  readonly cause: FailureCause
  /** Its answer is given again, with the seconds that are left of the backoff. */
  readonly createResponse: (seconds: number) => ProxyResponse
  /** Seconds Cognito asked to wait. */
  readonly retryAfter: number | undefined
}

/** A failed token request. */
export interface FailedRequest extends UpstreamError {
  /** The client, if its secret was accepted before. */
  readonly client: VerifiedClient | undefined
}

/** Milliseconds: how long a secret that was just created, or a scope just granted, is still refused. */
const REFUSAL_TTL_MS = 10_000
/** Longest backoff of one name without Retry-After, in milliseconds. */
const MAX_BACKOFF_MS = 30_000
/** Beyond it the oldest is forgotten, and asked for again. */
const MAX_ENTRIES = 10_000
/** Characters of a refusal's body; Cognito's have some thirty. Longer ones would add up in memory. */
const MAX_BODY_LENGTH = 2048

interface FailureEntry {
  readonly backoff: Backoff
  failure: FailedRequest
  /** Of the last failure; see {@link NegativeCache.endOutageBackoffs}. */
  generation: number
}

/** Refusals and failures by the name of a token request: at most 10,000 of each, the oldest forgotten first. */
export class NegativeCache {
  readonly #refusals = new BoundedMap<{ readonly refusal: Refusal; readonly until: number }>(
    MAX_ENTRIES,
  )
  readonly #failures = new BoundedMap<FailureEntry>(MAX_ENTRIES)
  readonly #monotonicNow: () => number
  #generation = 0

  /** @param monotonicNow Milliseconds. */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  findRefusal(name: string): Refusal | undefined {
    const known = this.#refusals.get(name)
    if (known === undefined) return undefined
    if (this.#monotonicNow() < known.until) return known.refusal
    this.#refusals.delete(name)
    return undefined
  }

  addRefusal(name: string, refusal: Refusal): void {
    this.#failures.delete(name)
    if (refusal.response.body.length > MAX_BODY_LENGTH) return
    this.#refusals.set(name, { refusal, until: this.#monotonicNow() + REFUSAL_TTL_MS })
  }

  /** @returns The failure whose backoff has not ended, with the seconds that are left of it. */
  findFailure(
    name: string,
  ): { readonly failure: FailedRequest; readonly seconds: number } | undefined {
    const failing = this.#failures.get(name)
    if (failing === undefined || this.#hasRecovered(failing)) return undefined
    const left = failing.backoff.until - this.#monotonicNow()
    // A clock that failed remembers nothing: the name is asked for.
    return left > 0 ? { failure: failing.failure, seconds: left / 1000 } : undefined
  }

  /** @returns Seconds until the backoff of the name ends. */
  addFailure(name: string, failure: FailedRequest): number {
    const known = this.#failures.get(name)
    const backoff =
      known === undefined || this.#hasRecovered(known) ? new Backoff(MAX_BACKOFF_MS) : known.backoff
    const now = this.#monotonicNow()
    backoff.failed(now, failure.retryAfter)
    this.#failures.set(name, { backoff, failure, generation: this.#generation })
    return (backoff.until - now) / 1000
  }

  deleteFailure(name: string): void {
    this.#failures.delete(name)
  }

  /** The endpoint answers again: every backoff that an outage caused ends. */
  endOutageBackoffs(): void {
    this.#generation += 1
  }

  #hasRecovered({ failure, generation }: FailureEntry): boolean {
    return failure.cause === 'endpoint' && generation !== this.#generation
  }
}
