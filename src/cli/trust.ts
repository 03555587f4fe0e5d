/** Whose tokens a token is held against, and where their keys are. */
import { OptionError } from '../core/option-error.ts'
import { readSecureUrl } from '../core/secure-url.ts'
import { readUserPool } from '../core/user-pool-options.ts'

/** One form of an issuer. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly jwksUri: string
}

/** See the module. */
export interface Trust {
  /** The one to ask first comes first. */
  readonly issuers: readonly TrustedIssuer[]
  /** The issuers were named by the person, not by the token. */
  readonly isNamed: boolean
  /** Why no keys may be asked for there; undefined where they may. */
  readonly silent?: string
}

/** What names them. */
export interface TrustFlags {
  readonly pool?: string
  readonly issuer?: string
  readonly offline?: true
}

/** Stands for an issuer that can be no pool's. */
const NOWHERE = 'https://nowhere.invalid'
/** Cognito's own hosts; whether the rest is a pool of theirs is told by its id. */
const COGNITO = /^https:\/\/(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com\/([^/]+)$/

/**
 * Reads the flags. An issuer that only the token names is asked where it has Cognito's own host form:
 * any other URL is the choice of whoever made the token.
 *
 * @param claimed `iss` of the token.
 * @throws {OptionError}
 */
export function trustOf({ pool, issuer, offline }: TrustFlags, claimed: unknown): Trust {
  const silent = offline === true ? { silent: 'no request was made (--offline)' } : {}
  if (issuer !== undefined) {
    readSecureUrl(issuer, '--issuer')
    return { issuers: [wellKnown(issuer)], isNamed: true, ...silent }
  }
  if (pool !== undefined) {
    return { issuers: claimedFirst(formsOf(pool), claimed), isNamed: true, ...silent }
  }
  const text = typeof claimed === 'string' ? claimed : NOWHERE
  const own = ownForms(text)
  if (own !== undefined) return { issuers: claimedFirst(own, text), isNamed: false, ...silent }
  const reason =
    "the issuer is not of Cognito's own host form, so nothing is asked of it: name --jwks, --pool or --issuer"
  const known = isUrl(text) ? text : NOWHERE
  return { issuers: [wellKnown(known)], isNamed: false, silent: reason }
}

function wellKnown(issuer: string): TrustedIssuer {
  return { issuer, jwksUri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json` }
}

/** Both forms Cognito uses for the pool of `--pool`, the original first. */
export function formsOf(userPoolId: string): readonly TrustedIssuer[] {
  try {
    return readUserPool({ userPoolId, clientId: null }, '').issuers
  } catch (error) {
    const { problem } = error as OptionError
    throw new OptionError('--pool', problem.replace('set issuer', 'use --issuer'))
  }
}

/** The forms of the pool an issuer names; undefined where it is not exactly one of them. */
function ownForms(issuer: string): readonly TrustedIssuer[] | undefined {
  const [, userPoolId] = COGNITO.exec(issuer) ?? []
  if (userPoolId === undefined) return undefined
  try {
    const forms = formsOf(userPoolId)
    return forms.some((form) => form.issuer === issuer) ? forms : undefined
  } catch {
    return undefined
  }
}

function claimedFirst(
  issuers: readonly TrustedIssuer[],
  claimed: unknown,
): readonly TrustedIssuer[] {
  return issuers.toSorted((a, b) => Number(b.issuer === claimed) - Number(a.issuer === claimed))
}

function isUrl(text: string): boolean {
  try {
    readSecureUrl(text, 'iss')
    return true
  } catch {
    return false
  }
}
