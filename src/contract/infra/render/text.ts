/** Texts in double quotes, as JSON, YAML and HCL read them alike. */

/**
 * What cannot be seen, and what turns the order of what can be seen, is written as its number: whoever
 * reviews a template sees every character of it.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export const quotedText = (text: string): string => JSON.stringify(text).replace(UNSEEN, numbered)

function numbered(character: string): string {
  const number = character.codePointAt(0) as number
  const digits = number.toString(16)
  return number > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`
}
