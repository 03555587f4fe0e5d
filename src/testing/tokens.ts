/** Creates tokens with the fields of Cognito's tokens. Tests can change every field. */
import { randomUUID, sign } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../core/options/validate.ts'
import type { Scope } from '../core/scopes.ts'
import type { PoolKey } from './key-material.ts'

/** Options of every token. */
export interface TestTokenOptions {
  /**
   * App client of the token. An ID outside the pool creates the token of an unknown client.
   *
   * @defaultValue The first client of the pool
   */
  readonly clientId?: string
  /**
   * Lifetime in whole seconds from now. Negative for an expired token.
   *
   * @defaultValue `accessTokenValidity` of the client, or 3600
   */
  readonly expiresIn?: number
  /** Claims to add or replace. `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header parameters to add or replace. `undefined` removes one. The signature stays RS256. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** Options of an app client's access token. */
export interface AccessTokenOptions extends TestTokenOptions {
  /**
   * One scope or several. The client does not need to have them.
   *
   * @defaultValue The scopes of the client
   */
  readonly scopes?: Scope | readonly Scope[]
}

/** Options of a user's token. */
export interface UserTokenOptions extends TestTokenOptions {
  /**
   * Becomes `username`, in ID tokens `cognito:username`.
   *
   * @defaultValue `'test-user'`
   */
  readonly username?: string
}

/** Options of a user's access token. */
export interface UserAccessTokenOptions extends UserTokenOptions {
  /**
   * One scope or several.
   *
   * @defaultValue `'aws.cognito.signin.user.admin'`
   */
  readonly scopes?: Scope | readonly Scope[]
  /**
   * Identifier of the API that the token is bound to: becomes `aud`.
   *
   * @defaultValue None
   * @see https://www.rfc-editor.org/rfc/rfc8707
   */
  readonly resource?: string
  /**
   * Groups of the user: becomes `cognito:groups`.
   *
   * @defaultValue None
   */
  readonly groups?: readonly string[]
}

/** Issuer, client and times of a token. */
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
/** Option names of each kind of token. */
export const ACCESS_TOKEN_OPTION_NAMES: readonly string[] = [...TOKEN_OPTION_NAMES, 'scopes']
export const USER_TOKEN_OPTION_NAMES: readonly string[] = [...TOKEN_OPTION_NAMES, 'username']
export const USER_ACCESS_TOKEN_OPTION_NAMES: readonly string[] = [
  ...USER_TOKEN_OPTION_NAMES,
  'scopes',
  'groups',
  'resource',
]

/**
 * Rejects unknown options: a misspelled option would create a valid token where the test needs an invalid one.
 * An undefined option counts as absent, because test helpers often pass options through.
 */
export function checkTokenOptions(options: TestTokenOptions, allowed: readonly string[]): void {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  const { expiresIn = 0 } = readMembers(
    Object.fromEntries(entries),
    allowed,
    '',
  ) as TestTokenOptions
  if (!Number.isSafeInteger(expiresIn)) {
    throw new OptionError(
      'expiresIn',
      `expected a whole number of seconds, got ${describeValue(expiresIn)}. Use a negative number for an expired token.`,
    )
  }
}

/** Creates the claims of an app client's access token, in Cognito's order. */
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

/** Creates the claims of a user's access token. */
export function createUserClaims(
  issueOptions: IssueOptions,
  options: UserAccessTokenOptions,
): Fields {
  const { username = 'test-user', groups, scopes = 'aws.cognito.signin.user.admin' } = options
  const { resource } = options
  if (resource !== undefined && (typeof resource !== 'string' || resource === '')) {
    throw new OptionError(
      'resource',
      `expected the identifier of an API, got ${describeValue(resource)}. Pass a non-empty string.`,
    )
  }
  const machine = createMachineClaims(issueOptions, scopes)
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

/** Creates the claims of a user's ID token, which has `aud` but neither `client_id` nor `scope`. */
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

/** An expired token was issued one hour before its expiry. */
function getIssueTimes(now: number, expiresIn: number): { iat: number; exp: number } {
  const exp = now + expiresIn
  return { iat: expiresIn > 0 ? now : exp - 3600, exp }
}

/** Signs with the key and RS256, whatever the header contains. */
export function signToken(key: PoolKey, claims: Fields, options: TestTokenOptions = {}): string {
  const header = { kid: key.kid, alg: 'RS256', ...options.header }
  const input = `${encodeJson(header)}.${encodeJson({ ...claims, ...options.claims })}`
  return `${input}.${sign('sha256', Buffer.from(input), key.pair.privateKey).toString('base64url')}`
}

export function encodeJson(fields: Fields): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}
