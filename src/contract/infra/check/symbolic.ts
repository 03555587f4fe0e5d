/** Texts that are known in part: composition, comparison piece by piece, and their readable form. */
import type { Fact, InfraModel, InfraResourceServer } from '../model/model.ts'
import { formatSource, type Source } from '../resolve/value.ts'

/** A piece of a text that only the deployment determines. */
interface UnknownPiece {
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

/** Whether the text is empty: the default of a parameter that the deployment gives, or whose use a condition excludes. */
export const isEmptyText = ({ pieces }: SymbolicText): boolean => pieces.length === 0

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

type TextFact = Pick<Fact<unknown>, 'value' | 'source' | 'pieces'>

export interface TextReader {
  readonly readFact: (model: InfraModel, fact: TextFact) => SymbolicText
  /** Reads the name of an SSM parameter or export that an unknown value comes from. */
  readonly readName: (model: InfraModel, source: Source) => SymbolicText | undefined
  /** Reads the identifier of a resource server. It has a key even if its value is unknown. */
  readonly readIdentifier: (model: InfraModel, server: InfraResourceServer) => SymbolicText
}

/** The attributes of a resource server whose value is its identifier. */
const IDENTIFIER_ATTRIBUTES = new Set(['Ref', 'identifier'])

/**
 * Creates a reader for models that are checked together. A reference to a resource server becomes its identifier. A
 * parameter of one template differs from a parameter of another one that has the same name.
 */
export function createTextReader(models: readonly InfraModel[]): TextReader {
  const indexes = new Map(models.map((model, index) => [model, index]))
  const servers = new Map(
    models.map((model) => [model, new Map(model.resourceServers.map((one) => [one.id, one]))]),
  )
  const identifiers = new Map<InfraResourceServer, SymbolicText>()

  function readIdentifier(model: InfraModel, server: InfraResourceServer): SymbolicText {
    const known = identifiers.get(server)
    if (known !== undefined) return known
    const { pieces } = readFact(model, server.identifier ?? { value: undefined, source: {} })
    const prefix = `${indexes.get(model)} server ${server.id}`
    const text = createText(
      pieces.map((piece, index) => {
        if (typeof piece === 'string' || piece.key !== '') return piece
        const label = pieces.length === 1 ? `\${${server.id}}` : piece.label
        return { ...piece, key: `${prefix} ${index}`, label }
      }),
    )
    identifiers.set(server, text)
    return text
  }

  function readPieces(
    model: InfraModel,
    { source, pieces = [source] }: Omit<TextFact, 'value'>,
  ): SymbolicText {
    return createText(
      pieces.flatMap((piece) => (typeof piece === 'string' ? [piece] : readSource(model, piece))),
    )
  }

  function readSource(model: InfraModel, source: Source): SymbolicText['pieces'] {
    const { resource, attribute = '' } = source
    const server = resource === undefined ? undefined : servers.get(model)?.get(resource)
    return server !== undefined && isExact(source) && IDENTIFIER_ATTRIBUTES.has(attribute)
      ? readIdentifier(model, server).pieces
      : [toUnknownPiece(model, source, `${indexes.get(model)}`)]
  }

  const readFact: TextReader['readFact'] = (model, fact) =>
    fact.value === undefined ? readPieces(model, fact) : createLiteral(String(fact.value))

  return {
    readFact,
    readName(model, { ssm, imported, namePieces }) {
      const name = ssm ?? imported
      if (namePieces !== undefined) return readPieces(model, { source: {}, pieces: namePieces })
      return name === undefined ? undefined : createLiteral(name)
    },
    readIdentifier,
  }
}

/** Whether each value of the origin is the same. Without an attribute, it is one of several instances. */
const isExact = ({ attribute, isDerived }: Source): boolean =>
  attribute !== undefined && isDerived !== true

function toUnknownPiece(model: InfraModel, source: Source, index: string): UnknownPiece {
  const { resource, attribute, ssm, imported, namePieces, parameter } = source
  const label = formatSource(source)
  // A name that is known in part depends on parameters of its template. Other names are global.
  const scope = namePieces === undefined ? '' : `${index} `
  if (parameter !== undefined) {
    const key = `${index} parameter ${parameter}`
    const isTerraform = model.dialect === 'terraform'
    const resolve = describeParameter(model, parameter)
    return { key, label: isTerraform ? `\${var.${parameter}}` : label, resolve }
  }
  if (ssm !== undefined) {
    const resolve = `pass the template that creates SSM parameter ${ssm}`
    return { key: `${scope}ssm ${ssm}`, label, resolve }
  }
  if (imported !== undefined) {
    const resolve = `pass the template that exports ${imported}`
    return { key: `${scope}export ${imported}`, label, resolve }
  }
  if (resource === undefined)
    return { key: '', label, resolve: 'replace the expression by a value or a parameter' }
  const key = isExact(source) ? `${index} resource ${resource} ${attribute}` : ''
  return { key, label, resolve: describeResource(model, label.slice('${'.length, -1)) }
}

function describeParameter({ dialect }: InfraModel, name: string): string {
  if (dialect === 'terraform') return `pass variable ${name}`
  return name.startsWith('AWS::') ? `pass pseudo parameter ${name}` : `pass parameter ${name}`
}

function describeResource({ dialect }: InfraModel, name: string): string {
  const [, module] = /^(?:.*\.)?(module\.[^.]+)\.[^.]+$/.exec(name) ?? []
  if (module !== undefined) return `check a plan, which has the outputs of ${module}`
  return `replace ${name} by a ${dialect === 'terraform' ? 'variable' : 'parameter'}`
}
