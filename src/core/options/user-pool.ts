/** Validates one user pool's options and derives what the core runs on. */

import { importKeySet, type JsonWebKeySet, type KeySet } from '../keys/jwk.ts'
import { readAudience } from '../token/claims.ts'
import { type IssuerForm, readIssuerForms } from './issuer-forms.ts'
import { checkLocalPool, findLocalOption } from './local-pool.ts'
import { OptionError, readClientIds, readMembers, show } from './validate.ts'

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
   * This API's identifiers, for users' tokens (`subjects: 'any'`). Default: `resourceMetadata.resource`;
   * `null` turns that off. With an audience, the `aud` of a user's token has to contain one of these
   * values (RFC 8707, RFC 7519 section 4.1.3); the app client's id does not count. Without one, `aud`
   * has to be absent or the app client's id, as it always has to be in a machine's token. Values are
   * compared as exact strings. A token for another audience is rejected with `ERR_TOKEN_AUDIENCE`.
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
   * Where the key set is; needs a single `issuer`, and cannot be combined with a plain `jwks`. Default
   * `${issuer}/.well-known/jwks.json`. https, or http on loopback.
   */
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
  /** Undefined: the server's default. Null: none. */
  readonly audience: ReadonlySet<string> | null | undefined
  readonly issuers: readonly IssuerForm[]
  readonly given: GivenKeys | undefined
  /** A generated pool of the Region that exists nowhere: by its ID, its issuer or its key set's URL. */
  readonly local: boolean
}

/** The members of {@link UserPoolOptions}. */
export const USER_POOL_MEMBERS: readonly string[] = [
  ...['userPoolId', 'clientId', 'subjects', 'audience', 'issuer', 'regions', 'jwksUri', 'jwks'],
]

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
  const given = readJwks(members['jwks'], at('jwks'))
  const isOffline = given?.offline === true
  const issuers = readIssuerForms(members, { userPoolId, isOffline }, at)
  const facts = { userPoolId, issuers, isOffline }
  const localOption = findLocalOption(facts)
  if (localOption !== undefined) checkLocalPool(facts, localOption, at(localOption))
  return {
    userPoolId,
    ...readClients(members['clientId'], at('clientId')),
    machinesOnly: subjects === 'machine',
    audience: readAudience(members['audience'], at('audience')),
    issuers,
    given,
    local: localOption !== undefined,
  }
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
  return { clientIds: new Set(readClientIds(value, place)), lookup: undefined }
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
