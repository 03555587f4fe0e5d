/**
 * Reads a token that jose and aws-jwt-verify accept, without code of `src`. The rules therefore do not
 * repeat a mistake of the code under test.
 */

/** What a walk over the text of a JSON object finds, and `JSON.parse` hides. */
interface Walk {
  readonly names: ReadonlySet<string>
  readonly duplicate: boolean
  /** Members, and objects and arrays, at every depth together. */
  readonly members: number
  readonly opened: number
  /** Objects and arrays inside one another; the outermost counts as one. */
  readonly depth: number
}

export interface Reading {
  readonly token: string
  readonly parts: readonly string[]
  /** As both libraries see them: of two members the last. */
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  /** Of header and claims. */
  readonly walks: readonly Walk[]
}

/** @throws if the text is not a token. Another verifier accepted it, so that is a finding too. */
export function readToken(token: string): Reading {
  const parts = token.split('.')
  const [header, claims] = parts.slice(0, 2).map((part) => Buffer.from(part, 'base64').toString())
  if (parts.length !== 3 || header === undefined || claims === undefined) throw new Error('no JWS')
  return {
    token,
    parts,
    header: JSON.parse(header),
    claims: JSON.parse(claims),
    walks: [walk(header), walk(claims)],
  }
}

/** A string, a bracket, a colon or comma, or a bare word; blanks fall between. */
const PIECE = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/gs

/** By recursive descent, over text known to be JSON. */
function walk(text: string): Walk {
  const pieces = text.match(PIECE) ?? []
  const all = new Set<string>()
  let duplicate = false
  let members = 0
  let opened = 0
  let deepest = 0
  let next = 0
  const value = (depth: number): void => {
    const piece = pieces[next++]
    if (piece !== '{' && piece !== '[') return
    deepest = Math.max(deepest, depth)
    opened += 1
    const names = new Set<string>()
    for (let opened = true; ; opened = false) {
      if (pieces[next] === '}' || pieces[next] === ']') break
      if (!opened) next += 1
      if (piece === '{') {
        const name = JSON.parse(pieces[next] as string) as string
        duplicate ||= names.has(name)
        members += 1
        names.add(name)
        all.add(name)
        next += 2
      }
      value(depth + 1)
    }
    next += 1
  }
  value(1)
  if (next !== pieces.length) throw new Error(`misread: ${text}`)
  return { names: all, duplicate, members, opened, depth: deepest }
}
