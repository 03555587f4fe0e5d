/**
 * Whether Cognito's token endpoint works: a circuit breaker, and one log line for each change. Open, the
 * breaker lets one probe a second through, whichever token it is for.
 */
import type { Logger } from '../../core/options/logger.ts'
import type { UpstreamAnswer, UpstreamFailure, UpstreamFailureCode } from './upstream.ts'
import type { UpstreamToken } from './upstream-token.ts'

/** Failures in a row that open the breaker. */
const FAILURES_TO_OPEN = 5
/** Milliseconds between two probes. */
const PROBE_INTERVAL_MS = 1000
/** Milliseconds between two warnings: whoever makes single requests fail must not fill the log. */
const WARNING_INTERVAL_MS = 60_000

/** Facts of a failed token request: no text of Cognito's. */
export interface EndpointError {
  /** `ERR_UPSTREAM_TOKEN`: status 200 without a valid bearer token. */
  readonly code: UpstreamFailureCode | 'ERR_UPSTREAM_TOKEN'
  /** HTTP status, if Cognito answered. */
  readonly status?: number
  /** System error code of the transport, if there is one. */
  readonly errno?: string
}

/** How Cognito's token endpoint is, as this process sees it. */
export interface EndpointStatus {
  /** False while the circuit breaker is open: then one request a second is sent. */
  readonly available: boolean
  /** Of the last request; null if it brought a token or a refusal. */
  readonly lastError: EndpointError | null
  /** Seconds until a request may be sent; null while the circuit breaker is closed. */
  readonly nextAttempt: number | null
}

/** Circuit breaker of one token endpoint, for all token requests of this process. */
export class EndpointHealth {
  readonly #logger: Logger
  readonly #monotonicNow: () => number
  #failures = 0
  #nextProbe = 0
  #lastError: EndpointError | null = null
  #hasWarned = false
  #nextWarning = Number.NEGATIVE_INFINITY

  /** @param monotonicNow Milliseconds, NaN where the clock failed. */
  constructor(logger: Logger, monotonicNow: () => number) {
    this.#logger = logger
    this.#monotonicNow = monotonicNow
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN
  }

  get status(): EndpointStatus {
    const { isOpen } = this
    const left = Math.max(0, this.#nextProbe - this.#monotonicNow()) / 1000
    return {
      available: !isOpen,
      lastError: this.#lastError,
      nextAttempt: isOpen ? left || 0 : null,
    }
  }

  /** Whether a request may be sent. While the breaker is open, yes once a second: that request is the probe. */
  admitRequest(): boolean {
    if (!this.isOpen) return true
    const now = this.#monotonicNow()
    if (now < this.#nextProbe) return false
    this.#nextProbe = now + PROBE_INTERVAL_MS
    return true
  }

  /** @returns Whether the breaker closed by it. */
  record(upstream: UpstreamAnswer | UpstreamFailure, result: UpstreamToken): boolean {
    const wasOpen = this.isOpen
    if (result.kind !== 'failed') this.#failures = 0
    else if (result.failure.cause === 'endpoint') this.#fail()
    // A firewall's answer tells nothing of Cognito. Whoever causes it must not use up the probes of others.
    else if (upstream.status !== 429 && upstream.status !== 200) {
      this.#nextProbe = Number.NEGATIVE_INFINITY
    }
    this.#log(result.kind === 'failed' ? describeUpstreamError(upstream) : null)
    return wasOpen && !this.isOpen
  }

  #fail(): void {
    this.#failures += 1
    if (this.#failures === FAILURES_TO_OPEN) {
      this.#nextProbe = this.#monotonicNow() + PROBE_INTERVAL_MS
    }
  }

  #log(error: EndpointError | null): void {
    this.#lastError = error
    if ((error !== null) === this.#hasWarned) return
    if (error === null) this.#logger.info({}, 'cognito-m2m: Cognito issues tokens again')
    else {
      const now = this.#monotonicNow()
      if (now < this.#nextWarning) return
      this.#nextWarning = now + WARNING_INTERVAL_MS
      this.#logger.warn(error, 'cognito-m2m: Cognito issues no tokens')
    }
    this.#hasWarned = error !== null
  }
}

function describeUpstreamError(upstream: UpstreamAnswer | UpstreamFailure): EndpointError {
  if (upstream.kind === 'answer') {
    const { status } = upstream
    return { code: status === 200 ? 'ERR_UPSTREAM_TOKEN' : 'ERR_UPSTREAM_STATUS', status }
  }
  const { code, status, errno } = upstream
  return {
    code,
    ...(status === undefined ? {} : { status }),
    ...(errno === undefined ? {} : { errno }),
  }
}
