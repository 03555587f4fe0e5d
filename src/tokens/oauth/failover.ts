/**
 * Token requests to one Region or two. The secondary takes over while the primary fails (circuit breaker), and a token
 * request that is due anyway probes the primary. A request goes to one Region at a time.
 */
import type { Logger } from '../../core/options/logger.ts'
import { parseStrictObject } from '../../core/token/strict-json.ts'
import { BoundedFetchError, boundedFetch, type FetchLimits } from '../../core/util/bounded-fetch.ts'
import {
  createSingleSender,
  type OAuthResponse,
  type TokenApi,
  type TokenApiRequest,
  type TokenParameters,
  type TokenRegion,
  type TokenSender,
} from './protocol.ts'

/** The token APIs of a user pool, one for each Region. Both have the same kind. */
export interface RegionalTokenApis {
  readonly kind: TokenApi['kind']
  /** The primary first. */
  readonly urls: readonly string[]
  /** All URLs. Cache keys contain it, because a cached token may be of either Region. */
  readonly url: string
  readonly primary: TokenApi
  readonly secondary: TokenApi | undefined
}

/** Combines the token APIs of one Region or two. */
export function createRegionalApis(primary: TokenApi, secondary?: TokenApi): RegionalTokenApis {
  const urls = secondary === undefined ? [primary.url] : [primary.url, secondary.url]
  return { kind: primary.kind, urls, url: urls.join(' '), primary, secondary }
}

/** Creates the sender of all token requests of a client or proxy. */
export function createTokenSender(
  apis: RegionalTokenApis,
  environment: FailoverEnvironment,
): TokenSender {
  const { primary, secondary } = apis
  if (secondary === undefined) return createSingleSender(primary)
  return new RegionFailover({ primary, secondary }, environment)
}

/** Time limit, clock, randomness and log of a failover. */
export interface FailoverEnvironment {
  /** Milliseconds that a token request usually has. One that waited for its turn or a lock has less. */
  readonly timeoutMs: number
  /** Milliseconds. NaN where the clock failed. */
  readonly monotonicNow: () => number
  readonly logger: Logger
  /**
   * From 0 to 1, for the times of probes.
   *
   * @defaultValue `Math.random`
   */
  readonly random?: () => number
}

/** This failure in a row moves requests to the secondary Region, whatever the time since the one before. */
const FAILURES_TO_FAIL_OVER = 2
/** A Region that asks to wait so long fails at once: its callers would wait that long for the second failure. */
const MAX_RETRY_AFTER_MS = 5000
/** Time between two probes of the primary Region, plus or minus {@link PROBE_JITTER} of it. */
const PROBE_INTERVAL_MS = 30_000
/** The processes of a fleet do not probe at the same time. */
const PROBE_JITTER = 0.2
/**
 * Longest request to the primary Region if there is a secondary one. Two such requests, with the proxy's backoff of 1 s
 * between them, take less than 5 s. So callers are served within 5 s while the primary hangs. It is the limit of the
 * secondary too after it has failed once.
 */
const ATTEMPT_TIMEOUT_MS = 1750
/** Part of its usual time that a Region needs: a timeout after less is no failure of the Region. */
const MIN_TIMEOUT_SHARE = 1 / 2

/** Errors before a connection exists. A reset connection is not one of them. */
const NO_CONNECTION: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * What a result says about its Region. `working`: it issued a token. `failed`: it counts as one failure. `down`: one is
 * enough. `unknown`: a rejected or throttled request, an answer of something in front of Cognito, or a timeout after
 * little time. It neither counts nor ends a row of failures, because a caller can cause it. `canceled`: the caller was
 * closed.
 */
type Health = 'working' | 'failed' | 'down' | 'unknown' | 'canceled'

type TokenResult = OAuthResponse | BoundedFetchError

interface Attempt {
  readonly result: TokenResult
  /** Whether the other Region may serve the request. */
  readonly isRepeatable: boolean
}

/** Sends token requests to the Region that works. */
class RegionFailover implements TokenSender {
  readonly #apis: Readonly<Record<TokenRegion, TokenApi>>
  /** Milliseconds of a request that the other Region may serve after it. */
  readonly #attemptTimeoutMs: number
  readonly #monotonicNow: () => number
  readonly #logger: Logger
  readonly #random: () => number
  #active: TokenRegion = 'primary'
  /** Failures of the active Region since its last token. */
  #failures = 0
  #nextProbeAt = Number.NEGATIVE_INFINITY
  #isProbing = false

  constructor(
    apis: Readonly<Record<TokenRegion, TokenApi>>,
    { timeoutMs, monotonicNow, logger, random = Math.random }: FailoverEnvironment,
  ) {
    this.#apis = apis
    this.#attemptTimeoutMs = Math.min(ATTEMPT_TIMEOUT_MS, timeoutMs / 2)
    this.#monotonicNow = monotonicNow
    this.#logger = logger
    this.#random = random
  }

  /** The Region that serves token requests, apart from probes. */
  get region(): TokenRegion {
    return this.#active
  }

  /**
   * Sends one token request. If its Region fails because of it, or is only probed, the other Region serves the request
   * in the time that is left.
   */
  async send(parameters: TokenParameters, limits: FetchLimits): Promise<OAuthResponse | undefined> {
    // It has no URL, so it is the same for both Regions.
    const request = this.#apis.primary.createRequest(parameters)
    if (request === undefined) return undefined
    const startedAt = this.#monotonicNow()
    const region = this.#nextRegion()
    const isSecondaryHealthy = region === 'secondary' && this.#failures === 0
    const first = await this.#call(region, request, {
      ...limits,
      timeoutMs: isSecondaryHealthy
        ? limits.timeoutMs
        : Math.min(this.#attemptTimeoutMs, limits.timeoutMs / 2),
    })
    const other = region === 'primary' ? this.#active : this.#nextRegion()
    const leftMs = limits.timeoutMs - (this.#monotonicNow() - startedAt || 0)
    if (!first.isRepeatable || other === region || leftMs <= 0) return unwrap(first.result)
    // Other requests probe the primary only after this probe.
    const timeoutMs = other === 'primary' ? Math.min(this.#attemptTimeoutMs, leftMs) : leftMs
    const second = await this.#call(other, request, { ...limits, timeoutMs })
    return unwrap(second.result)
  }

  /** Returns the primary Region also for the request that probes it. */
  #nextRegion(): TokenRegion {
    if (this.#active === 'primary') return 'primary'
    return this.#isProbing || this.#monotonicNow() < this.#nextProbeAt ? 'secondary' : 'primary'
  }

  async #call(
    region: TokenRegion,
    request: TokenApiRequest,
    limits: FetchLimits,
  ): Promise<Attempt> {
    const isProbe = region !== this.#active
    if (isProbe) this.#isProbing = true
    const result = await sendRequest(this.#apis[region], request, limits)
    const isTooShort = limits.timeoutMs < this.#attemptTimeoutMs * MIN_TIMEOUT_SHARE
    const health = isTooShort && isTimeout(result) ? 'unknown' : readHealth(result)
    if (isProbe) this.#endProbe(health)
    else if (region === this.#active) this.#record(health, result)
    const isFailure = health === 'failed' || health === 'down'
    return { result, isRepeatable: isFailure || (isProbe && health === 'unknown') }
  }

  #endProbe(health: Health): void {
    this.#isProbing = false
    if (health !== 'working') {
      this.#scheduleProbe()
      return
    }
    this.#active = 'primary'
    this.#failures = 0
    this.#logger.info({}, 'cognito-m2m: the primary Region issues tokens again')
  }

  /** Records a result of the active Region. */
  #record(health: Health, result: TokenResult): void {
    if (health === 'working') this.#failures = 0
    else if (this.#isOutage(health)) {
      if (this.#active === 'primary') this.#failOver(result)
      // The primary may have recovered. Requests still go to the secondary until a probe shows that.
      else this.#nextProbeAt = Number.NEGATIVE_INFINITY
    }
  }

  #isOutage(health: Health): boolean {
    if (health !== 'failed') return health === 'down'
    this.#failures += 1
    return this.#failures >= FAILURES_TO_FAIL_OVER
  }

  #failOver(result: TokenResult): void {
    this.#active = 'secondary'
    this.#failures = 0
    this.#scheduleProbe()
    const { status } = result
    const isError = result instanceof BoundedFetchError
    const reason = isError ? result.reason : 'status'
    const errno = isError ? result.errno : undefined
    this.#logger.warn(
      { reason, status, errno },
      'cognito-m2m: the primary Region issues no tokens; using the secondary Region',
    )
  }

  #scheduleProbe(): void {
    const jitter = PROBE_JITTER * (2 * this.#random() - 1)
    this.#nextProbeAt = this.#monotonicNow() + PROBE_INTERVAL_MS * (1 + jitter)
  }
}

async function sendRequest(
  api: TokenApi,
  request: TokenApiRequest,
  limits: FetchLimits,
): Promise<TokenResult> {
  try {
    return api.toOAuthResponse(await boundedFetch(api.url, request, limits))
  } catch (error) {
    return error as BoundedFetchError
  }
}

function unwrap(result: TokenResult): OAuthResponse {
  if (result instanceof BoundedFetchError) throw result
  return result
}

function isTimeout(result: TokenResult): boolean {
  return result instanceof BoundedFetchError && result.reason === 'timeout'
}

function readHealth(result: TokenResult): Health {
  return result instanceof BoundedFetchError ? readErrorHealth(result) : readResponseHealth(result)
}

function readErrorHealth({ reason, status = 0, errno }: BoundedFetchError): Health {
  if (reason === 'aborted') return 'canceled'
  if (reason === 'network') return NO_CONNECTION.has(errno) ? 'down' : 'failed'
  return reason === 'timeout' || status >= 500 ? 'failed' : 'unknown'
}

/** Only a token shows that the Region issues tokens: a Region without its replica rejects every client. */
function readResponseHealth({ status, body, retryAfter = 0 }: OAuthResponse): Health {
  if (status >= 500) return retryAfter * 1000 >= MAX_RETRY_AFTER_MS ? 'down' : 'failed'
  if (status !== 200) return 'unknown'
  const { access_token: token } = parseStrictObject(body) ?? {}
  return typeof token === 'string' && token !== '' ? 'working' : 'unknown'
}
