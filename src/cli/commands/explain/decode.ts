/** A token as people paste it: with what stood around it. */

/** The token, and what was taken off it. */
export interface GivenToken {
  readonly token: string
  readonly notes: readonly string[]
}

/** What may stand around a token, outermost first; again, as quotes may stand around a header. */
const AROUND: readonly (readonly [pattern: RegExp, note: string])[] = [
  [/^(["'`])(.*)\1$/s, 'the quotes around it were left out'],
  [/^()authorization:(.*)$/is, 'the name of the header before it was left out'],
  [/^()bearer\s(.*)$/is, 'the word Bearer before it was left out'],
]

/** Blanks around it are nothing to talk about: every shell and editor adds them. */
export function tokenIn(text: string): GivenToken {
  const notes = new Set<string>()
  let token = text.trim()
  for (let found = true; found; ) {
    found = false
    for (const [pattern, note] of AROUND) {
      const match = pattern.exec(token)
      if (match === null) continue
      token = (match[2] as string).trim()
      notes.add(note)
      found = true
    }
  }
  return { token, notes: [...notes] }
}
