/** URLs whose responses are trusted: https, or http on loopback only. */

import { isAwsHost } from './partitions.ts'
import { describeValue, type Members, OptionError } from './validate.ts'

/** The log line; one for each client or proxy. */
export const INSECURE_HTTP_WARNING =
  'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption'

/** @throws {OptionError} for anything but true and false: a string from the environment is always true. */
export function readInsecureHttp({ insecureHttp = false }: Members): boolean {
  if (typeof insecureHttp === 'boolean') return insecureHttp
  throw new OptionError(
    'insecureHttp',
    `expected a boolean, got ${describeValue(insecureHttp)}. Pass true or false.`,
  )
}

/** A URL that secrets or tokens are sent to: https, http on loopback, or http as `insecureHttp` permits. */
export function readServiceUrl(value: string, optionPath: string, insecureHttp: boolean): URL {
  if (!insecureHttp) return readSecureUrl(value, optionPath)
  const url = readSecureUrl(value, optionPath, () => true)
  if (isInsecure(url) && isAwsHost(url.hostname)) {
    throw new OptionError(
      optionPath,
      'expected https, got http for a host of AWS. Use https: insecureHttp does not apply to AWS.',
    )
  }
  return url
}

/** The origins of those URLs that use http over a network. */
export function listInsecureOrigins(urls: readonly string[]): readonly string[] {
  const insecure = urls.map((url) => new URL(url)).filter(isInsecure)
  return [...new Set(insecure.map(({ origin }) => origin))]
}

function isInsecure(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url)
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a parsed URL leads to this machine. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname)
}

/**
 * Anyone on the network path can replace an http response, so http is accepted on loopback only.
 *
 * @param permitsHttp Whether an http URL is accepted. Default: on loopback only.
 */
export function readSecureUrl(
  value: string,
  optionPath: string,
  permitsHttp: (url: URL) => boolean = isLoopback,
): URL {
  // URL removes whitespace, but identifiers are compared as exact strings.
  const url = URL.canParse(value) && !/\s/.test(value) ? new URL(value) : undefined
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && permitsHttp(url))
  if (url === undefined || !secure) {
    throw new OptionError(
      optionPath,
      `expected an https URL, got ${describeUrl(value)}. Use https, or http for localhost, 127.0.0.1 and [::1].`,
    )
  }
  if (url.username !== '' || url.password !== '' || value.includes('#')) {
    const part = value.includes('#') ? 'a fragment' : 'credentials'
    throw new OptionError(
      optionPath,
      `expected a URL without credentials or a fragment, got one with ${part}. Remove ${part}.`,
    )
  }
  return url
}

/**
 * Describes a URL for an option error, without its parts that may be secret: the text before an `@`, query and
 * fragment. With an `@` after a `?` or `#`, either part may be the secret, so nothing is shown.
 */
export function describeUrl(url: string): string {
  const isAmbiguous = /[?#].*@/s.test(url)
  const shown = url.replace(/.*@/s, '…@').replace(/(?<=[?#]).*/s, '…')
  return describeValue(isAmbiguous ? '…' : shown)
}
