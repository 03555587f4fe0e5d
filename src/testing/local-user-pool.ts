/** A local user pool over HTTP: key set, discovery, token endpoint, faults. For development and tests. */

import { LOCAL_REGION } from '../core/options/partitions.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readFunction,
  readNumber,
} from '../core/options/validate.ts'
import type { JwksFault, JwksHandler } from './jwks-faults.ts'
import { LOCAL_HOSTS, type LocalHost, LocalServer } from './local-server.ts'
import { PersistentPool } from './persistent-pool.ts'
import { PoolServer, type PoolServerOptions } from './pool-server.ts'
import {
  type PoolDefinition,
  readPoolDefinition,
  type TestUserPoolOptions,
  type UserPoolAuthority,
} from './test-user-pool.ts'
import type { CloudTrailTokenEvent } from './token-log.ts'

/** Options of {@link startUserPool}. */
export interface LocalUserPoolOptions extends Omit<TestUserPoolOptions, 'regions'> {
  /** Only of the region `xx-local-1`: a local pool never wears a real pool's id. */
  readonly userPoolId?: string
  /** Loopback port; default 0, any. */
  readonly port?: number
  /**
   * Loopback address it binds to. Its URLs have the same one: `http://[::1]:3001/…`.
   *
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: LocalHost
  /** Whether faults and rotation can be switched over HTTP, below `/_local/`. Default false. */
  readonly control?: boolean
  /**
   * Path of a file that keeps the signing keys, the issuer and generated client secrets, so that tokens
   * stay valid over restarts. It is made with mode 0600, and again after each rotation. It belongs to one
   * issuer: without a `port`, the pool takes that of the file. Give each pool a file of its own, and do not
   * commit it.
   *
   * @defaultValue None: new keys at each start.
   */
  readonly state?: string
  /**
   * Whether pages that this machine served may read answers of the token endpoint, as Swagger UI has
   * to. Default false.
   */
  readonly cors?: boolean
  /**
   * Token requests it answers a second, 1 to 1,000,000; default 150, as Cognito does for all pools of
   * an account. What exceeds them gets 429. `false`: unlimited.
   */
  readonly quota?: number | false
  /** Told of each token request as CloudTrail tells it, once it is answered. What it throws is lost. */
  readonly onEvent?: (event: CloudTrailTokenEvent) => void
  /** Monotonic clock in milliseconds, for the quota. Default `performance.now`. */
  readonly monotonicNow?: () => number
}

/** A running local user pool. */
export interface LocalUserPool extends UserPoolAuthority {
  readonly port: number
  readonly jwksUri: string
  readonly tokenEndpoint: string
  /** How often the key set was asked for. */
  readonly jwksRequests: number
  /** Its number in the process, as `cognito-m2m:token-request` names it. */
  status(): { readonly instance: number; readonly userPoolId: string }
  /** The last 1,000 token requests as CloudTrail tells them, oldest first. Never a secret. */
  events(): readonly CloudTrailTokenEvent[]
  /** Options for the plugin or `createResourceServer`: this pool, all its clients, keys over HTTP. */
  options(): {
    readonly userPoolId: string
    readonly clientId: readonly string[]
    readonly issuer: string
    readonly now?: () => number
  }
  /**
   * Makes the key set endpoint fail, or heals it with null. `refuse` ends everything it serves; a
   * function answers in place of the key set.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for what is no fault, and where the port was taken.
   */
  setJwksFault(fault: JwksFault | JwksHandler | null): Promise<void>
  /** Ends the server and every connection. */
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
  'onEvent',
  'monotonicNow',
]
/** `ClientAuthentication` requests a second of an account and Region: Cognito's quotas page. */
const DEFAULT_QUOTA = 150

/** What {@link startUserPool} takes, checked. */
export interface ParsedLocalOptions {
  readonly definition: PoolDefinition
  readonly port: number
  /** Undefined where the options give none. */
  readonly host: LocalHost | undefined
  readonly state: string | undefined
  readonly server: Omit<PoolServerOptions, 'keys' | 'onRotation'>
}

/** Checks what {@link startUserPool} takes, without starting anything. */
export function readLocalOptions(options: unknown): ParsedLocalOptions {
  const definition = readPoolDefinition(options, OPTION_NAMES)
  const { userPoolId, now = Date.now } = definition
  if (!userPoolId.startsWith(`${LOCAL_REGION}_`)) {
    throw new OptionError(
      'userPoolId',
      `is ${describeValue(userPoolId)}: a local pool's id begins with ${LOCAL_REGION}_; leave it out to generate one`,
    )
  }
  const members = options as Members
  const { quota } = members
  const port = readNumber(members, 'port', '', {
    ...{ defaultValue: 0, min: 0, max: 65_535, integer: true },
  })
  const perSecond = {
    defaultValue: DEFAULT_QUOTA,
    min: 1,
    max: 1_000_000,
    unit: 'requests a second',
  }
  return {
    ...{ definition, port, host: readHost(members), state: readState(members) },
    server: {
      ...{ control: readBoolean(members, 'control'), cors: readBoolean(members, 'cors'), now },
      quota: quota === false ? false : readNumber(members, 'quota', '', perSecond),
      onEvent: readFunction(members, 'onEvent'),
      monotonicNow: readFunction(members, 'monotonicNow') ?? (() => performance.now()),
    },
  }
}

/** Any other address would let other machines get tokens and switch faults. */
function readHost({ host }: Members): LocalHost | undefined {
  if (host === undefined) return undefined
  const known = LOCAL_HOSTS.find((it) => it === host)
  if (known !== undefined) return known
  throw new OptionError(
    'host',
    `is ${describeValue(host)}: use 127.0.0.1 or ::1, a pool binds to loopback`,
  )
}

function readState({ state }: Members): string | undefined {
  if (state === undefined || (typeof state === 'string' && state !== '')) return state
  throw new OptionError('state', `is ${describeValue(state)}: pass the path of a file`)
}

function readBoolean(members: Members, name: string): boolean {
  const { [name]: value = false } = members
  if (typeof value === 'boolean') return value
  throw new OptionError(name, `is ${describeValue(value)}: pass true or false`)
}

/**
 * Starts a user pool on loopback: key set, discovery, and `/oauth2/token` for client credentials.
 *
 * ```ts
 * const pool = await startUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
 * await app.register(cognitoAuth, pool.options())
 * await pool.setJwksFault('hang')
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong option, a port that is in use, a state file
 *   that is malformed, readable by others or of another pool, and under `NODE_ENV=production`.
 */
export async function startUserPool(options: LocalUserPoolOptions = {}): Promise<LocalUserPool> {
  const saved = new PersistentPool(readLocalOptions(options), options)
  const { definition, port, host, server: serverOptions } = saved.options
  const { userPoolId, clients, now } = definition
  const server = new LocalServer(port, host)
  await server.listen().catch(saved.rethrowPortError)
  const pool = new PoolServer(definition, server, {
    ...{ ...serverOptions, keys: saved.keys },
    onRotation: (next) => saved.write(pool.authority.issuer, next),
  })
  try {
    saved.write(pool.authority.issuer, saved.keys)
  } catch (error) {
    await server.stop()
    throw error
  }
  return Object.freeze({
    ...pool.authority,
    port: server.port,
    jwksUri: pool.jwksUri,
    tokenEndpoint: pool.tokenEndpoint,
    get jwksRequests() {
      return pool.jwksRequests
    },
    options: () => ({
      userPoolId,
      clientId: clients.map(({ clientId }) => clientId),
      issuer: pool.authority.issuer,
      ...(now === undefined ? {} : { now }),
    }),
    status: () => ({ instance: pool.tokens.instance, userPoolId }),
    events: () => pool.tokens.events,
    setJwksFault: (fault: JwksFault | JwksHandler | null) => pool.setFault(fault),
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
  })
}
