/** Validates the options every surface shares. What comes out is complete and belongs to the core. */
import { readChallengeScopes, readRealm } from '../challenge.ts'
import type { KeyStoreTiming } from '../keys/key-store.ts'
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

/** Durations in seconds. */
export interface KeyStoreOptions {
  /** `'require'` refuses to start without keys; default `'warn'` logs and goes on. */
  readonly startup?: 'warn' | 'require'
  /** Default 300 (5 minutes), ± 10 %: a revoked key is still trusted for up to 330 s. At most 86,400. */
  readonly refreshInterval?: number
  /** Default 5: an unknown kid earns a fetch so often, once three were spent. At most 300. */
  readonly cooldown?: number
  /** Default 86,400 (a day): how long keys are trusted while none can be fetched. At most 604,800. */
  readonly maxStale?: number
  /** Default 3, for a whole fetch. At most 30. */
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
      `is ${describeValue(startup)}: use 'warn' or 'require'`,
    )
  }
  const read = (key: string, fallback: number, max: number): number =>
    1000 * readNumber(members, key, 'keyStore', { fallback, min: 0.001, max, unit: 'seconds' })
  return {
    startup,
    refreshIntervalMs: read('refreshInterval', 300, 86_400),
    cooldownMs: read('cooldown', 5, 300),
    maxStaleMs: read('maxStale', 86_400, 604_800),
    fetchTimeoutMs: read('fetchTimeout', 3, 30),
  }
}

/** One pool's options in place, or several under `userPools`; never both. */
export type CognitoAuthOptions = (
  | (UserPoolOptions & { readonly userPools?: never })
  | (SeveralPools & { readonly [Member in keyof UserPoolOptions]?: never })
) &
  CommonOptions

interface SeveralPools {
  /**
   * Several user pools in one API. Two may not share an issuer. Scopes and client ids are per pool:
   * another pool's owner can define `orders/admin` there and reach a route that asks for it, unless
   * the requirement names its pool (`userPoolId`).
   */
  readonly userPools: readonly UserPoolOptions[]
}

/** Options of the server as a whole. Durations in seconds, clocks in milliseconds. */
export interface CommonOptions {
  /**
   * Seconds by which the clocks of Cognito and of this server may differ: a token is accepted so
   * much longer. Default 5, at most 300.
   */
  readonly clockTolerance?: number
  /** Longest token in characters; longer is refused undecoded. Default 8192, at most 1,048,576. */
  readonly maxTokenLength?: number
  /**
   * What a route without a requirement of its own needs. Default `{}`, a valid token. In Fastify
   * `false` leaves such routes open; in Express and core it is what `auth()` and `guard()` need, and
   * has to ask for a token; on Lambda routes that were not declared are denied unless it is set.
   */
  readonly default?: AccessRequirement | false
  /**
   * The last word on every request, after everything but the route's own `check`. Only `true`
   * passes; one that throws, rejects or takes over 3 s is answered with 503.
   */
  readonly check?: (token: VerifiedToken) => boolean | Promise<boolean>
  /**
   * Bounds of the cache of verified tokens: at most `maxEntries` tokens (default 10,000, at most
   * 1,000,000) and `maxBytes` bytes (default 16 MiB, at most 1 GiB); `false` turns it off. What a token
   * rests on is judged on every request all the same: expiry, keys, client, scopes, `check`.
   */
  readonly tokenCache?: { readonly maxEntries?: number; readonly maxBytes?: number } | false
  /**
   * Seconds a {@link ClientLookup}'s answer holds: `allow` default 60, `deny` default 10, each at
   * most 3600. A client that is taken off the list keeps its access so long.
   */
  readonly clientCache?: { readonly allow?: number; readonly deny?: number }
  /** How keys are fetched and kept. */
  readonly keyStore?: KeyStoreOptions
  /** The protection space named in challenges (RFC 9110 section 11.5). Default `'api'`. */
  readonly realm?: string
  /**
   * Whether the challenge of a 401 names the scopes of its route (RFC 6750 section 3), as MCP clients
   * expect: all of them, or every member of `anyOf`. Only for routes that declare scopes themselves,
   * never for those that `default` governs, unmatched paths or public routes. Callers without a token
   * learn the names then. Default: true with `resourceMetadata`, else false. On Lambda it has no
   * effect: API Gateway writes the challenge.
   */
  readonly challengeScopes?: boolean
  /**
   * RFC 9728: what the API says about itself under `/.well-known/oauth-protected-resource`, open to
   * everyone, and `resource_metadata` in each challenge. Default: neither.
   */
  readonly resourceMetadata?: ResourceMetadata
  /** Where operators read of keys going bad and well. Default: the framework's; none in core. */
  readonly logger?: Logger
  /** Wall clock in milliseconds, for claims. Default `Date.now`. */
  readonly now?: () => number
  /** Monotonic clock in milliseconds, for intervals. Default `performance.now`. */
  readonly monotonicNow?: () => number
  /** Transport for key sets; limits on time, size and redirects hold around it. */
  readonly fetch?: typeof globalThis.fetch
}

/** Options after validation. Durations in milliseconds but for `clockTolerance` (seconds). */
export interface ServerOptions {
  readonly pools: readonly UserPool[]
  readonly clockTolerance: number
  readonly maxTokenLength: number
  /** What a route without a requirement of its own needs; `false` is open. */
  readonly defaultRequirement: CompiledRequirement | false
  readonly check: CommonOptions['check']
  readonly clientCache: { readonly allow: number; readonly deny: number }
  readonly tokenCache: TokenCacheBounds | false
  readonly timing: KeyStoreTiming
  readonly metadata: ResourceMetadataConfig | undefined
  readonly realm: string
  readonly challengeScopes: boolean
  readonly logger: SafeLogger
  readonly now: () => number
  readonly monotonicNow: () => number
  readonly fetch: typeof globalThis.fetch
  /** Members of the adapter's own, not looked at yet. */
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
    'now',
    'monotonicNow',
    'fetch',
  ],
]

/** What an adapter adds to the options it reads. */
interface AdapterOptions {
  /** The framework's, where the options name none. */
  readonly logger?: Logger
  /** Names of members of its own. */
  readonly own?: readonly string[]
}

/** @throws {OptionError} `ERR_OPTION_INVALID` for the first thing that is wrong. */
export function readOptions(
  value: unknown,
  { logger, own = [] }: AdapterOptions = {},
): ServerOptions {
  const common = [...USER_POOL_MEMBERS, 'userPools', ...COMMON_MEMBERS]
  const members = readMembers(value, [...own, ...common], '')
  const pools = readPools(members)
  const metadata = readResourceMetadata(members['resourceMetadata'])
  return {
    pools,
    clockTolerance: readNumber(members, 'clockTolerance', '', {
      fallback: 5,
      min: 0,
      max: 300,
      unit: 'seconds',
    }),
    maxTokenLength: readNumber(members, 'maxTokenLength', '', {
      fallback: 8192,
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
    now: readFunction(members, 'now') ?? Date.now,
    monotonicNow: readFunction(members, 'monotonicNow') ?? (() => performance.now()),
    fetch: readFunction(members, 'fetch') ?? globalThis.fetch,
    adapterOptions: Object.fromEntries(
      own.filter((it) => it in members).map((it) => [it, members[it]]),
    ),
  }
}

/** Checked before any key is fetched. */
function readDefault(
  value: unknown = {},
  pools: readonly UserPool[],
): ServerOptions['defaultRequirement'] {
  if (value === false) return false
  const fallback = compileDefaultRequirement(value, 'default')
  checkUserPools(fallback, pools)
  return fallback
}

function readPools(members: Members): readonly UserPool[] {
  const { userPools } = members
  const inPlace = USER_POOL_MEMBERS.filter((member) => member in members)
  if (userPools === undefined) {
    const single = Object.fromEntries(inPlace.map((member) => [member, members[member]]))
    return [readUserPool(single, '')]
  }
  if (inPlace.length > 0) {
    throw new OptionError('userPools', `stands beside ${inPlace[0]}: move that into userPools`)
  }
  const pools = readList(userPools, 'userPools', readUserPool)
  if (pools === undefined || pools.length === 0) {
    throw new OptionError(
      'userPools',
      `is ${describeValue(userPools)}: pass an array of user pools`,
    )
  }
  checkIssuers(pools)
  return pools
}

/** A token names its pool by issuer alone, so two pools with one would be told apart by chance. */
function checkIssuers(pools: readonly UserPool[]): void {
  const seen = new Map<string, number>()
  for (const [index, pool] of pools.entries()) {
    for (const { issuer } of pool.issuers) {
      const other = seen.get(issuer)
      if (other !== undefined && other !== index) {
        throw new OptionError(
          `userPools[${index}]`,
          `has the issuer of userPools[${other}]: name each user pool once, with all its clients`,
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
      fallback: 10_000,
      min: 1,
      max: 1_000_000,
      unit: 'tokens',
      integer: true,
    }),
    maxBytes: readNumber(members, 'maxBytes', 'tokenCache', {
      fallback: 16_777_216,
      min: 16_384,
      max: 1_073_741_824,
      unit: 'bytes',
      integer: true,
    }),
  }
}

function readClientCache(value: unknown = {}): ServerOptions['clientCache'] {
  const members = readMembers(value, ['allow', 'deny'], 'clientCache')
  const read = (key: string, fallback: number): number =>
    1000 * readNumber(members, key, 'clientCache', { fallback, min: 0, max: 3600, unit: 'seconds' })
  return { allow: read('allow', 60), deny: read('deny', 10) }
}
