/** What a test pool is made of, checked as strictly as Cognito would and copied from the caller. */
import type { DefinedScopes, ResourceServer } from '../core/scopes.ts'
import type { ResolvedTestClient, TestClient } from './test-clients.ts'
import { randomInt } from 'node:crypto'
import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier'
import { OptionError, readFunction, readMembers, show } from '../core/option-error.ts'
import { resourceServerOf } from '../core/scopes.ts'
import { readTestClients } from './test-clients.ts'

/** Fits AWS's pattern and exists nowhere. */
const LOCAL_REGION = 'xx-local-1_'
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const ID_LENGTH = 9
/** Cognito's limit for a pool. */
const MAX_RESOURCE_SERVERS = 25

/** What a test pool is made of. */
export interface TestUserPoolOptions {
  /**
   * For example `xx-local-1_Ab12Cd34E`. Default: a random id of the region `xx-local-1`, which fits
   * AWS's pattern and exists nowhere.
   */
  readonly userPoolId?: string
  /** At least one. Default `[{ clientId: 'test-client' }]`. */
  readonly clients?: readonly TestClient[]
  /**
   * Where the scopes are defined; at most 25. If it is given, a client's scopes have to be defined
   * here, so a misspelt one is found. Default: none, and any well-formed scope passes.
   */
  readonly resourceServers?: readonly (ResourceServer | DefinedScopes)[]
  /** Wall clock in milliseconds since the epoch, for the times in tokens. Default `Date.now`. */
  readonly now?: () => number
}

/** A pool's definition after validation; nothing of it belongs to the caller. */
export interface PoolDefinition {
  readonly userPoolId: string
  readonly clients: readonly ResolvedTestClient[]
  readonly resourceServers: readonly ResourceServer[]
  readonly now: (() => number) | undefined
}

/** The members of {@link TestUserPoolOptions}. */
export const POOL_MEMBERS: readonly string[] = ['userPoolId', 'clients', 'resourceServers', 'now']

/** A pool id of the local region. */
export function localPoolId(): string {
  return randomPoolId(LOCAL_REGION)
}

/** Another pool id of the same region: what only an exact comparison tells apart. */
export function siblingPoolId(userPoolId: string): string {
  return randomPoolId(userPoolId.slice(0, userPoolId.indexOf('_') + 1))
}

function randomPoolId(prefix: string): string {
  const random = Array.from({ length: ID_LENGTH }, () => ALPHANUMERIC[randomInt(62)])
  return `${prefix}${random.join('')}`
}

/** The original Cognito form. */
export function issuerOf(userPoolId: string): string {
  return CognitoJwtVerifier.parseUserPoolId(userPoolId).issuer
}

/** The kit signs for whoever asks, so it stays out of where its tokens could be taken for real. */
export function refuseProduction(): void {
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      'NODE_ENV',
      'is "production": the local user pool never runs under NODE_ENV=production',
    )
  }
}

/** Refuses the id of a real region: a pool that answers over HTTP never wears a real pool's id. */
export function checkLocalPoolId(value: unknown): void {
  if (typeof value !== 'string' || !value.startsWith(LOCAL_REGION)) {
    throw new OptionError(
      'userPoolId',
      `is ${show(value)}: a local user pool never wears a real pool's id, begin it with "${LOCAL_REGION}" or leave it out`,
    )
  }
}

function readUserPoolId(value: unknown): string {
  if (value === undefined) return localPoolId()
  try {
    issuerOf(value as string)
    return value as string
  } catch {
    throw new OptionError(
      'userPoolId',
      `is ${show(value)}: use "<region>_<letters and digits>", for example "xx-local-1_Ab12Cd34E", or leave it out`,
    )
  }
}

function readResourceServers(value: unknown): readonly ResourceServer[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    throw new OptionError('resourceServers', `is ${show(value)}: pass an array`)
  }
  if (value.length > MAX_RESOURCE_SERVERS) {
    throw new OptionError(
      'resourceServers',
      `has ${value.length} entries: Cognito takes at most ${MAX_RESOURCE_SERVERS} a pool`,
    )
  }
  const seen = new Set<string>()
  return Array.from(value, (entry: unknown, index) => {
    const place = `resourceServers[${index}]`
    const server = resourceServerOf(entry, place)
    if (seen.has(server.identifier)) {
      throw new OptionError(
        `${place}.identifier`,
        `is ${show(server.identifier)} a second time: define all its scopes in one entry`,
      )
    }
    seen.add(server.identifier)
    return server
  })
}

/**
 * @param value What the caller passed.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the member and the fix.
 */
export function readPoolDefinition(value: unknown): PoolDefinition {
  const members = readMembers(value, POOL_MEMBERS, '')
  const userPoolId = readUserPoolId(members['userPoolId'])
  const now = readFunction<() => number>(members, 'now')
  const resourceServers = readResourceServers(members['resourceServers'])
  const defined = resourceServers.flatMap(({ identifier, scopes }) =>
    Object.keys(scopes).map((name) => `${identifier}/${name}`),
  )
  const clients = readTestClients(
    members['clients'],
    members['resourceServers'] === undefined ? undefined : defined,
  )
  return Object.freeze({ userPoolId, clients, resourceServers, now })
}
