/** Validates the URL of a token endpoint: of Cognito, or of a proxy in front of it. */
import { readServiceUrl } from '../../core/options/secure-url.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'

/** Path of the token endpoint at every Cognito domain. */
export const COGNITO_PATH = '/oauth2/token'

/**
 * Requires a path: with the domain only, the secret would be sent to a page that is not the token endpoint.
 *
 * @param insecureHttp Permits http outside loopback, except for hosts of AWS.
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readTokenEndpoint(value: unknown, optionPath: string, insecureHttp = false): URL {
  if (typeof value !== 'string') {
    throw new OptionError(
      optionPath,
      `expected a URL as a string, got ${describeValue(value)}. Pass https://<domain>.auth.<region>.amazoncognito.com/oauth2/token.`,
    )
  }
  const url = readServiceUrl(value, optionPath, insecureHttp)
  const { origin, hostname, pathname } = url
  if (/\.amazoncognito\.com\.*$/.test(hostname)) {
    if (pathname === COGNITO_PATH) return url
    throw new OptionError(
      optionPath,
      `expected the path ${COGNITO_PATH} at a Cognito domain, got ${describeValue(pathname)}. Use ${origin}${COGNITO_PATH}.`,
    )
  }
  if (pathname !== '/') return url
  if (/(?:^|\.)cognito-idp[.-]/.test(hostname)) {
    const name = optionPath.startsWith('--') ? '--endpoint-url' : 'userPoolsApi.endpoint'
    throw new OptionError(
      optionPath,
      `expected a token endpoint, got the user pools API ${describeValue(origin)}. Pass it as ${name}.`,
    )
  }
  throw new OptionError(
    optionPath,
    `expected a URL with a path, got ${describeValue(origin)}. Pass the whole URL, for example ${origin}${COGNITO_PATH}.`,
  )
}
