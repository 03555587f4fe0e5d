/**
 * The issuer forms of one user pool, and where the keys of each are: from the pool ID and the Regions of
 * its replicas, or from the options `issuer` and `jwksUri`.
 */

import { deriveIssuers, findPartition, getRegion, type Partition } from './partitions.ts'
import { readSecureUrl } from './secure-url.ts'
import { type Members, OptionError, readStrings, show } from './validate.ts'

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
    if (jwksUri !== undefined) throw new OptionError(at('jwksUri'), NEEDS_ISSUER)
    return deriveForms(userPoolId, regions, at)
  }
  if (regions !== undefined) {
    throw new OptionError(
      at('regions'),
      'cannot be combined with issuer: list every issuer in issuer',
    )
  }
  const issuers = readStrings(issuer, at('issuer'), 'issuer')
  for (const it of issuers) checkIssuer(it, at('issuer'), !isOffline && jwksUri === undefined)
  if (jwksUri === undefined) return issuers.map((it) => toForm(it))
  return [{ issuer: issuers[0] as string, jwksUri: readJwksUri(jwksUri, issuers, isOffline, at) }]
}

/**
 * @param isFetched Keys are fetched from below it. If not, `http:` is no risk: the issuer is a name, which
 *   emulators such as LocalStack choose.
 */
export function checkIssuer(issuer: string, place: string, isFetched: boolean): void {
  readSecureUrl(issuer, place, isFetched ? undefined : () => true)
  if (FOREIGN_PART.test(issuer)) {
    throw new OptionError(
      place,
      'ends in a slash or has a query: remove it, iss is compared as exact text',
    )
  }
}

/** The issuer with the place that Cognito publishes its keys at. */
export function toForm(issuer: string): IssuerForm {
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
      `is ${show(userPoolId)}: a user pool id is "<region>_<letters and digits>", for example "eu-west-1_AbCdEfGhI"; set issuer for another partition`,
    )
  }
  const partition = findPartition(region)
  if (partition === undefined) {
    throw new OptionError(
      at('userPoolId'),
      `is of the Region ${show(region)}, which is in no known AWS partition: set issuer to the pool's issuer URL`,
    )
  }
  if (regions === undefined) return deriveIssuers(userPoolId, region, partition).map(toForm)
  return [region, ...readRegions(regions, region, partition, at('regions'))].flatMap((it) =>
    deriveIssuers(userPoolId, it, partition).map((issuer) => ({ ...toForm(issuer), region: it })),
  )
}

function readRegions(
  value: unknown,
  own: string,
  partition: Partition,
  place: string,
): readonly string[] {
  if (!Array.isArray(value)) {
    throw new OptionError(
      place,
      `is ${show(value)}: pass an array of Regions, for example ["us-west-2"]`,
    )
  }
  const regions = readStrings(value, place, 'Region')
  if (regions.length > MAX_REGIONS) {
    throw new OptionError(
      place,
      `has ${regions.length} entries: name at most ${MAX_REGIONS} Regions`,
    )
  }
  for (const [index, region] of regions.entries()) {
    const at = `${place}[${index}]`
    if (findPartition(region) !== partition) {
      throw new OptionError(
        at,
        `is ${show(region)}: pass a Region of the pool's own partition (${partition.name})`,
      )
    }
    if (region === own || regions.indexOf(region) < index) {
      throw new OptionError(
        at,
        `repeats ${show(region)}: remove it, the pool's own Region is always included`,
      )
    }
  }
  return regions
}

const NEEDS_ISSUER = 'needs a single issuer: set issuer to the one it belongs to'

function readJwksUri(
  value: unknown,
  issuers: readonly string[],
  isOffline: boolean,
  at: (member: string) => string,
): string {
  if (issuers.length !== 1) throw new OptionError(at('jwksUri'), NEEDS_ISSUER)
  if (isOffline) {
    throw new OptionError(
      at('jwksUri'),
      'cannot be combined with jwks, which holds all the keys there are: remove one, or pass jwks as { initial }',
    )
  }
  if (typeof value !== 'string') {
    throw new OptionError(at('jwksUri'), `is ${show(value)}: pass the URL of the key set`)
  }
  readSecureUrl(value, at('jwksUri'))
  return value
}
