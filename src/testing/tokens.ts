/** Makes tokens field for field as Cognito does, and lets a test change any field. */
import { randomUUID, sign } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../core/options/validate.ts'
import type { Scope } from '../core/scopes.ts'
import type { PoolKey } from './key-material.ts'

/** What a test may decide about any token. */
export interface TestTokenOptions {
  /** Default: the pool's first client. An ID that is not in the pool makes the token of an unknown client. */
  readonly clientId?: string
  /** Whole seconds from now; negative for an expired token. Default: the client's validity. */
  readonly expiresIn?: number
  /** Claims to add or replace; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header parameters to add or replace; `undefined` removes one. The signature stays RS256. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** What a test may decide about an access token. */
export interface AccessTokenOptions extends TestTokenOptions {
  /** One or several, granted or not. Default: the client's. */
  readonly scopes?: Scope | readonly Scope[]
}

/** What a test may decide about a user's token. */
export interface UserTokenOptions extends TestTokenOptions {
  /** Default `'test-user'`. */
  readonly username?: string
}

/** What a test may decide about a user's access token. */
export interface UserAccessTokenOptions extends UserTokenOptions {
  /** Default `'aws.cognito.signin.user.admin'`. */
  readonly scopes?: Scope | readonly Scope[]
  /** The API that the token is bound to (RFC 8707): becomes `aud`. Default: bound to none. */
  readonly resource?: string
  /** Becomes `cognito:groups`. */
  readonly groups?: readonly string[]
}

/** Who issues, and when. */
export interface IssueOptions {
  readonly issuer: string
  readonly clientId: string
  /** Epoch seconds. */
  readonly now: number
  /** Seconds. */
  readonly expiresIn: number
}

type Fields = Record<string, unknown>

const TOKEN_OPTION_NAMES = ['clientId', 'expiresIn', 'claims', 'header']
/** The members each kind of token takes. */
export const ACCESS_TOKEN_OPTION_NAMES: readonly string[] = [...TOKEN_OPTION_NAMES, 'scopes']
export const USER_TOKEN_OPTION_NAMES: readonly string[] = [...TOKEN_OPTION_NAMES, 'username']
export const USER_ACCESS_TOKEN_OPTION_NAMES: readonly string[] = [
  ...USER_TOKEN_OPTION_NAMES,
  'scopes',
  'groups',
  'resource',
]

/**
 * A misspelt option would make a token that is good where the test wants a bad one. An undefined one
 * counts as left out: tests often pass on what they were given.
 */
export function checkTokenOptions(options: TestTokenOptions, allowed: readonly string[]): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const { expiresIn = 0 } = readMembers(Object.fromEntries(given), allowed, '') as TestTokenOptions
  if (!Number.isSafeInteger(expiresIn)) {
    throw new OptionError(
      'expiresIn',
      `is ${describeValue(expiresIn)}: pass a whole number of seconds, negative for an expired token`,
    )
  }
}

/** The claims of a machine's access token, in Cognito's order. */
export function createMachineClaims(
  { issuer, clientId, now, expiresIn }: IssueOptions,
  scopes: string | readonly string[],
): Fields {
  const scope = typeof scopes === 'string' ? scopes : scopes.join(' ')
  const { iat, exp } = getIssueTimes(now, expiresIn)
  return {
    sub: clientId,
    token_use: 'access',
    ...(scope === '' ? {} : { scope }),
    auth_time: iat,
    iss: issuer,
    exp,
    iat,
    version: 2,
    jti: randomUUID(),
    client_id: clientId,
  }
}

/** The claims of a user's access token. */
export function createUserClaims(issuance: IssueOptions, options: UserAccessTokenOptions): Fields {
  const { username = 'test-user', groups, scopes = 'aws.cognito.signin.user.admin' } = options
  const { resource } = options
  if (resource !== undefined && (typeof resource !== 'string' || resource === '')) {
    throw new OptionError(
      'resource',
      `is ${describeValue(resource)}: pass the API's identifier, a string`,
    )
  }
  const machine = createMachineClaims(issuance, scopes)
  return {
    ...machine,
    sub: randomUUID(),
    ...(groups === undefined ? {} : { 'cognito:groups': groups }),
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    ...(resource === undefined ? {} : { aud: resource }),
    username,
  }
}

/** The claims of a user's ID token: an audience, no client, no scope. */
export function createIdClaims(
  { issuer, clientId, now, expiresIn }: IssueOptions,
  { username = 'test-user' }: UserTokenOptions,
): Fields {
  const { iat, exp } = getIssueTimes(now, expiresIn)
  return {
    sub: randomUUID(),
    iss: issuer,
    'cognito:username': username,
    origin_jti: randomUUID(),
    aud: clientId,
    event_id: randomUUID(),
    token_use: 'id',
    auth_time: iat,
    exp,
    iat,
    jti: randomUUID(),
  }
}

/** A token that expired was issued a lifetime before, never after its own end. */
function getIssueTimes(now: number, expiresIn: number): { iat: number; exp: number } {
  const exp = now + expiresIn
  return { iat: expiresIn > 0 ? now : exp - 3600, exp }
}

/** Signs with the key, whatever the header was changed to say. */
export function signToken(key: PoolKey, claims: Fields, options: TestTokenOptions = {}): string {
  const header = { kid: key.kid, alg: 'RS256', ...options.header }
  const input = `${encodeJson(header)}.${encodeJson({ ...claims, ...options.claims })}`
  return `${input}.${sign('sha256', Buffer.from(input), key.pair.privateKey).toString('base64url')}`
}

export function encodeJson(fields: Fields): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}
