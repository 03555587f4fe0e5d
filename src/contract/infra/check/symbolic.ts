/** Texts that are known in part: composition, comparison piece by piece, and their readable form. */

/** A piece of a text that only the deployment determines. */
export interface UnknownPiece {
  /** Pieces with the same key have the same value. Empty if nothing identifies the value. */
  readonly key: string
  /** The readable form, for example `${Env}`. */
  readonly label: string
  /** What would determine the value, for example `pass parameter Env`. */
  readonly resolve: string
}

/** A text as literal and unknown pieces, in order. Literals are not empty and do not follow each other. */
export interface SymbolicText {
  readonly pieces: readonly (string | UnknownPiece)[]
  /** Texts with the same key are equal. Empty if a piece has no key. */
  readonly key: string
  /** The readable form, for example `orders-${Env}/read`. Not escaped. */
  readonly label: string
}

type Piece = SymbolicText['pieces'][number]

/** A piece that can be any text. */
const ANY_TEXT: UnknownPiece = { key: '', label: '${…}', resolve: '' }

const isLiteral = (piece: Piece | undefined): piece is string => typeof piece === 'string'

export function createText(all: readonly Piece[]): SymbolicText {
  const pieces: Piece[] = []
  for (const piece of all) {
    const previous = pieces.at(-1)
    if (piece === '') continue
    if (isLiteral(piece) && isLiteral(previous)) pieces[pieces.length - 1] = previous + piece
    else pieces.push(piece)
  }
  const isIdentified = pieces.every((piece) => isLiteral(piece) || piece.key !== '')
  return {
    pieces,
    key: isIdentified
      ? JSON.stringify(pieces.map((piece) => (isLiteral(piece) ? piece : [piece.key])))
      : '',
    label: pieces.map((piece) => (isLiteral(piece) ? piece : piece.label)).join(''),
  }
}

export const createLiteral = (text: string): SymbolicText => createText([text])

/** Returns the text if every piece is known. */
export function getLiteral({ pieces }: SymbolicText): string | undefined {
  const [first = ''] = pieces
  return isLiteral(first) && pieces.length < 2 ? first : undefined
}

export const listUnknownPieces = ({ pieces }: SymbolicText): readonly UnknownPiece[] =>
  pieces.flatMap((piece) => (isLiteral(piece) ? [] : [piece]))

/** Whether two texts are certainly equal. */
export const isSameText = (a: SymbolicText, b: SymbolicText): boolean =>
  a.key !== '' && a.key === b.key

/** Compares texts. False if they certainly differ. */
export type TextComparer = (a: SymbolicText, b: SymbolicText) => boolean

/** Most comparisons of two symbolic texts. A template of public projects takes fewer than a thousand. */
const MAX_COMPARISONS = 100_000

/** Creates a comparer with a limited amount of work, after which all symbolic texts may be equal. */
export function createTextComparer(maxComparisons: number = MAX_COMPARISONS): TextComparer {
  let remaining = maxComparisons
  return (a, b) => {
    if (isSameText(a, b)) return true
    if (getLiteral(a) !== undefined && getLiteral(b) !== undefined) return false
    remaining -= 1
    return remaining < 0 || mayBeSameText(a, b)
  }
}

/**
 * Whether two texts may be equal. Removes the equal pieces at both ends. If the rest of one text is a literal, the other
 * is a pattern for it, in which an unknown piece can be any text. Never false for texts that are equal.
 */
export function mayBeSameText(a: SymbolicText, b: SymbolicText): boolean {
  const fronts = removeCommonFront(a.pieces, b.pieces)
  const backs = fronts && removeCommonFront(reversePieces(fronts[0]), reversePieces(fronts[1]))
  if (backs === undefined) return false
  // Both are reversed, which changes no result.
  const [left, right] = backs.map(createText) as [SymbolicText, SymbolicText]
  const literal = getLiteral(left)
  if (literal !== undefined) return matchesPattern(literal, right)
  const other = getLiteral(right)
  return other === undefined || matchesPattern(other, left)
}

/** Removes equal pieces at the front of both. Undefined if the literals there differ. */
function removeCommonFront(
  a: readonly Piece[],
  b: readonly Piece[],
): readonly [readonly Piece[], readonly Piece[]] | undefined {
  let [left, right] = [a, b]
  for (;;) {
    const [[first, ...moreLeft], [second, ...moreRight]] = [left, right]
    if (first === undefined || second === undefined) return [left, right]
    if (isLiteral(first) && isLiteral(second)) {
      const length = Math.min(first.length, second.length)
      if (first.slice(0, length) !== second.slice(0, length)) return undefined
      left = prependLiteral(first.slice(length), moreLeft)
      right = prependLiteral(second.slice(length), moreRight)
    } else if (isSamePiece(first, second)) [left, right] = [moreLeft, moreRight]
    else return [left, right]
  }
}

const isSamePiece = (a: Piece, b: Piece): boolean =>
  !isLiteral(a) && !isLiteral(b) && a.key !== '' && a.key === b.key

const prependLiteral = (literal: string, pieces: readonly Piece[]): readonly Piece[] =>
  literal === '' ? pieces : [literal, ...pieces]

const reversePieces = (pieces: readonly Piece[]): readonly Piece[] =>
  pieces.map((piece) => (isLiteral(piece) ? [...piece].reverse().join('') : piece)).reverse()

/** Whether the literals of the pattern occur in order. The ends were compared before. */
function matchesPattern(text: string, { pieces }: SymbolicText): boolean {
  if (pieces.length === 0) return text === ''
  let from = 0
  for (const piece of pieces.filter(isLiteral)) {
    const found = text.indexOf(piece, from)
    if (found < 0) return false
    from = found + piece.length
  }
  return true
}

/** The resource server and the name of a scope. */
export interface ScopeParts {
  readonly identifier: SymbolicText
  /** A literal: nothing after the last slash is unknown. */
  readonly name: SymbolicText
}

/** Splits a scope at its last slash. Undefined if an unknown piece may contain the last slash. */
export function splitScope({ pieces }: SymbolicText): ScopeParts | undefined {
  const last = pieces.at(-1)
  const slash = isLiteral(last) ? last.lastIndexOf('/') : -1
  if (!isLiteral(last) || slash < 0) return undefined
  const identifier = createText([...pieces.slice(0, -1), last.slice(0, slash)])
  return { identifier, name: createLiteral(last.slice(slash + 1)) }
}

/** Composes a scope. Without a name, the scope can have any name. */
export const composeScope = (identifier: SymbolicText, name?: SymbolicText): SymbolicText =>
  createText([...identifier.pieces, '/', ...(name?.pieces ?? [ANY_TEXT])])
