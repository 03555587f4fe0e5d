/**
 * What an expression of a template is worth before anything is deployed: both dialects resolve to
 * this. What only a deployment knows stays unknown and keeps what it depends on.
 */
import type { Position } from '../position.ts'

/** Something only a deployment knows, as far as the template tells what it is. */
export interface Source {
  /**
   * The resource it is taken from: logical id, or Terraform address, a data source's
   * (`data.aws_vpc.main`) and a module's (`module.auth`) too.
   */
  readonly resource?: string
  /** Its attribute; `Ref` for CloudFormation's `!Ref`. */
  readonly attribute?: string
  /** The name of the SSM parameter it is read from. */
  readonly ssm?: string
  /** The name of the export it is imported from. */
  readonly imported?: string
  /** The parameter or variable that gives it: it has no default. `AWS::Region` and the like, too. */
  readonly parameter?: string
}

/** A piece of a text: what it says, or what it is taken from. */
export type Piece = string | Source

/** Longest text and list that names are put together to. */
export const MAX_TEXT = 10_000
const MAX_ITEMS = 1_000
const MAX_PIECES = 50

interface Placed {
  readonly at: Position
  /** Every resource it mentions, directly or through names in between. */
  readonly refs: readonly string[]
}

export type Scalar = string | number | boolean | null

export type Value = Placed &
  (
    | { readonly kind: 'scalar'; readonly value: Scalar }
    | {
        readonly kind: 'list'
        readonly items: readonly Value[]
        /** False where it holds more, or less, than is listed. */
        readonly complete: boolean
      }
    | {
        readonly kind: 'map'
        readonly entries: ReadonlyMap<string, Value>
        /** Where their names stand; empty in Terraform. */
        readonly names: ReadonlyMap<string, Position>
        readonly complete: boolean
      }
    | {
        readonly kind: 'unknown'
        readonly source: Source
        /** Of a text that is known in part. */
        readonly pieces?: readonly Piece[]
      }
    /** `AWS::NoValue`, `null`: as if it were not written. */
    | { readonly kind: 'absent' }
  )

/** A resource of either dialect under CloudFormation's names. */
export interface Resource {
  readonly id: string
  readonly type: string
  readonly at: Position
  readonly properties: ReadonlyMap<string, Value>
  /** False where members may be missing from `properties`. */
  readonly complete: boolean
  /** What it waits for: `DependsOn`, `depends_on`, and every reference in it. */
  readonly dependsOn: readonly string[]
  /** Deployed as often as a condition, a count or a loop says. */
  readonly conditional: boolean
}

/** A name that stands for nothing in the template. */
export interface DanglingReference {
  readonly at: Position
  readonly name: string
}

export const unknown = (
  at: Position,
  refs: readonly string[] = [],
  source: Source = {},
): Value => ({
  kind: 'unknown',
  at,
  refs,
  source,
})

export const scalar = (at: Position, value: Scalar, refs: readonly string[] = []): Value => ({
  kind: 'scalar',
  at,
  refs,
  value,
})

export const list = (
  at: Position,
  items: readonly Value[],
  complete = true,
  refs: readonly string[] = [],
): Value => ({
  kind: 'list',
  at,
  refs: mergeRefs(refs, refsOf(items)),
  // Lists made of lists double with every name.
  items: items.slice(0, MAX_ITEMS),
  complete: complete && items.length <= MAX_ITEMS,
})

/** Each resource that these values mention, once. */
export function refsOf(values: Iterable<Value | undefined>): readonly string[] {
  const refs = new Set<string>()
  for (const value of values) for (const ref of value?.refs ?? []) refs.add(ref)
  return [...refs]
}

export const mergeRefs = (...lists: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(lists.flat()),
]

/** The text of a known scalar; numbers and booleans as both dialects write them into strings. */
export function textOf(value: Value | undefined): string | undefined {
  if (value?.kind !== 'scalar' || value.value === null) return undefined
  return String(value.value)
}

/** What keeping a value costs: its members, its references, its text by the hundred characters. */
export function weightOf(value: Value): number {
  const own = 1 + value.refs.length
  if (value.kind === 'map') return own + value.entries.size
  if (value.kind !== 'list') return own + (textOf(value)?.length ?? 0) / 100
  return value.items.reduce((sum, item) => sum + 1 + (textOf(item)?.length ?? 0) / 100, own)
}

/**
 * Texts side by side, as `Fn::Sub`, `Fn::Join`, a quoted template: known where every part is. One part
 * alone is itself.
 */
export function concatenated(at: Position, parts: readonly Value[]): Value {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return { ...only, at }
  const refs = refsOf(parts)
  const pieces: Piece[] = []
  let length = 0
  for (const piece of parts.flatMap(piecesOf)) {
    const before = pieces.at(-1)
    if (typeof piece !== 'string') pieces.push(piece)
    else {
      length += piece.length
      if (typeof before === 'string') pieces[pieces.length - 1] = before + piece
      else pieces.push(piece)
    }
    // Texts made of texts double with every name: what is this long is no scope.
    if (length > MAX_TEXT || pieces.length > MAX_PIECES) return unknown(at, refs)
  }
  const [text = ''] = pieces
  if (pieces.length < 2 && typeof text === 'string') return scalar(at, text, refs)
  return { kind: 'unknown', at, refs, source: {}, pieces }
}

function piecesOf(part: Value): readonly Piece[] {
  if (part.kind === 'unknown') return part.pieces ?? [part.source]
  return [textOf(part) ?? {}]
}
