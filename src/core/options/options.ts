/** Validates the options that the core and all adapters share, and fills in defaults. */
import { readChallengeScopes, readRealm } from '../challenge.ts'
import type { KeyStoreTiming } from '../keys/key-store.ts'
import { readRejectionLog } from '../rejection-log.ts'
import {
  type AccessRequirement,
  type CompiledRequirement,
  checkUserPools,
  compileDefaultRequirement,
} from '../requirement.ts'
import {
  type ResourceMetadata,
  type ResourceMetadataConfig,
  readResourceMetadata,
} from '../resource-metadata.ts'
import type { TokenCacheBounds } from '../token/token-cache.ts'
import type { VerifiedToken } from '../token/verified-token.ts'
import { monotonicNow } from '../util/time.ts'
import { type Logger, readLogger, type SafeLogger, safeLogger } from './logger.ts'
import {
  readUserPool,
  USER_POOL_MEMBERS,
  type UserPool,
  type UserPoolOptions,
} from './user-pool.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readFunction,
  readList,
  readMembers,
  readNumber,
} from './validate.ts'

/** How keys are fetched and how long they are trusted. Durations in seconds. */
export interface KeyStoreOptions {
  /**
   * `'require'`: `ready()` rejects if no keys could be fetched. `'warn'`: it logs a warning and continues.
   *
   * @defaultValue `'warn'`
   */
  readonly startup?: 'warn' | 'require'
  /**
   * Time between fetches, ± 10 %. A revoked key is trusted until the next one. At most 86,400.
   *
   * @defaultValue 300 (5 minutes): a revoked key is trusted for up to 330 s.
   */
  readonly refreshInterval?: number
  /**
   * Time after which unknown kids may cause another fetch, once they have caused three. At most 300.
   *
   * @defaultValue 5
   */
  readonly cooldown?: number
  /**
   * How long keys are trusted while no new ones can be fetched. At most 604,800.
   *
   * @defaultValue 86,400 (a day)
   */
  readonly maxStale?: number
  /**
   * Timeout of a whole fetch: connection, headers and body. At most 30.
   *
   * @defaultValue 3
   */
  readonly fetchTimeout?: number
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
function readTiming(value: unknown = {}): KeyStoreTiming {
  const durations = ['refreshInterval', 'cooldown', 'maxStale', 'fetchTimeout']
  const members = readMembers(value, ['startup', ...durations], 'keyStore')
  const { startup = 'warn' } = members
  if (startup !== 'warn' && startup !== 'require') {
    throw new OptionError(
      'keyStore.startup',
      `expected 'warn' or 'require', got ${describeValue(startup)}. Use one of the two.`,
    )
  }
  const read = (key: string, defaultValue: number, max: number): number =>
    1000 * readNumber(members, key, 'keyStore', { defaultValue, min: 0.001, max, unit: 'seconds' })
  return {
    startup,
    refreshIntervalMs: read('refreshInterval', 300, 86_400),
    cooldownMs: read('cooldown', 5, 300),
    maxStaleMs: read('maxStale', 86_400, 604_800),
    fetchTimeoutMs: read('fetchTimeout', 3, 30),
  }
}

/** The options of one pool directly, or of several pools under `userPools`; never both. */
export type CognitoAuthOptions = (
  | (UserPoolOptions & { readonly userPools?: never })
  | (SeveralPools & { readonly [Member in keyof UserPoolOptions]?: never })
) &
  CommonOptions

interface SeveralPools {
  /**
   * Several user pools in one API. Two of them cannot have the same issuer. Scopes and client IDs are per
   * pool. The owner of another pool can define `orders/admin` there and reach a route that requires it,
   * unless the requirement names its pool (`userPoolId`).
   */
  readonly userPools: readonly UserPoolOptions[]
}

/** Options of the server as a whole. Durations in seconds, clocks in milliseconds. */
export interface CommonOptions {
  /**
   * Seconds by which the clocks of Cognito and of this server may differ. Tokens are accepted that much
   * longer. At most 300.
   *
   * @defaultValue 5
   */
  readonly clockTolerance?: number
  /**
   * Maximum length of a token in characters. A longer one is rejected without decoding it. At most 1,048,576.
   *
   * @defaultValue 8192
   */
  readonly maxTokenLength?: number
  /**
   * Requirement of routes that declare none. In Fastify, `false` makes such routes public. In Express and
   * core it is the requirement of `auth()` and `guard()`, and has to require a token. On Lambda, undeclared
   * routes are denied unless it is set.
   *
   * @defaultValue `{}`: a valid token.
   */
  readonly default?: AccessRequirement | false
  /**
   * Called for every request after all checks but the route's own `check`. Access is allowed only if it returns
   * `true`. If it throws, rejects or takes longer than 3 s, the response is 503.
   */
  readonly check?: (token: VerifiedToken) => boolean | Promise<boolean>
  /**
   * Limits of the cache of verified tokens: `maxEntries` tokens (at most 1,000,000) and `maxBytes` bytes (at
   * most 1 GiB). `false` turns it off. Expiry, keys, client, scopes and `check` are checked on every request,
   * whether or not the token is cached.
   *
   * @defaultValue 10,000 tokens and 16 MiB.
   */
  readonly tokenCache?: { readonly maxEntries?: number; readonly maxBytes?: number } | false
  /**
   * Seconds for which the result of a {@link ClientLookup} is cached, each at most 3600. A client that is
   * removed from the list keeps its access for up to `allow` seconds.
   *
   * @defaultValue `{ allow: 60, deny: 10 }`
   */
  readonly clientCache?: { readonly allow?: number; readonly deny?: number }
  /** How keys are fetched and kept. */
  readonly keyStore?: KeyStoreOptions
  /**
   * Protection space that challenges name (RFC 9110 section 11.5).
   *
   * @defaultValue `'api'`
   */
  readonly realm?: string
  /**
   * Whether the challenge of a 401 names the scopes of its route (RFC 6750 section 3), as MCP clients
   * expect. It names all of them, or every member of `anyOf`. This applies to routes that declare scopes themselves,
   * never to those with the `default` requirement, unmatched paths or public routes. Unauthenticated callers
   * can then read the names. On Lambda it has no effect: API Gateway writes the challenge.
   *
   * @defaultValue `true` with `resourceMetadata`, else `false`.
   */
  readonly challengeScopes?: boolean
  /**
   * Protected resource metadata (RFC 9728), published under `/.well-known/oauth-protected-resource` without
   * authentication. Each challenge names its URL in `resource_metadata`.
   *
   * @defaultValue None is published.
   */
  readonly resourceMetadata?: ResourceMetadata
  /**
   * Logger for key set failures and rejected claims.
   *
   * @defaultValue Fastify's logger; none elsewhere.
   */
  readonly logger?: Logger
  /**
   * Logs rejected requests: `cognito-m2m: request rejected` at level info, with code, route and verified client.
   * `perMinute` limits the lines of each code (at most 6000), because unauthenticated callers can cause any number
   * of 401s. `{}` logs 60 lines per minute and code; the next line has the number of those left out.
   *
   * @defaultValue `false`: none is logged.
   */
  readonly rejectionLog?: { readonly perMinute?: number } | false
  /**
   * Wall clock in milliseconds, for claims.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
  /**
   * Monotonic clock in milliseconds, for intervals.
   *
   * @defaultValue `performance.now`
   */
  readonly monotonicNow?: () => number
  /**
   * Fetches key sets. The limits of time, size and redirects apply to it too.
   *
   * @defaultValue The global `fetch`.
   */
  readonly fetch?: typeof globalThis.fetch
}

/** Options after validation. Durations in milliseconds but for `clockTolerance` (seconds). */
export interface ServerOptions {
  readonly pools: readonly UserPool[]
  readonly clockTolerance: number
  readonly maxTokenLength: number
  /** Requirement of routes that declare none; `false`: they are public. */
  readonly defaultRequirement: CompiledRequirement | false
  readonly check: CommonOptions['check']
  readonly clientCache: { readonly allow: number; readonly deny: number }
  readonly tokenCache: TokenCacheBounds | false
  readonly timing: KeyStoreTiming
  readonly metadata: ResourceMetadataConfig | undefined
  readonly realm: string
  readonly challengeScopes: boolean
  readonly logger: SafeLogger
  /** Lines per minute and code; undefined if rejections are not logged. */
  readonly rejectionsPerMinute: number | undefined
  readonly now: () => number
  readonly monotonicNow: () => number
  readonly fetch: typeof globalThis.fetch
  /** The adapter's own options, not validated yet. */
  readonly adapterOptions: Members
}

const COMMON_MEMBERS = [
  ...['clockTolerance', 'maxTokenLength', 'default', 'check', 'tokenCache', 'clientCache'],
  ...[
    'keyStore',
    'realm',
    'challengeScopes',
    'resourceMetadata',
    'logger',
    'rejectionLog',
    'now',
    'monotonicNow',
    'fetch',
  ],
]

/** What an adapter adds to the shared options. */
interface AdapterOptions {
  /** Used if the options have none. */
  readonly logger?: Logger
  /** Names of the options that only this adapter has. */
  readonly adapterMembers?: readonly string[]
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for the first invalid option. */
export function readOptions(
  value: unknown,
  { logger, adapterMembers = [] }: AdapterOptions = {},
): ServerOptions {
  const common = [...USER_POOL_MEMBERS, 'userPools', ...COMMON_MEMBERS]
  const members = readMembers(value, [...adapterMembers, ...common], '')
  const pools = readPools(members)
  const metadata = readResourceMetadata(members['resourceMetadata'])
  return {
    pools,
    clockTolerance: readNumber(members, 'clockTolerance', '', {
      defaultValue: 5,
      min: 0,
      max: 300,
      unit: 'seconds',
    }),
    maxTokenLength: readNumber(members, 'maxTokenLength', '', {
      defaultValue: 8192,
      min: 256,
      max: 1_048_576,
      unit: 'characters',
      integer: true,
    }),
    defaultRequirement: readDefault(members['default'], pools),
    check: readFunction(members, 'check'),
    clientCache: readClientCache(members['clientCache']),
    tokenCache: readTokenCache(members['tokenCache']),
    timing: readTiming(members['keyStore']),
    metadata,
    realm: readRealm(members['realm']),
    challengeScopes: readChallengeScopes(members['challengeScopes'], metadata),
    logger: safeLogger(readLogger(members['logger']) ?? logger),
    rejectionsPerMinute: readRejectionLog(members['rejectionLog']),
    now: readFunction(members, 'now') ?? Date.now,
    monotonicNow: readFunction(members, 'monotonicNow') ?? monotonicNow,
    fetch: readFunction(members, 'fetch') ?? globalThis.fetch,
    adapterOptions: Object.fromEntries(
      adapterMembers.filter((it) => it in members).map((it) => [it, members[it]]),
    ),
  }
}

/** Checked before any key is fetched. */
function readDefault(
  value: unknown = {},
  pools: readonly UserPool[],
): ServerOptions['defaultRequirement'] {
  if (value === false) return false
  const requirement = compileDefaultRequirement(value, 'default')
  checkUserPools(requirement, pools)
  return requirement
}

function readPools(members: Members): readonly UserPool[] {
  const { userPools } = members
  const inPlace = USER_POOL_MEMBERS.filter((member) => member in members)
  if (userPools === undefined) {
    const single = Object.fromEntries(inPlace.map((member) => [member, members[member]]))
    return [readUserPool(single, '')]
  }
  if (inPlace.length > 0) {
    throw new OptionError(
      'userPools',
      `expected no ${inPlace[0]} with userPools, got both. Move ${inPlace[0]} into each user pool.`,
    )
  }
  const pools = readList(userPools, 'userPools', readUserPool)
  if (pools === undefined || pools.length === 0) {
    throw new OptionError(
      'userPools',
      `expected an array of user pools, got ${describeValue(userPools)}. Pass at least one.`,
    )
  }
  checkIssuers(pools)
  return pools
}

/** A token names its pool by its issuer alone, so two pools cannot have the same one. */
function checkIssuers(pools: readonly UserPool[]): void {
  const seen = new Map<string, number>()
  for (const [index, pool] of pools.entries()) {
    for (const { issuer } of pool.issuers) {
      const other = seen.get(issuer)
      if (other !== undefined && other !== index) {
        throw new OptionError(
          `userPools[${index}]`,
          `expected an issuer that no other user pool has, got an issuer of userPools[${other}]. List each user pool once, with all its app clients.`,
        )
      }
      seen.set(issuer, index)
    }
  }
}

function readTokenCache(value: unknown = {}): TokenCacheBounds | false {
  if (value === false) return false
  const members = readMembers(value, ['maxEntries', 'maxBytes'], 'tokenCache')
  return {
    maxEntries: readNumber(members, 'maxEntries', 'tokenCache', {
      defaultValue: 10_000,
      min: 1,
      max: 1_000_000,
      unit: 'tokens',
      integer: true,
    }),
    maxBytes: readNumber(members, 'maxBytes', 'tokenCache', {
      defaultValue: 16_777_216,
      min: 16_384,
      max: 1_073_741_824,
      unit: 'bytes',
      integer: true,
    }),
  }
}

function readClientCache(value: unknown = {}): ServerOptions['clientCache'] {
  const members = readMembers(value, ['allow', 'deny'], 'clientCache')
  const read = (key: string, defaultValue: number): number =>
    1000 *
    readNumber(members, key, 'clientCache', { defaultValue, min: 0, max: 3600, unit: 'seconds' })
  return { allow: read('allow', 60), deny: read('deny', 10) }
}
