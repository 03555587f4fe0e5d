/** Options that choose a token API: `tokenEndpoint` or `userPoolsApi`, exactly one of them, for one Region or two. */
import { findPartition, LOCAL_REGION } from '../../core/options/partitions.ts'
import { describeUrl, readServiceUrl } from '../../core/options/secure-url.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
} from '../../core/options/validate.ts'
import { createRegionalApis, type RegionalTokenApis } from './failover.ts'
import { createTokenEndpointApi, type TokenApi } from './protocol.ts'
import { COGNITO_PATH, readTokenEndpoint } from './token-endpoint.ts'
import { createUserPoolsApi } from './user-pools-api.ts'

/** A user pool has at most one replica. */
const MAX_REGIONS = 2

/** Where GetClientToken is called: exactly one member. */
export interface UserPoolsApiOptions {
  /** Region of the user pool, for example `eu-west-1`. Requests go to `https://cognito-idp.<region>.<suffix>`. */
  readonly region?: string
  /**
   * URL without a path: a VPC interface endpoint (AWS PrivateLink), a FIPS endpoint or a local pool; http on loopback
   * only, unless `insecureHttp`.
   */
  readonly endpoint?: string
}

/**
 * Reads `tokenEndpoint` or `userPoolsApi`, each for one Region or two.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for none, for both, and for an invalid one.
 */
export function readTokenApis(members: Members, insecureHttp: boolean): RegionalTokenApis {
  const { tokenEndpoint, userPoolsApi } = members
  if (userPoolsApi === undefined) {
    if (tokenEndpoint !== undefined) {
      return readRegions(tokenEndpoint, 'tokenEndpoint', (value, optionPath) =>
        createTokenEndpointApi(readTokenEndpoint(value, optionPath, insecureHttp).href),
      )
    }
    throw new OptionError(
      'tokenEndpoint',
      'expected tokenEndpoint or userPoolsApi, got undefined. Pass https://<domain>.auth.<region>.amazoncognito.com/oauth2/token, or userPoolsApi: { region }.',
    )
  }
  if (tokenEndpoint !== undefined) {
    throw new OptionError(
      'userPoolsApi',
      'expected tokenEndpoint or userPoolsApi, got both. Remove one of them.',
    )
  }
  return readRegions(userPoolsApi, 'userPoolsApi', (value, optionPath) =>
    createUserPoolsApi(readUserPoolsUrl(value, optionPath, insecureHttp)),
  )
}

/** Reads one value, or an array with one or two of them: the primary Region first. */
function readRegions(
  value: unknown,
  optionPath: string,
  read: (value: unknown, optionPath: string) => TokenApi,
): RegionalTokenApis {
  if (!Array.isArray(value)) return createRegionalApis(read(value, optionPath))
  if (value.length === 0 || value.length > MAX_REGIONS) {
    throw new OptionError(
      optionPath,
      `expected one Region or two, got ${value.length}. Pass [primary, secondary].`,
    )
  }
  const primary = read(value[0], `${optionPath}[0]`)
  if (value.length === 1) return createRegionalApis(primary)
  const secondary = read(value[1], `${optionPath}[1]`)
  if (secondary.url === primary.url) {
    throw new OptionError(
      `${optionPath}[1]`,
      'expected another Region than the first, got the same URL. Pass that of the secondary Region, or remove it.',
    )
  }
  return createRegionalApis(primary, secondary)
}

function readUserPoolsUrl(value: unknown, optionPath: string, insecureHttp: boolean): string {
  const members = readMembers(value, ['region', 'endpoint'], optionPath)
  const { region, endpoint } = members
  if ((region === undefined) === (endpoint === undefined)) {
    throw new OptionError(
      optionPath,
      `expected region or endpoint, got ${region === undefined ? 'none' : 'both'}. Pass for example { region: 'eu-west-1' }.`,
    )
  }
  if (endpoint === undefined) return deriveUserPoolsUrl(region, `${optionPath}.region`)
  return readUserPoolsEndpoint(endpoint, `${optionPath}.endpoint`, insecureHttp)
}

/**
 * Derives the URL of the user pools API in a Region.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a Region of no partition, and for that of local pools.
 */
export function deriveUserPoolsUrl(region: unknown, optionPath: string): string {
  const partition = typeof region === 'string' ? findPartition(region) : undefined
  if (partition !== undefined && region !== LOCAL_REGION) {
    return `https://cognito-idp.${region}.${partition.suffix}/`
  }
  throw new OptionError(
    optionPath,
    `expected a Region of AWS, got ${describeValue(region)}. Pass for example eu-west-1, or the URL of another endpoint.`,
  )
}

/**
 * Reads the URL of an endpoint of the user pools API.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for a token endpoint, a path, and a URL that is not secure.
 */
export function readUserPoolsEndpoint(
  value: unknown,
  optionPath: string,
  insecureHttp = false,
): string {
  if (typeof value !== 'string') {
    throw new OptionError(
      optionPath,
      `expected a URL as a string, got ${describeValue(value)}. Pass for example https://cognito-idp.eu-west-1.amazonaws.com.`,
    )
  }
  const url = readServiceUrl(value, optionPath, insecureHttp)
  if (url.pathname === COGNITO_PATH || /\.amazoncognito\.com\.*$/.test(url.hostname)) {
    throw new OptionError(
      optionPath,
      `expected the user pools API, got the token endpoint ${describeUrl(value)}. Pass it as ${optionPath.startsWith('--') ? '--token-url' : 'tokenEndpoint'}.`,
    )
  }
  if (url.href === `${url.origin}/`) return url.href
  throw new OptionError(
    optionPath,
    `expected a URL without a path, got ${describeUrl(value)}. Use ${url.origin}.`,
  )
}
