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
const GLOBS = [
  ...['//', '..', '/./', '\\', '#', `$\{?}`],
  ...['%2F', '%2f', '%5C', '%5c', '%25', '%2E', '%2e', '%3F', '%3f', '%23'],
  // Small letters and what is near them: nobody has to encode a letter.
  ...['%6', '%7'],
]

/**
 * Resources that deny ambiguous paths, and those that spell plain text of a route in another way: a
 * policy is compared with the path as it is, and a backend may decode it first.
 *
 * @param literals Plain text of the declared routes.
 */
export function ambiguousGlobs(literals: readonly string[]): readonly string[] {
  const texts = new Set(GLOBS)
  for (const [found] of literals.join('/').matchAll(/%..|[^a-z/]/g)) {
    const code = found.length > 1 ? found.slice(1) : found.charCodeAt(0).toString(16)
    for (const it of spellingsOf(code)) if (it !== found) texts.add(it)
  }
  return [...texts].map((text) => `*${text}*`)
}

/** Hexadecimal digits may be small or capital letters, each on its own. */
function spellingsOf(code: string): string[] {
  const [first, second] = [...code].map((digit) => [digit.toUpperCase(), digit.toLowerCase()])
  return (first as string[]).flatMap((one) => (second as string[]).map((two) => `%${one}${two}`))
}
