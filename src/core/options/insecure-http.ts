/** The option `insecureHttp`: plain http within a network whose owner vouches for it, never to AWS. */

import { isAwsHost } from './partitions.ts'
import { isLoopback, readSecureUrl } from './secure-url.ts'
import { type Members, OptionError, show } from './validate.ts'

/** The log line; one for each client or proxy. */
export const INSECURE_HTTP_WARNING =
  'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption'

/** @throws {OptionError} for anything but true and false: a string from the environment is always true. */
export function readInsecureHttp({ insecureHttp = false }: Members): boolean {
  if (typeof insecureHttp === 'boolean') return insecureHttp
  throw new OptionError('insecureHttp', `is ${show(insecureHttp)}: pass true or false`)
}

/** A URL that secrets or tokens are sent to: https, http on loopback, or http as `insecureHttp` permits. */
export function readServiceUrl(value: string, place: string, insecureHttp: boolean): URL {
  if (!insecureHttp) return readSecureUrl(value, place)
  const url = readSecureUrl(value, place, () => true)
  if (isInsecure(url) && isAwsHost(url.hostname)) {
    throw new OptionError(
      place,
      'is a host of AWS by http: use https, insecureHttp never applies to it',
    )
  }
  return url
}

/** The origins among some URLs to which what is sent can be read on the way. */
export function insecureOrigins(urls: readonly string[]): readonly string[] {
  const insecure = urls.map((url) => new URL(url)).filter(isInsecure)
  return [...new Set(insecure.map(({ origin }) => origin))]
}

function isInsecure(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url)
}
