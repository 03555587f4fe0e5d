/** Options of `tokenProxy`, validated at registration, with defaults applied. */
import { createCachedLookup } from '../../core/hooks.ts'
import { readInsecureHttp } from '../../core/options/secure-url.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readClientIds,
  readFunction,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { monotonicNow, safeClock, steadyClock } from '../../core/util/time.ts'
import { readTokenEndpoint } from '../oauth/token-endpoint.ts'
import { DEFAULT_MIN_REMAINING } from '../oauth/token-lifetime.ts'
import type { EncryptionKey } from '../store/encryption-keys.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { EntryLimits } from './cached-results.ts'
import { limitedLookup } from './limited-lookup.ts'
import type { QuotaLimits } from './quota.ts'
import { isHeaderValue, type UpstreamHeader } from './upstream.ts'

const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]{1,128}$/
/** Headers that the proxy writes, and headers of the connection. */
const RESERVED_HEADERS = new Set([
  'accept',
  'authorization',
  'content-length',
  'content-type',
  'cookie',
  'host',
  'connection',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** @throws {OptionError} `ERR_OPTION_INVALID`, without the value: it is a secret. */
function readUpstreamHeaders(value: unknown = {}): ReadonlyMap<string, UpstreamHeader> {
  const names = Object.keys(Object(value) as object)
  const members = readMembers(value, names, 'headers')
  const headers = new Map<string, UpstreamHeader>()
  for (const [key, header] of Object.entries(members)) {
    const name = key.toLowerCase()
    const optionPath = `headers.${key}`
    if (!HEADER_NAME.test(key)) {
      throw new OptionError(
        'headers',
        `expected names of HTTP headers, got ${describeValue(key)}. Rename it.`,
      )
    }
    if (RESERVED_HEADERS.has(name) || headers.has(name)) {
      throw new OptionError(
        optionPath,
        'expected a header that the proxy does not write, named once, got a reserved or repeated name. Remove it.',
      )
    }
    if (typeof header !== 'function' && !isHeaderValue(header)) {
      throw new OptionError(
        optionPath,
        'expected visible ASCII or a function that returns it, got another value. Change the value.',
      )
    }
    headers.set(name, header as UpstreamHeader)
  }
  return headers
}

/** Limits of the token requests that this process sends. All proxies of an AWS account share the quota of Cognito. */
export interface UpstreamLimits {
  /**
   * Token requests in any second, from 2 to 10,000. Cognito's default quota is 150 for an account. One client whose
   * secret Cognito accepted gets at most a quarter of them, rounded down, and at least one.
   *
   * @defaultValue `100`
   */
  readonly perSecond?: number
  /**
   * Part of `perSecond` for unproven pairs of client and secret, which Cognito has not accepted yet. From 1 to
   * `perSecond - 1`. The rest is reserved for proven clients.
   *
   * @defaultValue Half of `perSecond`.
   */
  readonly unprovenPerSecond?: number
  /**
   * Concurrent token requests, from 2 to 10,000. Unproven pairs and each proven client have the same share of it as of
   * `perSecond`.
   *
   * @defaultValue `64`
   */
  readonly concurrency?: number
}

/**
 * Options of `tokenProxy`. Durations in seconds, clocks in milliseconds.
 *
 * @typeParam Request The parameter of `authorize`: Fastify's request.
 */
export interface ProxyOptions<Request> {
  /** Cognito's token endpoint, `https://<domain>.auth.<region>.amazoncognito.com/oauth2/token`. */
  readonly tokenEndpoint: string
  /**
   * `true` permits `http:` outside loopback in `tokenEndpoint`, for networks that encrypt by themselves or are
   * trusted (a service mesh, Docker Compose). Secrets and tokens are then sent unencrypted. Never for hosts of
   * AWS. The app's logger gets one warning.
   *
   * @defaultValue `false`
   */
  readonly insecureHttp?: boolean
  /**
   * App clients that may request tokens, as IDs or a lookup (`true` is cached 60 s, `false` 10 s). Others get
   * `invalid_client` without a request to Cognito.
   *
   * A lookup is called at most 50 times a second, with at most 16 calls at once. Beyond that the response is 503.
   *
   * @defaultValue Every app client.
   */
  readonly clients?: string | readonly string[] | ((clientId: string) => boolean | Promise<boolean>)
  /**
   * Store of the tokens. It is closed with the app.
   *
   * @defaultValue `memoryStore()`
   */
  readonly store?: TokenStore
  /** Keys that seal the entries of a shared store, which requires them. The first key seals, all keys decrypt. */
  readonly encryptionKeys?: readonly EncryptionKey[]
  /**
   * Headers of the requests to Cognito, for example a secret that its firewall requires. A function is called before
   * each request, so a rotated value is used at once. If it fails, the caller gets 503.
   */
  readonly headers?: Readonly<Record<string, UpstreamHeader>>
  /**
   * Whether this caller may request tokens. Called before its body is read and before any look-up.
   * Only `true` admits; any other value is 403. An exception, or more than 3 s, is 503.
   */
  readonly authorize?: (request: Request) => boolean | Promise<boolean>
  /** Limits of the token requests to Cognito. */
  readonly upstream?: UpstreamLimits
  /**
   * With less left than this, a caller waits up to 1 s for the renewal of the cached token, then gets the
   * cached one. In seconds, from 0 to 86,400. At most an eighth of the token's lifetime counts. A token is
   * renewed in the background from 75 % of its lifetime on, and served until 5 s before its expiry.
   *
   * @defaultValue `300`
   */
  readonly minRemaining?: number
  /**
   * Longest time in seconds that a cached token is served without a new check of the secret by Cognito. From 1 to
   * 86,400.
   *
   * @defaultValue `3600`
   */
  readonly maxAge?: number
  /**
   * The longest wait of a caller in seconds, from 0.001 to 30: queue, store, Cognito and your `headers` functions
   * together. `clients` and `authorize` have separate limits.
   *
   * @defaultValue `5`
   */
  readonly timeout?: number
  /** Wall clock in milliseconds. @defaultValue `Date.now` */
  readonly now?: () => number
  /** Monotonic clock in milliseconds, for quotas and waits. @defaultValue `performance.now` */
  readonly monotonicNow?: () => number
  /** Transport to Cognito. Limits of time, size and redirects apply to it. @defaultValue `globalThis.fetch` */
  readonly fetch?: typeof globalThis.fetch
}

/** Whether an app client may request tokens. Rejects if the lookup of the app failed or is over its limits. */
export type ClientAdmission = (clientId: string) => boolean | Promise<boolean>

/** Options after validation. Durations in milliseconds, except `limits` (seconds). */
export interface ProxySettings<Request> {
  readonly tokenEndpoint: string
  /** Undefined admits every app client. */
  readonly clients: ClientAdmission | undefined
  readonly store: TokenStore | undefined
  readonly encryptionKeys: readonly EncryptionKey[] | undefined
  readonly headers: ReadonlyMap<string, UpstreamHeader>
  readonly authorize: ProxyOptions<Request>['authorize']
  readonly quota: QuotaLimits
  readonly limits: EntryLimits
  readonly timeoutMs: number
  readonly now: () => number
  readonly monotonicNow: () => number
  readonly fetch: typeof globalThis.fetch
}

const OPTION_NAMES = [
  'tokenEndpoint',
  'insecureHttp',
  'clients',
  'store',
  'encryptionKeys',
  'headers',
  'authorize',
  'upstream',
  'minRemaining',
  'maxAge',
  'timeout',
  'now',
  'monotonicNow',
  'fetch',
]

/** Milliseconds for which a result of the `clients` lookup is cached. */
const LOOKUP_CACHE_MS = { allow: 60_000, deny: 10_000 }
/** Limits of the `clients` lookup. 20 polls are 1 to 2 seconds. */
const LOOKUP_LIMITS = { perSecond: 50, concurrency: 16, polls: 20 }
const SECONDS_PER_DAY = 86_400

/**
 * Validates the options of `tokenProxy`.
 *
 * @param adapterOptions Names of options of the framework, which are not read here.
 * @throws {OptionError} `ERR_OPTION_INVALID` for the first invalid option.
 */
export function readProxyOptions<Request>(
  value: unknown,
  adapterOptions: readonly string[] = [],
): ProxySettings<Request> {
  const members = readMembers(value, [...OPTION_NAMES, ...adapterOptions], '')
  const elapsed = steadyClock(safeClock(readFunction(members, 'monotonicNow') ?? monotonicNow))
  const seconds = (key: string, fallback: number, min: number, max: number): number =>
    readNumber(members, key, '', { defaultValue: fallback, min, max, unit: 'seconds' })
  return {
    tokenEndpoint: readTokenEndpoint(
      members['tokenEndpoint'],
      'tokenEndpoint',
      readInsecureHttp(members),
    ).href,
    clients: readClients(members['clients'], elapsed),
    // Validated by the store.
    store: members['store'] as TokenStore | undefined,
    encryptionKeys: members['encryptionKeys'] as readonly EncryptionKey[] | undefined,
    headers: readUpstreamHeaders(members['headers']),
    authorize: readFunction(members, 'authorize'),
    quota: readQuotaLimits(members['upstream']),
    limits: {
      minRemaining: seconds('minRemaining', DEFAULT_MIN_REMAINING, 0, SECONDS_PER_DAY),
      maxAge: seconds('maxAge', 3600, 1, SECONDS_PER_DAY),
    },
    timeoutMs: 1000 * seconds('timeout', 5, 0.001, 30),
    now: safeClock(readFunction<() => number>(members, 'now') ?? Date.now),
    monotonicNow: elapsed,
    fetch: readFunction(members, 'fetch') ?? globalThis.fetch,
  }
}

function readClients(value: unknown, elapsed: () => number): ClientAdmission | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'function') {
    const lookup = value as (clientId: string) => boolean | Promise<boolean>
    const limits = { ...LOOKUP_LIMITS, monotonicNow: elapsed }
    return createCachedLookup(limitedLookup(lookup, limits), { ...LOOKUP_CACHE_MS, elapsed })
  }
  const clientIds = new Set(readClientIds(value, 'clients'))
  return (clientId) => clientIds.has(clientId)
}

function readQuotaLimits(value: unknown = {}): QuotaLimits {
  const members: Members = readMembers(
    value,
    ['perSecond', 'unprovenPerSecond', 'concurrency'],
    'upstream',
  )
  const read = (key: string, fallback: number, min: number, max: number): number =>
    readNumber(members, key, 'upstream', {
      defaultValue: fallback,
      min,
      max,
      unit: 'requests',
      integer: true,
    })
  const perSecond = read('perSecond', 100, 2, 10_000)
  return {
    perSecond,
    unprovenPerSecond: read('unprovenPerSecond', Math.floor(perSecond / 2), 1, perSecond - 1),
    concurrency: read('concurrency', 64, 2, 10_000),
  }
}
