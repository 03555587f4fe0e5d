/** A generated user pool in memory: keys, clients and tokens. All operations are synchronous. */
import { randomBytes } from 'node:crypto'
import { findPartition, getRegion, LOCAL_REGION } from '../core/options/partitions.ts'
import { readIssuerForms } from '../core/options/user-pool.ts'
import { describeValue, OptionError, readFunction, readMembers } from '../core/options/validate.ts'
import {
  type DefinedScopes,
  type ResourceServerDefinition,
  readResourceServers,
} from '../core/scopes.ts'
import { type PoolClient, readClients, type TestClient } from './clients.ts'
import { createKeys, type PoolKey, type PublishedKey, toPublishedKey } from './key-material.ts'
import {
  createKeyRing,
  type KeyRing,
  listPublishedKeys,
  rotateKeyRing,
  type SharedKeys,
} from './key-ring.ts'
import { createTamperedTokens, type TamperedTokens } from './tampered.ts'
import {
  ACCESS_TOKEN_OPTION_NAMES,
  type AccessTokenOptions,
  checkTokenOptions,
  createIdClaims,
  createMachineClaims,
  createUserClaims,
  type IssueOptions,
  signToken,
  type TestTokenOptions,
  USER_ACCESS_TOKEN_OPTION_NAMES,
  USER_TOKEN_OPTION_NAMES,
  type UserAccessTokenOptions,
  type UserTokenOptions,
} from './tokens.ts'

/** Options of {@link createTestUserPool}. */
export interface TestUserPoolOptions {
  /**
   * ID of the pool, `<region>_<letters and digits>`.
   *
   * @defaultValue A generated ID in `xx-local-1`, which is not a Region of AWS
   */
  readonly userPoolId?: string
  /**
   * App clients, at least one.
   *
   * @defaultValue One client, `test-client`, with every scope of the resource servers
   */
  readonly clients?: readonly TestClient[]
  /**
   * Resource servers, at most 25. If there are any, clients can only have their scopes.
   *
   * @defaultValue None
   */
  readonly resourceServers?: readonly (ResourceServerDefinition | DefinedScopes)[]
  /**
   * Regions of replicas, like the option `regions` of an API: one to four in the partition of the pool. It
   * requires a `userPoolId` of an AWS Region.
   *
   * @defaultValue None
   */
  readonly regions?: readonly string[]
  /**
   * Wall clock in milliseconds.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
}

/** Operations of every generated pool, in memory or over HTTP. */
export interface UserPoolAuthority {
  readonly userPoolId: string
  /** The `iss` claim of its tokens. */
  readonly issuer: string
  readonly clients: readonly PoolClient[]
  /** Creates invalid tokens. */
  readonly tampered: TamperedTokens
  /** Returns the published key set: ID key, access key, older keys. */
  jwks(): { readonly keys: readonly PublishedKey[] }
  /**
   * Creates an access token of an app client (client credentials).
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for an unknown or invalid option.
   */
  accessToken(options?: AccessTokenOptions): string
  /**
   * Creates an access token of a user.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for an unknown or invalid option.
   */
  userAccessToken(options?: UserAccessTokenOptions): string
  /**
   * Creates an ID token of a user, signed with the ID key.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for an unknown or invalid option.
   */
  idToken(options?: UserTokenOptions): string
  /**
   * Replaces the signing keys. The old keys leave the key set, unless `keepOld` is true (default false).
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` if the state file of a local pool cannot be written. The keys
   *   are unchanged then.
   */
  rotateKeys(options?: { readonly keepOld?: boolean }): void
}

/** A generated user pool in memory. */
export interface TestUserPool extends UserPoolAuthority {
  /**
   * Every `iss` that an API accepts: the original and the updated form for the Region of the pool, then for
   * each replica. `accessToken({ claims: { iss } })` creates a token with one of them.
   */
  readonly issuers: readonly string[]
  /**
   * Returns options for the plugin or `createResourceServer`: this pool, all its clients and its current keys.
   * They need no network. Call it again after `rotateKeys`.
   */
  options(): {
    readonly userPoolId: string
    readonly clientId: readonly string[]
    readonly regions?: readonly string[]
    readonly jwks: { readonly keys: readonly PublishedKey[] }
    readonly now?: () => number
  }
}

/** Validated options. */
export interface PoolDefinition {
  readonly userPoolId: string
  readonly clients: readonly PoolClient[]
  readonly resourceServers: readonly ResourceServerDefinition[]
  readonly now: (() => number) | undefined
}

const OPTION_NAMES = ['userPoolId', 'clients', 'resourceServers', 'now']

/** @param extra Names of additional options, which the caller validates. */
export function readPoolDefinition(
  options: unknown,
  extra: readonly string[] = [],
): PoolDefinition {
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      'NODE_ENV',
      'expected development or test for a generated user pool, got production. Use a pool of Cognito there.',
    )
  }
  const members = readMembers(options, [...OPTION_NAMES, ...extra], '')
  const { userPoolId = generateUserPoolId(), resourceServers: servers = [] } = members
  const resourceServers = readResourceServers(servers, 'resourceServers')
  if (typeof userPoolId !== 'string' || !isValidPoolId(userPoolId)) {
    throw new OptionError(
      'userPoolId',
      `expected <region>_<letters and digits>, got ${describeValue(userPoolId)}. Change it, or leave it out to generate one.`,
    )
  }
  return {
    userPoolId,
    resourceServers,
    clients: Object.freeze(readClients(members['clients'], resourceServers)),
    now: readFunction(members, 'now'),
  }
}

function generateUserPoolId(region = LOCAL_REGION): string {
  const letters = randomBytes(8).readBigUInt64BE().toString(36).padStart(9, '0')
  return `${region}_${letters.slice(-9)}`
}

function isValidPoolId(userPoolId: string): boolean {
  const region = getRegion(userPoolId)
  return region !== undefined && findPartition(region) !== undefined
}

/**
 * Creates keys and tokens of one pool under one issuer.
 *
 * @param keys Shared with the other Region of the pool.
 * @param onRotation Called before a rotation with the new keys. An exception prevents the rotation.
 */
export function createAuthority(
  { userPoolId, clients, now = Date.now }: PoolDefinition,
  issuer: string,
  keys: SharedKeys = { current: createKeyRing() },
  onRotation: (next: KeyRing) => void = () => {},
): UserPoolAuthority {
  function createIssueOptions({
    clientId,
    expiresIn,
  }: TestTokenOptions): IssueOptions & { readonly client: PoolClient | undefined } {
    const id = clientId ?? (clients[0] as PoolClient).clientId
    const client = clients.find((it) => it.clientId === id)
    return {
      issuer,
      client,
      clientId: id,
      now: Math.floor(now() / 1000),
      expiresIn: expiresIn ?? client?.accessTokenValidity ?? 3600,
    }
  }

  function accessToken(
    options: AccessTokenOptions = {},
    signer: PoolKey = keys.current.access,
  ): string {
    checkTokenOptions(options, ACCESS_TOKEN_OPTION_NAMES)
    const issueOptions = createIssueOptions(options)
    const scopes = options.scopes ?? issueOptions.client?.scopes ?? []
    return signToken(signer, createMachineClaims(issueOptions, scopes), options)
  }

  return {
    userPoolId,
    issuer,
    clients,
    jwks: () => ({ keys: listPublishedKeys(keys.current).map(toPublishedKey) }),
    accessToken: (options) => accessToken(options),
    userAccessToken(options = {}) {
      checkTokenOptions(options, USER_ACCESS_TOKEN_OPTION_NAMES)
      const claims = createUserClaims(createIssueOptions(options), options)
      return signToken(keys.current.access, claims, options)
    },
    idToken(options = {}) {
      checkTokenOptions(options, USER_TOKEN_OPTION_NAMES)
      const claims = createIdClaims(createIssueOptions(options), options)
      return signToken(keys.current.id, claims, options)
    },
    rotateKeys({ keepOld = false } = {}) {
      const next = rotateKeyRing(keys.current, { keepOld })
      onRotation(next)
      keys.current = next
    },
    tampered: createTamperedTokens({
      accessToken,
      createForeignKey: () => {
        const [foreign] = createKeys(1, listPublishedKeys(keys.current)) as [PoolKey]
        return { ...foreign, kid: keys.current.access.kid }
      },
      createOtherPool: () => {
        const region = userPoolId.slice(0, userPoolId.indexOf('_'))
        return {
          issuer: issuer.replace(userPoolId, generateUserPoolId(region)),
          key: createKeyRing().access,
        }
      },
    }),
  }
}

/**
 * Creates a user pool for tests: generated keys, no network, no AWS. The first pool of a process generates
 * RSA keys (about 300 ms). Each further pool takes under 5 ms.
 *
 * @example
 * ```ts
 * const pool = createTestUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
 * app.register(cognitoAuth, pool.options())
 * const authorization = `Bearer ${pool.accessToken()}`
 * ```
 *
 * @param options All are optional.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option, and under `NODE_ENV=production`.
 */
export function createTestUserPool(options: TestUserPoolOptions = {}): TestUserPool {
  const definition = readPoolDefinition(options, ['regions'])
  const { userPoolId, clients, now } = definition
  const { regions } = options
  const forms = readIssuerForms({ regions }, { userPoolId, isOffline: true }, (member) => member)
  const replicas = regions === undefined ? {} : { regions: Object.freeze([...regions]) }
  const issuers = Object.freeze(forms.map(({ issuer }) => issuer))
  const authority = createAuthority(definition, issuers[0] as string)
  return Object.freeze({
    ...authority,
    issuers,
    options: () => ({
      userPoolId,
      clientId: clients.map(({ clientId }) => clientId),
      ...replicas,
      jwks: authority.jwks(),
      ...(now === undefined ? {} : { now }),
    }),
  })
}
