/** JSON that is fit for a terminal: one line, and nothing in it that a terminal obeys. */

/** See {@link import('../../core/util/text.ts').printable}; what stands outside of strings is none of them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line. Unprintable characters are escaped, so that a parser gets them and a terminal does not. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(UNPRINTABLE, escaped)}\n`
}

function escaped(mark: string): string {
  let text = ''
  for (let at = 0; at < mark.length; at += 1) {
    text += `\\u${mark.charCodeAt(at).toString(16).padStart(4, '0')}`
  }
  return text
}
