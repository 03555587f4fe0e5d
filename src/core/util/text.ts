/** Foreign text (names in templates, claims) on its way to a terminal or a log line. */

/** Longest piece of foreign text that is repeated. */
const SHOWN = 120

/**
 * Control characters, line and paragraph separators, marks that turn the direction of text, invisible
 * characters, lone surrogates: what makes a line look like another line, or a name like another name.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line of text that shows what stands there: unprintable characters as `\u{…}`, long text cut. */
export function toPrintable(text: string, longest: number = SHOWN): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replace(UNPRINTABLE, (mark) => `\\u{${(mark.codePointAt(0) as number).toString(16)}}`)
}
