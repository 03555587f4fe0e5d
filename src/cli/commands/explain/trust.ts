/** Whose tokens a token is held against, and where their keys are. */
import {
  checkIssuer,
  type IssuerForm,
  readUserPool,
  toForm,
} from '../../../core/options/user-pool.ts'
import { OptionError } from '../../../core/options/validate.ts'

/** One form of an issuer. */
export type TrustedIssuer = Pick<IssuerForm, 'issuer' | 'jwksUri'>

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
  /** Regions of the pool's replicas. */
  readonly regions?: readonly string[]
  readonly issuer?: string
  /** A file or an address with the key set, where it is not the issuer's own. */
  readonly jwks?: string
  readonly offline?: true
}

/** Stands for an issuer that can be no pool's. */
const NOWHERE = 'https://nowhere.invalid'
/** What may be a host of Cognito with a pool ID: the forms that follow from the ID tell whether it is. */
const COGNITO = /^https:\/\/(?:issuer-)?cognito-idp\.[a-z0-9.-]+\/([^/]+)$/

/**
 * Reads the flags. An issuer that only the token names is asked where it has Cognito's own host form:
 * any other URL is the choice of whoever made the token.
 *
 * @param claimed `iss` of the token.
 * @throws {OptionError}
 */
export function trustOf(
  { pool, regions, issuer, jwks, offline }: TrustFlags,
  claimed: unknown,
): Trust {
  const silent = offline === true ? { silent: 'no request was made (--offline)' } : {}
  const isFetched = jwks === undefined
  if (regions !== undefined && pool === undefined) {
    throw new OptionError('--region', 'names a replica of a pool: name the pool with --pool')
  }
  if (issuer !== undefined) {
    checkIssuer(issuer, '--issuer', isFetched)
    return { issuers: [toForm(issuer)], isNamed: true, ...silent }
  }
  if (pool !== undefined) {
    return { issuers: claimedFirst(formsOf(pool, regions), claimed), isNamed: true, ...silent }
  }
  const text = typeof claimed === 'string' ? claimed : NOWHERE
  const own = ownForms(text)
  if (own !== undefined) return { issuers: claimedFirst(own, text), isNamed: false, ...silent }
  const reason =
    "the issuer is not of Cognito's own host form, so nothing is asked of it: name --jwks, --pool or --issuer"
  const known = isIssuer(text, isFetched) ? text : NOWHERE
  return { issuers: [toForm(known)], isNamed: false, silent: reason }
}

/** Both forms Cognito uses for the pool of `--pool`, the original first; those of its replicas behind. */
export function formsOf(userPoolId: string, regions?: readonly string[]): readonly TrustedIssuer[] {
  try {
    const replicas = regions === undefined ? {} : { regions }
    const { issuers } = readUserPool({ userPoolId, clientId: null, ...replicas }, '')
    // One list, whose next form is asked where a form before is not the pool's.
    return issuers.map(({ issuer, jwksUri }) => ({ issuer, jwksUri }))
  } catch (error) {
    const { option, problem } = error as OptionError
    const isRegion = option.startsWith('regions')
    throw new OptionError(
      isRegion ? '--region' : '--pool',
      problem.replace('set issuer', 'use --issuer'),
    )
  }
}

/**
 * The forms of the pool an issuer names, of which it has to be one exactly; undefined where it is not. Those
 * of replicas are not among them: only the person knows whether the pool has any.
 */
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

function isIssuer(text: string, isFetched: boolean): boolean {
  try {
    checkIssuer(text, 'iss', isFetched)
    return true
  } catch {
    return false
  }
}
