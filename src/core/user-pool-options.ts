/** Validates one user pool's options and derives what the core runs on. */
import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier'
import type { JsonWebKeySet } from './key-set.ts'
import { importKeySet, type KeySet } from './key-set.ts'
import { OptionError, readMembers, readStrings, show } from './option-error.ts'
import { isLoopback, readSecureUrl } from './secure-url.ts'

/** Options of one user pool. */
export interface UserPoolOptions {
  /** For example `eu-west-1_AbCdEfGhI`. */
  readonly userPoolId: string
  /**
   * App clients that may call: one, several, or a lookup that is asked after the signature was
   * checked. `null` lets in any app client of this pool, and has to be said aloud.
   */
  readonly clientId: string | readonly string[] | ClientLookup | null
  /**
   * Who may call. Anyone who can sign up to a pool gets an access token, so users are refused
   * unless `'any'` is said aloud. Default `'machine'`.
   */
  readonly subjects?: 'machine' | 'any'
  /**
   * The exact `iss` of accepted tokens. Default: both forms Cognito uses for the pool. Set it for
   * other partitions or a local pool; it has to be https, or http on loopback.
   */
  readonly issuer?: string | readonly string[]
  /** Where the key set is; needs a single `issuer`. Default `${issuer}/.well-known/jwks.json`. */
  readonly jwksUri?: string
  /**
   * Keys given instead of fetched. A plain key set is offline: the only keys there are, never
   * refreshed. `{ initial }` is used until the first good fetch, for cold starts.
   */
  readonly jwks?: JsonWebKeySet | { readonly initial: JsonWebKeySet }
}

/**
 * Decides whether an app client may call. Only `true` lets it in. Answers are cached (60 s yes, 10 s
 * no by default); one that throws, rejects or takes over 3 s is answered with 503.
 */
export type ClientLookup = (clientId: string) => boolean | Promise<boolean>

/** Keys that came with the options, imported. */
export interface GivenKeys {
  readonly keySet: KeySet
  /** They are the only ones there are; else they hold until the first good fetch. */
  readonly offline: boolean
}

/** A pool after validation. */
export interface UserPool {
  readonly userPoolId: string
  readonly clientIds: ReadonlySet<string> | undefined
  readonly lookup: ClientLookup | undefined
  readonly machinesOnly: boolean
  readonly issuers: readonly { readonly issuer: string; readonly jwksUri: string }[]
  readonly given: GivenKeys | undefined
  /** A generated pool of the region that exists nowhere. */
  readonly local: boolean
}

/** The members of {@link UserPoolOptions}. */
export const USER_POOL_MEMBERS: readonly string[] = [
  ...['userPoolId', 'clientId', 'subjects', 'issuer', 'jwksUri', 'jwks'],
]
/** Fits AWS's pattern and exists nowhere: the ids of generated pools begin with it. */
const LOCAL_REGION = 'xx-local-1_'

/** @param place `''` or the path of the pool in the options, for messages. */
export function readUserPool(value: unknown, place: string): UserPool {
  const at = (member: string): string => (place === '' ? member : `${place}.${member}`)
  const members = readMembers(value, USER_POOL_MEMBERS, place)
  const { userPoolId, subjects = 'machine' } = members
  if (typeof userPoolId !== 'string' || userPoolId === '') {
    throw new OptionError(at('userPoolId'), `is ${show(userPoolId)}: pass the id of the user pool`)
  }
  if (subjects !== 'machine' && subjects !== 'any') {
    throw new OptionError(at('subjects'), `is ${show(subjects)}: use 'machine' or 'any'`)
  }
  const issuers = readIssuers(members['issuer'], userPoolId, at)
  const pool = {
    userPoolId,
    ...readClients(members['clientId'], at('clientId')),
    machinesOnly: subjects === 'machine',
    issuers: readJwksUri(members['jwksUri'], issuers, members['issuer'] !== undefined, at),
    given: readJwks(members['jwks'], at('jwks')),
    local: userPoolId.startsWith(LOCAL_REGION),
  }
  if (pool.local) checkLocal(pool, at('userPoolId'))
  return pool
}

function readClients(value: unknown, place: string): Pick<UserPool, 'clientIds' | 'lookup'> {
  if (value === null) return { clientIds: undefined, lookup: undefined }
  if (value === undefined) {
    throw new OptionError(
      place,
      'is missing: name the app clients that may call, or pass null for any app client of the pool',
    )
  }
  if (typeof value === 'function') return { clientIds: undefined, lookup: value as ClientLookup }
  return { clientIds: new Set(readStrings(value, place, 'app client id')), lookup: undefined }
}

function readIssuers(
  value: unknown,
  userPoolId: string,
  at: (member: string) => string,
): readonly string[] {
  if (value !== undefined) {
    const issuers = readStrings(value, at('issuer'), 'issuer')
    for (const issuer of issuers) readSecureUrl(issuer, at('issuer'))
    return issuers
  }
  try {
    const { issuer } = CognitoJwtVerifier.parseUserPoolId(userPoolId)
    const updated = issuer.replace('https://', 'https://issuer-')
    return [issuer, CognitoJwtVerifier.parseUserPoolId(userPoolId, updated).issuer]
  } catch {
    throw new OptionError(
      at('userPoolId'),
      `is ${show(userPoolId)}: a user pool id is "<region>_<letters and digits>", for example "eu-west-1_AbCdEfGhI"; set issuer for another partition`,
    )
  }
}

function readJwksUri(
  value: unknown,
  issuers: readonly string[],
  explicit: boolean,
  at: (member: string) => string,
): UserPool['issuers'] {
  if (value === undefined) {
    return issuers.map((issuer) => ({
      issuer,
      jwksUri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
    }))
  }
  if (!explicit || issuers.length !== 1) {
    throw new OptionError(
      at('jwksUri'),
      'needs a single issuer: set issuer to the one it belongs to',
    )
  }
  if (typeof value !== 'string') {
    throw new OptionError(at('jwksUri'), `is ${show(value)}: pass the URL of the key set`)
  }
  readSecureUrl(value, at('jwksUri'))
  return [{ issuer: issuers[0] as string, jwksUri: value }]
}

function readJwks(value: unknown, place: string): UserPool['given'] {
  if (value === undefined) return undefined
  const offline = !(typeof value === 'object' && value !== null && 'initial' in value)
  const jwks = offline ? value : readMembers(value, ['initial'], place)['initial']
  const keySet = importKeySet(jwks)
  if (keySet === undefined) {
    throw new OptionError(
      offline ? place : `${place}.initial`,
      `is ${show(jwks)} without a usable key: pass { keys: […] } with public RSA keys of at least 2048 bits for RS256`,
    )
  }
  return { keySet, offline }
}

/** Tokens of a local pool are anybody's: whoever runs one makes them. */
function checkLocal(pool: UserPool, place: string): void {
  const here = pool.issuers.every(
    ({ issuer, jwksUri }) => isLoopback(new URL(issuer)) && isLoopback(new URL(jwksUri)),
  )
  if (!here && pool.given?.offline !== true) {
    throw new OptionError(
      place,
      'is a local pool: set its loopback issuer, or pass its keys as jwks',
    )
  }
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      place,
      'is a local pool, which is never accepted under NODE_ENV=production: set a real user pool',
    )
  }
}
