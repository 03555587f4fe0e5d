/** URLs whose answers are trusted: https, or http on this machine alone. */

import { isAwsHost } from './partitions.ts'
import { describeValue, type Members, OptionError } from './validate.ts'

/** The log line; one for each client or proxy. */
export const INSECURE_HTTP_WARNING =
  'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption'

/** @throws {OptionError} for anything but true and false: a string from the environment is always true. */
export function readInsecureHttp({ insecureHttp = false }: Members): boolean {
  if (typeof insecureHttp === 'boolean') return insecureHttp
  throw new OptionError('insecureHttp', `is ${describeValue(insecureHttp)}: pass true or false`)
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
export function listInsecureOrigins(urls: readonly string[]): readonly string[] {
  const insecure = urls.map((url) => new URL(url)).filter(isInsecure)
  return [...new Set(insecure.map(({ origin }) => origin))]
}

function isInsecure(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url)
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a URL leads to this machine, judged after parsing. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname)
}

/**
 * What anyone on the path can replace proves nothing, so http is for this machine alone.
 *
 * @param permitsHttp Whether a URL may be http all the same. Default: on loopback only.
 */
export function readSecureUrl(
  value: string,
  place: string,
  permitsHttp: (url: URL) => boolean = isLoopback,
): URL {
  // URL drops blanks around and inside, an identifier is compared to the letter.
  const url = URL.canParse(value) && !/\s/.test(value) ? new URL(value) : undefined
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && permitsHttp(url))
  if (url === undefined || !secure) {
    throw new OptionError(
      place,
      // What stands before an @ may be a password.
      `is ${describeValue(value.replace(/.*@/s, '…@'))}: use an https URL; http is for localhost, 127.0.0.1 and [::1] only`,
    )
  }
  if (url.username !== '' || url.password !== '' || value.includes('#')) {
    throw new OptionError(place, 'has credentials or a fragment: leave them out')
  }
  return url
}
