/** Validates the options of one user pool, and derives its issuers and key set URLs. */
import { importKeySet, type JsonWebKeySet, type KeySet } from '../keys/jwk.ts'
import { readAudience } from '../token/claims.ts'
import {
  deriveIssuers,
  findPartition,
  getRegion,
  LOCAL_REGION,
  type Partition,
} from './partitions.ts'
import { isLoopback, readSecureUrl } from './secure-url.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readClientIds,
  readMembers,
  readStrings,
} from './validate.ts'

/** One issuer whose tokens are accepted. */
export interface IssuerForm {
  readonly issuer: string
  readonly jwksUri: string
  /** Only with the option `regions`: the Region whose form it is. */
  readonly region?: string
}

/** Replicas of a pool. Cognito has one; more leave room for moving it. Bounds what a start fetches. */
const MAX_REGIONS = 4

/** RFC 8414 section 2 allows no query and no fragment; Cognito's issuers end in the pool ID. */
const FOREIGN_PART = /[?#]|\/$/

/**
 * The original form of the pool's own Region comes first.
 *
 * @param pool `isOffline`: all keys are in the options, none are fetched.
 */
export function readIssuerForms(
  { issuer, regions, jwksUri }: Members,
  { userPoolId, isOffline }: { readonly userPoolId: string; readonly isOffline: boolean },
  at: (member: string) => string,
): readonly IssuerForm[] {
  if (issuer === undefined) {
    if (jwksUri !== undefined) throw createJwksUriError(at('jwksUri'), 0)
    return deriveForms(userPoolId, regions, at)
  }
  if (regions !== undefined) {
    throw new OptionError(
      at('regions'),
      'expected no regions with issuer, got both. Remove regions, and list every issuer in issuer.',
    )
  }
  const issuers = readStrings(issuer, at('issuer'), 'issuer')
  for (const it of issuers) checkIssuer(it, at('issuer'), !isOffline && jwksUri === undefined)
  if (jwksUri === undefined) return issuers.map((it) => toIssuerForm(it))
  return [{ issuer: issuers[0] as string, jwksUri: readJwksUri(jwksUri, issuers, isOffline, at) }]
}

/**
 * @param isFetched Keys are fetched from below it. If not, `http:` is no risk: the issuer is a name, which
 *   emulators such as LocalStack choose.
 */
export function checkIssuer(issuer: string, optionPath: string, isFetched: boolean): void {
  readSecureUrl(issuer, optionPath, isFetched ? undefined : () => true)
  if (FOREIGN_PART.test(issuer)) {
    // The value is not shown: a query may contain a secret.
    const part = issuer.includes('?') ? 'a query' : 'a trailing slash'
    throw new OptionError(
      optionPath,
      `expected an issuer without a query or a trailing slash, got one with ${part}. Remove it: iss is compared as exact text.`,
    )
  }
}

/** The issuer with the URL at which Cognito publishes its key set. */
export function toIssuerForm(issuer: string): IssuerForm {
  return { issuer, jwksUri: `${issuer}/.well-known/jwks.json` }
}

function deriveForms(
  userPoolId: string,
  regions: unknown,
  at: (member: string) => string,
): readonly IssuerForm[] {
  const region = getRegion(userPoolId)
  if (region === undefined) {
    throw new OptionError(
      at('userPoolId'),
      `expected "<region>_<letters and digits>", for example "eu-west-1_AbCdEfGhI", got ${describeValue(userPoolId)}. Copy the user pool id from the Cognito console, or set issuer.`,
    )
  }
  const partition = findPartition(region)
  if (partition === undefined) {
    throw new OptionError(
      at('userPoolId'),
      `expected a Region of a known AWS partition, got ${describeValue(region)}. Set issuer to the issuer URL of the user pool.`,
    )
  }
  if (regions === undefined) return deriveIssuers(userPoolId, region, partition).map(toIssuerForm)
  return [region, ...readRegions(regions, region, partition, at('regions'))].flatMap((it) =>
    deriveIssuers(userPoolId, it, partition).map((issuer) => ({
      ...toIssuerForm(issuer),
      region: it,
    })),
  )
}

function readRegions(
  value: unknown,
  homeRegion: string,
  partition: Partition,
  optionPath: string,
): readonly string[] {
  if (!Array.isArray(value)) {
    throw new OptionError(
      optionPath,
      `expected an array of Regions, for example ["us-west-2"], got ${describeValue(value)}. Pass an array.`,
    )
  }
  const regions = readStrings(value, optionPath, 'Region')
  if (regions.length > MAX_REGIONS) {
    throw new OptionError(
      optionPath,
      `expected at most ${MAX_REGIONS} Regions, got ${regions.length}. Remove the others.`,
    )
  }
  for (const [index, region] of regions.entries()) {
    const at = `${optionPath}[${index}]`
    if (findPartition(region) !== partition) {
      throw new OptionError(
        at,
        `expected a Region of the user pool's partition ${partition.name}, got ${describeValue(region)}. Use a Region of this partition.`,
      )
    }
    if (region === homeRegion || regions.indexOf(region) < index) {
      throw new OptionError(
        at,
        `expected each Region once, got ${describeValue(region)} again. Remove it: the Region of the user pool is always included.`,
      )
    }
  }
  return regions
}

/** A key set belongs to one issuer. */
function createJwksUriError(optionPath: string, issuerCount: number): OptionError {
  return new OptionError(
    optionPath,
    `expected exactly one issuer with jwksUri, got ${issuerCount}. Set issuer to the issuer of this key set.`,
  )
}

function readJwksUri(
  value: unknown,
  issuers: readonly string[],
  isOffline: boolean,
  at: (member: string) => string,
): string {
  if (issuers.length !== 1) throw createJwksUriError(at('jwksUri'), issuers.length)
  if (isOffline) {
    throw new OptionError(
      at('jwksUri'),
      'expected no jwksUri with jwks, got both. Remove one of them, or pass the keys as jwks.initial.',
    )
  }
  if (typeof value !== 'string') {
    throw new OptionError(
      at('jwksUri'),
      `expected the URL of the key set, got ${describeValue(value)}. Pass a string.`,
    )
  }
  readSecureUrl(value, at('jwksUri'))
  return value
}

/** What identifies a local pool. */
interface LocalPoolFacts {
  readonly userPoolId: string
  readonly issuers: readonly IssuerForm[]
  /** All keys are in the options. */
  readonly isOffline: boolean
}

/** The option that names a local pool; undefined if none does. */
function findLocalOption({
  userPoolId,
  issuers,
}: LocalPoolFacts): 'userPoolId' | 'issuer' | 'jwksUri' | undefined {
  if (isLocal(userPoolId)) return 'userPoolId'
  if (issuers.some(({ issuer }) => isLocal(issuer))) return 'issuer'
  return issuers.some(({ jwksUri }) => isLocal(jwksUri)) ? 'jwksUri' : undefined
}

/** Servers may decode a path and ignore its case, so spelling it differently must not hide the ID. */
function isLocal(text: string): boolean {
  let decoded = text
  let encoded: string
  do {
    encoded = decoded
    decoded = encoded.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  } while (decoded !== encoded)
  return decoded.toLowerCase().includes(`${LOCAL_REGION}_`)
}

/** @throws {OptionError} for a local pool in production, and for one that is not on this machine. */
function checkLocalPool({ issuers, isOffline }: LocalPoolFacts, optionPath: string): void {
  const isHere = issuers.every(
    ({ issuer, jwksUri }) => isLoopback(new URL(issuer)) && isLoopback(new URL(jwksUri)),
  )
  if (!isHere && !isOffline) {
    throw new OptionError(
      optionPath,
      'expected a user pool in AWS, got a local one whose issuer is not on this machine. Set its loopback issuer, or pass its keys as jwks.',
    )
  }
  if (process.env['NODE_ENV'] === 'production') {
    throw new OptionError(
      optionPath,
      'expected a user pool in AWS under NODE_ENV=production, got a local one. Set the id of the user pool in AWS.',
    )
  }
}

/** Options of one user pool. */
export interface UserPoolOptions {
  /** ID of the user pool, for example `eu-west-1_AbCdEfGhI`. */
  readonly userPoolId: string
  /**
   * App clients that may call: one, several, or a lookup that is called after the signature check. `null`
   * allows every app client of this pool, and has to be passed explicitly.
   */
  readonly clientId: string | readonly string[] | ClientLookup | null
  /**
   * Whose tokens are accepted. Anyone who can sign up to a pool gets an access token, so users' tokens are
   * rejected unless `'any'` is passed explicitly.
   *
   * @defaultValue `'machine'`
   */
  readonly subjects?: 'machine' | 'any'
  /**
   * Identifiers of this API, for users' tokens (`subjects: 'any'`). With an audience, the `aud` of a user's
   * token has to contain one of these values (RFC 8707, RFC 7519 section 4.1.3). The app client ID does not
   * count. Without one, `aud` has to be absent or the app client ID, as it always has to be in a machine's
   * token. Values are compared as exact strings. A token for another audience is rejected with
   * `ERR_TOKEN_AUDIENCE`.
   *
   * @defaultValue `resourceMetadata.resource`; `null` turns that off.
   */
  readonly audience?: string | readonly string[] | null
  /**
   * The exact `iss` of accepted tokens: one URL or several, without a trailing slash, query or fragment.
   * Each has to be https, or http on loopback; any http where no keys are fetched from it (with a plain
   * `jwks`, or with `jwksUri`).
   *
   * @defaultValue Both forms that Cognito uses for the pool, with the domain of its AWS partition. A Region
   *   of no known partition has no default.
   */
  readonly issuer?: string | readonly string[]
  /**
   * Regions of the pool's replicas, for example `['us-west-2']`: one to four of the pool's partition, without
   * its own Region. Tokens with the issuer forms of these Regions are accepted too. Cannot be combined with
   * `issuer`.
   *
   * @defaultValue None: only the forms of the pool's own Region.
   */
  readonly regions?: readonly string[]
  /**
   * URL of the key set: https, or http on loopback. Requires a single `issuer`, and cannot be combined with a
   * plain `jwks`.
   *
   * @defaultValue `${issuer}/.well-known/jwks.json`
   */
  readonly jwksUri?: string
  /**
   * Keys from the options. A plain key set is offline: it is used alone and never refreshed. `{ initial }` is
   * used until the first successful fetch, for cold starts.
   *
   * @defaultValue None: keys are fetched.
   */
  readonly jwks?: JsonWebKeySet | { readonly initial: JsonWebKeySet }
}

/**
 * Decides whether an app client may call: only if it returns `true`. Results are cached, by default `true` for
 * 60 s and `false` for 10 s. If it throws, rejects or takes longer than 3 s, the response is 503.
 */
export type ClientLookup = (clientId: string) => boolean | Promise<boolean>

/** Imported keys from the options. */
export interface StaticKeys {
  readonly keySet: KeySet
  /** No others are ever fetched. If false, they are used until the first successful fetch. */
  readonly isOffline: boolean
}

/** A pool after validation. */
export interface UserPool {
  readonly userPoolId: string
  readonly clientIds: ReadonlySet<string> | undefined
  readonly lookup: ClientLookup | undefined
  readonly machinesOnly: boolean
  /** Undefined: the server's default. Null: none. */
  readonly audience: ReadonlySet<string> | null | undefined
  readonly issuers: readonly IssuerForm[]
  readonly staticKeys: StaticKeys | undefined
  /** A generated pool of the Region that exists nowhere: by its ID, its issuer or its key set's URL. */
  readonly local: boolean
}

/** The members of {@link UserPoolOptions}. */
export const USER_POOL_MEMBERS: readonly string[] = [
  ...['userPoolId', 'clientId', 'subjects', 'audience', 'issuer', 'regions', 'jwksUri', 'jwks'],
]

/** @param optionPath Path of the pool in the options, for messages; `''` for the options themselves. */
export function readUserPool(value: unknown, optionPath: string): UserPool {
  const at = (member: string): string => (optionPath === '' ? member : `${optionPath}.${member}`)
  const members = readMembers(value, USER_POOL_MEMBERS, optionPath)
  const { userPoolId, subjects = 'machine' } = members
  if (typeof userPoolId !== 'string' || userPoolId === '') {
    throw new OptionError(
      at('userPoolId'),
      `expected the id of the user pool, got ${describeValue(userPoolId)}. Copy it from the Cognito console.`,
    )
  }
  if (subjects !== 'machine' && subjects !== 'any') {
    throw new OptionError(
      at('subjects'),
      `expected 'machine' or 'any', got ${describeValue(subjects)}. Use one of the two.`,
    )
  }
  const staticKeys = readJwks(members['jwks'], at('jwks'))
  const isOffline = staticKeys?.isOffline === true
  const issuers = readIssuerForms(members, { userPoolId, isOffline }, at)
  const facts = { userPoolId, issuers, isOffline }
  const localOption = findLocalOption(facts)
  if (localOption !== undefined) checkLocalPool(facts, at(localOption))
  return {
    userPoolId,
    ...readClients(members['clientId'], at('clientId')),
    machinesOnly: subjects === 'machine',
    audience: readAudience(members['audience'], at('audience')),
    issuers,
    staticKeys,
    local: localOption !== undefined,
  }
}

function readClients(value: unknown, optionPath: string): Pick<UserPool, 'clientIds' | 'lookup'> {
  if (value === null) return { clientIds: undefined, lookup: undefined }
  if (value === undefined) {
    throw new OptionError(
      optionPath,
      'expected app client ids, got undefined. List the app clients that may call, or pass null for every app client of the user pool.',
    )
  }
  if (typeof value === 'function') return { clientIds: undefined, lookup: value as ClientLookup }
  return { clientIds: new Set(readClientIds(value, optionPath)), lookup: undefined }
}

function readJwks(value: unknown, optionPath: string): UserPool['staticKeys'] {
  if (value === undefined) return undefined
  const isOffline = !(typeof value === 'object' && value !== null && 'initial' in value)
  const jwks = isOffline ? value : readMembers(value, ['initial'], optionPath)['initial']
  const keySet = importKeySet(jwks)
  if (keySet === undefined) {
    throw new OptionError(
      isOffline ? optionPath : `${optionPath}.initial`,
      `expected { keys: […] } with a public RSA key of at least 2048 bits for RS256, got ${describeValue(jwks)} without one. Pass the JWKS of the user pool.`,
    )
  }
  return { keySet, isOffline }
}
