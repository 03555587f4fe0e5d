/** Options that choose a token API: `tokenEndpoint` or `userPoolsApi`, exactly one of them. */
import { findPartition, LOCAL_REGION } from '../../core/options/partitions.ts'
import { describeUrl, readServiceUrl } from '../../core/options/secure-url.ts'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
} from '../../core/options/validate.ts'
import { createTokenEndpointApi, type TokenApi } from './protocol.ts'
import { COGNITO_PATH, readTokenEndpoint } from './token-endpoint.ts'
import { createUserPoolsApi } from './user-pools-api.ts'

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
 * Reads `tokenEndpoint` or `userPoolsApi`.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for none, for both, and for an invalid one.
 */
export function readTokenApi(members: Members, insecureHttp: boolean): TokenApi {
  const { tokenEndpoint, userPoolsApi } = members
  if (userPoolsApi === undefined) {
    if (tokenEndpoint !== undefined) {
      const url = readTokenEndpoint(tokenEndpoint, 'tokenEndpoint', insecureHttp)
      return createTokenEndpointApi(url.href)
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
  return createUserPoolsApi(readUserPoolsUrl(userPoolsApi, insecureHttp))
}

function readUserPoolsUrl(value: unknown, insecureHttp: boolean): string {
  const members = readMembers(value, ['region', 'endpoint'], 'userPoolsApi')
  const { region, endpoint } = members
  if ((region === undefined) === (endpoint === undefined)) {
    throw new OptionError(
      'userPoolsApi',
      `expected region or endpoint, got ${region === undefined ? 'none' : 'both'}. Pass for example { region: 'eu-west-1' }.`,
    )
  }
  if (endpoint === undefined) return deriveUserPoolsUrl(region, 'userPoolsApi.region')
  return readUserPoolsEndpoint(endpoint, 'userPoolsApi.endpoint', insecureHttp)
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
