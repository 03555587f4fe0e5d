/** Values that a reader, a database or a lenient comparison takes for another. */
import type { Entry } from './hostile-case.ts'

const CYRILLIC: Readonly<Record<string, string>> = {
  a: '\u0430',
  c: '\u0441',
  e: '\u0435',
  o: '\u043e',
  p: '\u0440',
  s: '\u0455',
  i: '\u0456',
  k: '\u043a',
  t: '\u0442',
  S: '\u0405',
  R: '\u042f',
  A: '\u0410',
}

/** Texts similar to a text, none equal to it and no two equal. */
export function lookAlikes(good: string): Entry[] {
  const middle = Math.floor(good.length / 2)
  const insert = (text: string) => `${good.slice(0, middle)}${text}${good.slice(middle)}`
  const all: Entry[] = [
    ['empty', ''],
    ['without its first character', good.slice(1)],
    ['without its last character', good.slice(0, -1)],
    ['first character alone', good.slice(0, 1)],
    ['prefixed', `x${good}`],
    ['suffixed', `${good}x`],
    ['twice', `${good}${good}`],
    ['upper case', good.toUpperCase()],
    ['lower case', good.toLowerCase()],
    ['first letter in the other case', good.replace(/[a-z]/i, otherCase)],
    ['leading space', ` ${good}`],
    ['trailing space', `${good} `],
    ['trailing tab', `${good}\t`],
    ['trailing newline', `${good}\n`],
    ['trailing CRLF', `${good}\r\n`],
    ['trailing no-break space', `${good}\u00a0`],
    ['trailing NUL', `${good}\0`],
    ['NUL and more', `${good}\0.evil.example`],
    ['trailing dot', `${good}.`],
    ['trailing slash', `${good}/`],
    ['trailing hash', `${good}#`],
    ['trailing comma', `${good},`],
    ['percent-encoded', percentEncoded(good)],
    ['Cyrillic letters', good.replace(/[aceopsiktSRA]/g, (letter) => CYRILLIC[letter] as string)],
    ['full width', good.replace(/[!-~]/g, fullWidth)],
    ['combining accent', insert('\u0301')],
    ['zero-width space', insert('\u200b')],
    ['zero-width joiner', insert('\u200d')],
    ['soft hyphen', insert('\u00ad')],
    ['right-to-left mark', insert('\u200f')],
    ['byte order mark', `\ufeff${good}`],
    ['wildcard', `${good.slice(0, middle)}*`],
    ['any', '*'],
    ['quoted', `"${good}"`],
  ]
  const seen = new Set([good])
  return all.filter(([, value]) => !seen.has(value) && seen.add(value))
}

function otherCase(letter: string): string {
  const upper = letter.toUpperCase()
  return letter === upper ? letter.toLowerCase() : upper
}

function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').replace(/../g, '%$&')
}

function fullWidth(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 0xfee0)
}
