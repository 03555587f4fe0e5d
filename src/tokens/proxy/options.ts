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
import type { RegionalTokenApis } from '../oauth/failover.ts'
import { readTokenApis, type UserPoolsApiOptions } from '../oauth/token-api-options.ts'
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
  'x-amz-target',
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
        'expected visible ASCII or a function that returns it, got another value. Remove other characters and line breaks.',
      )
    }
    headers.set(name, header as UpstreamHeader)
  }
  return headers
}

/**
 * Limits of the token requests that this process sends. All proxies of an AWS account share the quota of Cognito.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
 */
export interface UpstreamLimits {
  /**
   * Token requests in any second, from 2 to 10,000. Cognito's default quota is 150 for an account. An app client
   * whose secret Cognito has accepted gets at most a quarter of them, rounded down, and at least one.
   *
   * @defaultValue `100`
   */
  readonly perSecond?: number
  /**
   * Part of `perSecond` for credentials that Cognito has not accepted yet, from 1 to `perSecond - 1`. The rest is
   * reserved for credentials that it has accepted.
   *
   * @defaultValue Half of `perSecond`.
   */
  readonly unprovenPerSecond?: number
  /**
   * Concurrent token requests, from 2 to 10,000. The shares of credentials not accepted yet, and of each app client,
   * are those of `perSecond`.
   *
   * @defaultValue `64`
   */
  readonly concurrency?: number
}

/**
 * Options of `tokenProxy`. Durations are in seconds, clocks in milliseconds.
 *
 * @typeParam Request Parameter of `authorize`: Fastify's request.
 */
export interface ProxyOptions<Request> {
  /**
   * Cognito's token endpoint, `https://<domain>.auth.<region>.amazoncognito.com/oauth2/token`. http on loopback only,
   * unless {@link ProxyOptions.insecureHttp}. Either this or `userPoolsApi` is required. `[primary, secondary]` for a
   * pool with a replica: the secondary Region takes over while the primary fails.
   */
  readonly tokenEndpoint?: string | readonly [primary: string, secondary?: string]
  /**
   * Requests tokens with GetClientToken instead of `/oauth2/token`: `{ region }`, or `{ endpoint }` for a VPC
   * interface endpoint (AWS PrivateLink). Callers use the proxy as before. The pool needs no domain. The app clients
   * have the flow `ALLOW_CLIENT_TOKEN_AUTH`. `[primary, secondary]` for a pool with a replica, as for `tokenEndpoint`.
   */
  readonly userPoolsApi?:
    | UserPoolsApiOptions
    | readonly [primary: UserPoolsApiOptions, secondary?: UserPoolsApiOptions]
  /**
   * `true` permits `http:` outside loopback in `tokenEndpoint` and `userPoolsApi.endpoint`, for networks that encrypt or
   * are trusted (a service mesh, Docker Compose). Secrets and tokens are then sent unencrypted. It does not apply to hosts of AWS. The proxy
   * logs one warning at registration.
   *
   * @defaultValue `false`
   */
  readonly insecureHttp?: boolean
  /**
   * App clients that may request tokens: IDs, or a function that looks up an ID. Other app clients get
   * `invalid_client` without a request to Cognito.
   *
   * The result `true` is cached for 60 s, `false` for 10 s. The function is called at most 50 times a second, with at
   * most 16 concurrent calls. Beyond these limits, after an exception, and after 3 s, the response is 503.
   *
   * @defaultValue Every app client
   */
  readonly clients?: string | readonly string[] | ((clientId: string) => boolean | Promise<boolean>)
  /**
   * Store of the tokens. The proxy closes it with the app.
   *
   * @defaultValue `memoryStore()`
   */
  readonly store?: TokenStore
  /**
   * 1 to 4 keys that seal the entries of a shared store. The first key seals, all keys decrypt. Required with a shared
   * store.
   *
   * @defaultValue No keys: a store in memory needs none
   */
  readonly encryptionKeys?: readonly EncryptionKey[]
  /**
   * Headers of the requests to Cognito, for example a secret that its firewall requires. A function is called before
   * each token request, so a rotated value is used at once. If it fails, or takes longer than half of the `timeout`
   * that is left, the response is 503. Values are visible ASCII, at most 4,096 characters.
   *
   * @defaultValue No headers
   */
  readonly headers?: Readonly<Record<string, UpstreamHeader>>
  /**
   * Decides whether a caller may request tokens, before the proxy reads the body. Only `true` grants access. For any
   * other value the response is 403. After an exception, and after 3 s, it is 503.
   *
   * @defaultValue Every caller
   */
  readonly authorize?: (request: Request) => boolean | Promise<boolean>
  /**
   * Limits of the token requests to Cognito.
   *
   * @defaultValue The defaults of {@link UpstreamLimits}
   */
  readonly upstream?: UpstreamLimits
  /**
   * Remaining lifetime in seconds below which a caller waits for the renewal of the cached token, from 0 to 86,400. At
   * most an eighth of the token's lifetime applies. The caller waits at most 1 s, then gets the cached token.
   *
   * From 75 % of its lifetime on, a token is renewed in the background. It is served until 5 s before its expiry.
   *
   * @defaultValue `300`
   */
  readonly minRemaining?: number
  /**
   * Longest time in seconds for which a cached token is served before Cognito verifies the secret again, from 1 to
   * 86,400.
   *
   * @defaultValue `3600`
   */
  readonly maxAge?: number
  /**
   * Longest wait of a caller in seconds, from 0.001 to 30: queue, store, Cognito and the functions of `headers`
   * together. Then the response is 503. `clients` and `authorize` have separate limits.
   *
   * @defaultValue `5`
   */
  readonly timeout?: number
  /**
   * Wall clock in milliseconds, for expiry.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
  /**
   * Monotonic clock in milliseconds, for quotas and waits.
   *
   * @defaultValue `performance.now`
   */
  readonly monotonicNow?: () => number
  /**
   * Transport to Cognito. The proxy limits the time and size of its responses, and rejects redirects.
   *
   * @defaultValue `globalThis.fetch`
   */
  readonly fetch?: typeof globalThis.fetch
}

/** Whether an app client may request tokens. Rejects if the lookup of the app failed or is over its limits. */
export type ClientAdmission = (clientId: string) => boolean | Promise<boolean>

/** Options after validation. Durations in milliseconds, except `limits` (seconds). */
export interface ProxySettings<Request> {
  readonly api: RegionalTokenApis
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
  'userPoolsApi',
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
    api: readTokenApis(members, readInsecureHttp(members)),
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
