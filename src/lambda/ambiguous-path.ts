/**
 * Paths that a backend may read as another path: encoded separators and dots, empty segments. Behind a
 * greedy route the backend routes by itself, so a decision about such a path may be one about another.
 */

/** `?` and `#` end the path for a backend that parses the decoded one again. */
const AMBIGUOUS = /%2f|%5c|%25|\/\/|\.\.|\/\.(?:\/|$)|[\\?#\p{Cc}]/iu

/** Read as it is and after one decoding: what an event has is decoded or not, by the kind of API. */
export function isAmbiguous(path: string): boolean {
  try {
    return AMBIGUOUS.test(path) || AMBIGUOUS.test(decodeURIComponent(path))
  } catch {
    return true
  }
}

/** The same as resources of a policy, which spells a literal `?` as a variable. */
export const AMBIGUOUS_GLOBS: readonly string[] = [
  ...['//', '..', '/./', '\\', '#', `$\{?}`],
  ...['%2F', '%2f', '%5C', '%5c', '%25', '%2E', '%2e', '%3F', '%3f', '%23'],
].map((text) => `*${text}*`)
