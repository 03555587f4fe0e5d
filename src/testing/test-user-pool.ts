/** A generated user pool in memory: keys, clients, tokens. Everything is synchronous. */
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
import { createKeyRing, type KeyRing, listPublishedKeys, rotateKeyRing } from './key-ring.ts'
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
  /** Default: generated, of the region `xx-local-1`, which exists nowhere. */
  readonly userPoolId?: string
  /** Default: one client, `test-client`, with every scope of the resource servers. */
  readonly clients?: readonly TestClient[]
  /** At most 25. Where there are any, clients may only have their scopes. Default none. */
  readonly resourceServers?: readonly (ResourceServerDefinition | DefinedScopes)[]
  /**
   * Regions of replicas, as the option `regions` of an API: one to four of the pool's partition, so it needs
   * a `userPoolId` of a real Region.
   *
   * @defaultValue None.
   */
  readonly regions?: readonly string[]
  /** Wall clock in milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** What every generated pool can do, in memory or over HTTP. */
export interface UserPoolAuthority {
  readonly userPoolId: string
  /** `iss` of its tokens. */
  readonly issuer: string
  readonly clients: readonly PoolClient[]
  /** Tokens that have to be refused. */
  readonly tampered: TamperedTokens
  /** The published key set: the ID key first, the access key second, older ones behind. */
  jwks(): { readonly keys: readonly PublishedKey[] }
  /** An access token as a client gets it for client credentials. */
  accessToken(options?: AccessTokenOptions): string
  /** An access token of a person who signed in. */
  userAccessToken(options?: UserAccessTokenOptions): string
  /** An ID token, signed with the pool's other key. */
  idToken(options?: UserTokenOptions): string
  /**
   * New keys for all further tokens. The old ones are dropped from the key set unless `keepOld`
   * (default false).
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` where the state file of a local pool cannot be written. The
   *   keys are what they were then.
   */
  rotateKeys(options?: { readonly keepOld?: boolean }): void
}

/** A generated user pool in memory. */
export interface TestUserPool extends UserPoolAuthority {
  /**
   * Every `iss` that an API accepts: the original and the updated form of the pool's Region, then those of
   * each replica. `accessToken({ claims: { iss } })` makes a token of any of them.
   */
  readonly issuers: readonly string[]
  /**
   * Options for the plugin or `createResourceServer`: this pool, all its clients, its keys as they
   * are now, no network. Call it again after `rotateKeys`.
   */
  options(): {
    readonly userPoolId: string
    readonly clientId: readonly string[]
    readonly regions?: readonly string[]
    readonly jwks: { readonly keys: readonly PublishedKey[] }
    readonly now?: () => number
  }
}

/** Checked options and what follows from them. */
export interface PoolDefinition {
  readonly userPoolId: string
  readonly clients: readonly PoolClient[]
  readonly resourceServers: readonly ResourceServerDefinition[]
  readonly now: (() => number) | undefined
}

const OPTION_NAMES = ['userPoolId', 'clients', 'resourceServers', 'now']

/** @param extra Members of the caller's own. */
export function readPoolDefinition(
  options: unknown,
  extra: readonly string[] = [],
): PoolDefinition {
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      'a generated user pool',
      'never runs under NODE_ENV=production: use a real user pool there',
    )
  }
  const members = readMembers(options, [...OPTION_NAMES, ...extra], '')
  const { userPoolId = generateUserPoolId(), resourceServers: given = [] } = members
  const resourceServers = readResourceServers(given, 'resourceServers')
  if (typeof userPoolId !== 'string' || !isValidPoolId(userPoolId)) {
    throw new OptionError(
      'userPoolId',
      `is ${describeValue(userPoolId)}: use "<region>_<letters and digits>", or leave it out to generate one`,
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
 * Keys and tokens of one pool under one issuer.
 *
 * @param onRotation Is called ahead of a rotation with the new keys; what it throws prevents it.
 */
export function createAuthority(
  { userPoolId, clients, now = Date.now }: PoolDefinition,
  issuer: string,
  keyRing: KeyRing = createKeyRing(),
  onRotation: (next: KeyRing) => void = () => {},
): UserPoolAuthority {
  let keys = keyRing

  function createIssueOptions({
    clientId,
    expiresIn,
  }: TestTokenOptions): IssueOptions & { client?: PoolClient } {
    const id = clientId ?? (clients[0] as PoolClient).clientId
    const client = clients.find((it) => it.clientId === id)
    return {
      issuer,
      clientId: id,
      now: Math.floor(now() / 1000),
      expiresIn: expiresIn ?? client?.accessTokenValidity ?? 3600,
      ...(client === undefined ? {} : { client }),
    }
  }

  function accessToken(options: AccessTokenOptions = {}, signer: PoolKey = keys.access): string {
    checkTokenOptions(options, ACCESS_TOKEN_OPTION_NAMES)
    const issued = createIssueOptions(options)
    const scopes = options.scopes ?? issued.client?.scopes ?? []
    return signToken(signer, createMachineClaims(issued, scopes), options)
  }

  return {
    userPoolId,
    issuer,
    clients,
    jwks: () => ({ keys: listPublishedKeys(keys).map(toPublishedKey) }),
    accessToken: (options) => accessToken(options),
    userAccessToken(options = {}) {
      checkTokenOptions(options, USER_ACCESS_TOKEN_OPTION_NAMES)
      return signToken(keys.access, createUserClaims(createIssueOptions(options), options), options)
    },
    idToken(options = {}) {
      checkTokenOptions(options, USER_TOKEN_OPTION_NAMES)
      return signToken(keys.id, createIdClaims(createIssueOptions(options), options), options)
    },
    rotateKeys({ keepOld = false } = {}) {
      const next = rotateKeyRing(keys, { keepOld })
      onRotation(next)
      keys = next
    },
    tampered: createTamperedTokens({
      accessToken,
      createForeignKey: () => {
        const [foreign] = createKeys(1, listPublishedKeys(keys)) as [PoolKey]
        return { ...foreign, kid: keys.access.kid }
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
 * Makes a user pool for tests: generated keys, no network, no AWS. The first one of a process makes
 * RSA keys (some 300 ms), each further one takes under 5 ms.
 *
 * ```ts
 * const pool = createTestUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
 * app.register(cognitoAuth, pool.options())
 * const authorization = `Bearer ${pool.accessToken()}`
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong option, and under `NODE_ENV=production`.
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
