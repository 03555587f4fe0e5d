/** URLs whose answers are trusted: https, or http on this machine alone. */
import { OptionError, show } from './validate.ts'

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
      `is ${show(value.replace(/.*@/s, '…@'))}: use an https URL; http is for localhost, 127.0.0.1 and [::1] only`,
    )
  }
  if (url.username !== '' || url.password !== '' || value.includes('#')) {
    throw new OptionError(place, 'has credentials or a fragment: leave them out')
  }
  return url
}
