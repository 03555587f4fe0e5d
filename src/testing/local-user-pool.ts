/** A local user pool over HTTP: key set, discovery, both token APIs, faults. For development and tests. */

import { LOCAL_REGION } from '../core/options/partitions.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readFunction,
  readNumber,
} from '../core/options/validate.ts'
import { monotonicNow } from '../core/util/time.ts'
import type { JwksFault, JwksHandler } from './http/jwks-faults.ts'
import { LOCAL_HOSTS, type LocalHost, LocalServer } from './http/local-server.ts'
import { PoolServer, type PoolServerOptions } from './http/pool-server.ts'
import type { CloudTrailTokenEvent } from './http/token-log.ts'
import type { PreTokenGenerationTrigger } from './http/trigger.ts'
import type { KeyRing } from './key-ring.ts'
import { type LocalRegion, toLocalRegion } from './local-region.ts'
import { PersistentPool } from './persistent-pool.ts'
import {
  type PoolDefinition,
  readPoolDefinition,
  type TestUserPoolOptions,
  type UserPoolAuthority,
} from './test-user-pool.ts'

/** Options of {@link startUserPool}. */
export interface LocalUserPoolOptions extends Omit<TestUserPoolOptions, 'regions'> {
  /**
   * ID of the pool, in the Region `xx-local-1`: a local pool cannot have the ID of a real pool.
   *
   * @defaultValue A generated ID.
   */
  readonly userPoolId?: string
  /**
   * Port on loopback, 0 to 65,535. 0 selects a free port.
   *
   * @defaultValue 0, or the port of the state file
   */
  readonly port?: number
  /**
   * Loopback address to bind to. URLs of the pool contain it: `http://[::1]:3001/…`.
   *
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: LocalHost
  /**
   * Whether `/_local/` serves endpoints for faults and key rotation.
   *
   * @defaultValue `false`
   */
  readonly control?: boolean
  /**
   * Path of a file for the signing keys, the issuer and generated client secrets: tokens stay valid after a
   * restart. The pool creates it with mode 0600, and replaces it at each rotation. It belongs to one issuer:
   * without `port`, the pool uses the port of the file. Use a separate file for each pool, and do not commit
   * it.
   *
   * @defaultValue None. Keys are new at each start.
   */
  readonly state?: string
  /**
   * Whether pages from a loopback origin can read responses of the token endpoint. Swagger UI needs it.
   *
   * @defaultValue `false`
   */
  readonly cors?: boolean
  /**
   * Token requests per second, 1 to 1,000,000. Requests above it get status 429. `false` sets no limit.
   *
   * @defaultValue 150, the quota of Cognito for all pools of an account
   * @see https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
   */
  readonly quota?: number | false
  /**
   * Pre-token-generation trigger (V3), called before each token that the pool issues over HTTP. It can add claims and
   * change scopes. A change that Cognito does not allow, an exception and a call of more than 5 s reject the token
   * request.
   *
   * @defaultValue No trigger
   */
  readonly trigger?: PreTokenGenerationTrigger
  /**
   * Whether the pool has a replica, as in a second Region: `pool.replica`. It has the clients, keys and trigger of the
   * pool. Its port, issuer, quota and faults are separate.
   *
   * @defaultValue `false`
   */
  readonly replica?: boolean
  /**
   * Called after each request to `/oauth2/token`, with an event in the shape of CloudTrail. Its exceptions are
   * ignored.
   */
  readonly onEvent?: (event: CloudTrailTokenEvent) => void
  /**
   * Monotonic clock in milliseconds, for the quota.
   *
   * @defaultValue `performance.now`
   */
  readonly monotonicNow?: () => number
}

/** A local user pool with the option `replica`. */
export interface ReplicatedUserPool extends LocalUserPool {
  readonly replica: LocalRegion
}

/** A running local user pool. */
export interface LocalUserPool extends UserPoolAuthority, LocalRegion {
  /** The `iss` claim of its tokens. Those of the replica have another one. */
  readonly issuer: string
  /** The second Region. null without the option `replica`. */
  readonly replica: LocalRegion | null
  /** Number of requests to the JWKS endpoint, without those to the replica's. */
  readonly jwksRequests: number
  /**
   * Returns options for the plugin or `createResourceServer`: this pool, all its clients, keys over HTTP. `issuer` is an
   * array with a replica: tokens of both Regions are accepted.
   */
  options(): {
    readonly userPoolId: string
    readonly clientId: readonly string[]
    readonly issuer: string | readonly string[]
    readonly now?: () => number
  }
  /**
   * Sets or clears a fault of the JWKS endpoint.
   *
   * @param fault `refuse` stops all endpoints. A function handles requests to the JWKS endpoint. `null` clears
   *   the fault.
   * @throws {OptionError} `ERR_OPTION_INVALID` for another value, and if the port is no longer free.
   */
  setJwksFault(fault: JwksFault | JwksHandler | null): Promise<void>
  /** Stops the server and closes every connection. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const OPTION_NAMES = [
  'port',
  'host',
  'state',
  'control',
  'cors',
  'quota',
  'trigger',
  'replica',
  'onEvent',
  'monotonicNow',
]
/** Cognito's quota of `ClientAuthentication` requests per second for an account and Region. */
const DEFAULT_QUOTA = 150

/** Validated options of {@link startUserPool}. */
export interface ParsedLocalOptions {
  readonly definition: PoolDefinition
  readonly port: number
  /** Undefined if the options have none. */
  readonly host: LocalHost | undefined
  readonly state: string | undefined
  readonly hasReplica: boolean
  readonly server: Omit<PoolServerOptions, 'keys' | 'onRotation'>
}

/** Validates the options of {@link startUserPool}, without starting a pool. */
export function readLocalOptions(options: unknown): ParsedLocalOptions {
  const definition = readPoolDefinition(options, OPTION_NAMES)
  const { userPoolId, now = Date.now } = definition
  if (!userPoolId.startsWith(`${LOCAL_REGION}_`)) {
    throw new OptionError(
      'userPoolId',
      `expected an id that begins with ${LOCAL_REGION}_, got ${describeValue(userPoolId)}. Change it, or leave it out to generate one.`,
    )
  }
  const members = options as Members
  const { quota } = members
  const port = readNumber(members, 'port', '', {
    defaultValue: 0,
    min: 0,
    max: 65_535,
    integer: true,
  })
  const perSecond = {
    defaultValue: DEFAULT_QUOTA,
    min: 1,
    max: 1_000_000,
    unit: 'requests a second',
  }
  return {
    definition,
    port,
    host: readHost(members),
    state: readState(members),
    hasReplica: readBoolean(members, 'replica'),
    server: {
      control: readBoolean(members, 'control'),
      cors: readBoolean(members, 'cors'),
      now,
      quota: quota === false ? false : readNumber(members, 'quota', '', perSecond),
      trigger: readFunction(members, 'trigger'),
      onEvent: readFunction(members, 'onEvent'),
      monotonicNow: readFunction(members, 'monotonicNow') ?? monotonicNow,
    },
  }
}

/** Any other address would let other machines get tokens and set faults. */
function readHost({ host }: Members): LocalHost | undefined {
  if (host === undefined) return undefined
  const localHost = LOCAL_HOSTS.find((it) => it === host)
  if (localHost !== undefined) return localHost
  throw new OptionError(
    'host',
    `expected 127.0.0.1 or ::1, got ${describeValue(host)}. Use a loopback address.`,
  )
}

function readState({ state }: Members): string | undefined {
  if (state === undefined || (typeof state === 'string' && state !== '')) return state
  throw new OptionError(
    'state',
    `expected the path of a file, got ${describeValue(state)}. Pass a path, or leave it out to keep nothing.`,
  )
}

function readBoolean(members: Members, name: string): boolean {
  const { [name]: value = false } = members
  if (typeof value === 'boolean') return value
  throw new OptionError(
    name,
    `expected a boolean, got ${describeValue(value)}. Pass true or false.`,
  )
}

/**
 * Starts a user pool on loopback: key set, discovery, and tokens for client credentials by `/oauth2/token` and
 * GetClientToken.
 *
 * @example
 * ```ts
 * const pool = await startUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
 * await app.register(cognitoAuth, pool.options())
 * await pool.setJwksFault('hang')
 * ```
 *
 * @param options All are optional.
 * @returns The running pool. Call `close()` to stop it.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option, a port that is in use, and under
 *   `NODE_ENV=production`. Also for a state file that is malformed, that others can read, or of another pool.
 */
export function startUserPool(
  options: LocalUserPoolOptions & { readonly replica: true },
): Promise<ReplicatedUserPool>
export function startUserPool(options?: LocalUserPoolOptions): Promise<LocalUserPool>
export async function startUserPool(options: LocalUserPoolOptions = {}): Promise<LocalUserPool> {
  const saved = new PersistentPool(readLocalOptions(options), options)
  const { definition, port, host, hasReplica, server: serverOptions } = saved.options
  const { userPoolId, clients, now } = definition
  const server = new LocalServer(port, host)
  await server.listen().catch(saved.rethrowPortError)
  const poolOptions: PoolServerOptions = {
    ...serverOptions,
    keys: { current: saved.keys },
    onRotation: (next: KeyRing) => saved.write(pool.authority.issuer, next),
  }
  const pool = new PoolServer(definition, server, poolOptions)
  const servers = [pool]
  try {
    saved.write(pool.authority.issuer, saved.keys)
    if (hasReplica) servers.push(await startReplica(definition, host, poolOptions))
  } catch (error) {
    await server.stop()
    throw error
  }
  const [, replica] = servers
  const { issuer } = pool.authority
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((it) => it.close()))
  }
  return Object.freeze({
    ...pool.authority,
    ...toLocalRegion(pool),
    replica: replica === undefined ? null : Object.freeze(toLocalRegion(replica)),
    get jwksRequests() {
      return pool.jwksRequests
    },
    options: () => {
      const clientId = clients.map((client) => client.clientId)
      const issuers = replica === undefined ? issuer : [issuer, replica.authority.issuer]
      const options = { userPoolId, clientId, issuer: issuers }
      return now === undefined ? options : { ...options, now }
    },
    setJwksFault: (fault: JwksFault | JwksHandler | null) => pool.setFault(fault),
    close,
    [Symbol.asyncDispose]: close,
  })
}

/** Listens on a free port, so its issuer differs from that of the pool. */
async function startReplica(
  definition: PoolDefinition,
  host: LocalHost,
  options: PoolServerOptions,
): Promise<PoolServer> {
  const server = new LocalServer(0, host)
  await server.listen()
  return new PoolServer(definition, server, options)
}
