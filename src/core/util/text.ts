/** Makes untrusted text (names in templates, claims) safe for a terminal or a log line. */

/** Characters of untrusted text that are shown. */
const MAX_SHOWN_LENGTH = 120

/**
 * Control characters, line and paragraph separators, bidirectional marks, invisible characters and lone
 * surrogates. They can make one line or name look like another.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** Text as one line: unprintable characters are escaped as `\u{…}`, and long text is cut. */
export function toPrintable(text: string, maxLength: number = MAX_SHOWN_LENGTH): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replace(UNPRINTABLE, (mark) => `\\u{${(mark.codePointAt(0) as number).toString(16)}}`)
}
