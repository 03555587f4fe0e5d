/** A local user pool over HTTP: key set, discovery, token endpoint, faults. For development and tests. */
import { type Members, OptionError, readNumber, show } from '../core/option-error.ts'
import type { JwksFault, JwksHandler } from './jwks-faults.ts'
import { LocalServer } from './local-server.ts'
import { RunningPool, type Served } from './running-pool.ts'
import {
  type PoolDefinition,
  readPoolDefinition,
  type TestUserPoolOptions,
  type UserPoolAuthority,
} from './test-user-pool.ts'

/** Options of {@link startUserPool}. */
export interface LocalUserPoolOptions extends TestUserPoolOptions {
  /** Only of the region `xx-local-1`: a local pool never wears a real pool's id. */
  readonly userPoolId?: string
  /** Loopback port; default 0, any. */
  readonly port?: number
  /** Whether faults and rotation can be switched over HTTP, below `/_local/`. Default false. */
  readonly control?: boolean
  /**
   * Whether pages that this machine served may read answers of the token endpoint, as Swagger UI has
   * to. Default false.
   */
  readonly cors?: boolean
}

/** A running local user pool. */
export interface LocalUserPool extends UserPoolAuthority {
  readonly port: number
  readonly jwksUri: string
  readonly tokenEndpoint: string
  /** How often the key set was asked for. */
  readonly jwksRequests: number
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

const LOCAL_REGION = 'xx-local-1_'

/** Checks what {@link startUserPool} takes, without starting anything. */
export function readLocalOptions(options: unknown): {
  readonly definition: PoolDefinition
  readonly port: number
  readonly served: Served
} {
  const definition = readPoolDefinition(options, ['port', 'control', 'cors'])
  const { userPoolId } = definition
  if (!userPoolId.startsWith(LOCAL_REGION)) {
    throw new OptionError(
      'userPoolId',
      `is ${show(userPoolId)}: a local pool's id begins with ${LOCAL_REGION}; leave it out to generate one`,
    )
  }
  const members = options as Members
  const port = readNumber(members, 'port', '', {
    ...{ fallback: 0, min: 0, max: 65_535, integer: true },
  })
  const served = { control: readSwitch(members, 'control'), cors: readSwitch(members, 'cors') }
  return { definition, port, served }
}

function readSwitch(members: Members, name: string): boolean {
  const { [name]: value = false } = members
  if (typeof value === 'boolean') return value
  throw new OptionError(name, `is ${show(value)}: pass true or false`)
}

/**
 * Starts a user pool on 127.0.0.1: key set, discovery, and `/oauth2/token` for client credentials.
 *
 * ```ts
 * const pool = await startUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
 * await app.register(cognitoAuth, pool.options())
 * await pool.setJwksFault('hang')
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong option, a port that cannot be had, and under
 *   `NODE_ENV=production`.
 */
export async function startUserPool(options: LocalUserPoolOptions = {}): Promise<LocalUserPool> {
  const { definition, port, served } = readLocalOptions(options)
  const { userPoolId, clients, now } = definition
  const server = new LocalServer(port)
  await server.listen()
  const pool = new RunningPool(definition, server, served)
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
    setJwksFault: (fault: JwksFault | JwksHandler | null) => pool.setFault(fault),
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
  })
}
