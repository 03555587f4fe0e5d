/**
 * Values that the expressions of both dialects resolve to, and the resources that have them. A value that only the
 * deployment determines is unknown, and records what it depends on.
 */

import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'

/** The origin of a value that only the deployment determines. Empty if the template does not determine the origin. */
export interface Source {
  /**
   * The resource that has the value: a logical id, or a Terraform address. Addresses of data sources
   * (`data.aws_vpc.main`) and modules (`module.auth`) are included.
   */
  readonly resource?: string
  /** The attribute of the resource, or `Ref` for `!Ref` of CloudFormation. */
  readonly attribute?: string
  /** The name of the SSM parameter that has the value. Unknown pieces are written as `${Env}`. */
  readonly ssm?: string
  /** The name of the export that the value is imported from. Unknown pieces are written as `${Env}`. */
  readonly imported?: string
  /** The pieces of `ssm` or `imported`, if the name is known in part. */
  readonly namePieces?: readonly Piece[]
  /** The parameter or variable without a value, or a pseudo parameter such as `AWS::Region`. */
  readonly parameter?: string
  /** Present if the value is computed from the attribute, so that it may have another form or a suffix. */
  readonly isDerived?: true
}

/** A piece of a composed text: a literal string, or the origin of an unknown piece. */
export type Piece = string | Source

/** Longest composed text, in characters. */
export const MAX_TEXT_LENGTH = 10_000
/** Longest composed list. */
const MAX_ITEMS = 1_000
/** Most pieces of a composed text. */
const MAX_PIECES = 50

interface PositionedValue {
  readonly at: Position
  /** Ids of the resources that the value refers to, directly or through other names. */
  readonly refs: readonly string[]
}

export type Scalar = string | number | boolean | null

export type Value = PositionedValue &
  (
    | { readonly kind: 'scalar'; readonly value: Scalar }
    | {
        readonly kind: 'list'
        readonly items: readonly Value[]
        /** False if the deployed list may have other items. */
        readonly complete: boolean
      }
    | {
        readonly kind: 'map'
        readonly entries: ReadonlyMap<string, Value>
        /** The positions of the keys. Empty in Terraform. */
        readonly names: ReadonlyMap<string, Position>
        readonly complete: boolean
      }
    | {
        readonly kind: 'unknown'
        readonly source: Source
        /** The pieces of a text that is known in part. */
        readonly pieces?: readonly Piece[]
      }
    /** `AWS::NoValue` or `null`: equivalent to a missing member. */
    | { readonly kind: 'absent' }
  )

/** A resource of either dialect, with the names of CloudFormation. */
export interface Resource {
  readonly id: string
  readonly type: string
  readonly at: Position
  readonly properties: ReadonlyMap<string, Value>
  /** False if `properties` may lack members. */
  readonly complete: boolean
  /** Ids of the resources in `DependsOn` or `depends_on`, and of every reference. */
  readonly dependsOn: readonly string[]
  /** Present if it may be deployed after any resource server, as far as the references of the template are known. */
  readonly mayAwaitAny?: true
  /** Whether a condition, count or loop decides if and how often the resource is deployed. */
  readonly conditional: boolean
}

/** A reference to a name that the template does not define. */
export interface DanglingReference {
  readonly at: Position
  /** The name, for example `OrdersPool` or `var.region`. */
  readonly name: string
}

export const createUnknown = (
  at: Position,
  refs: readonly string[] = [],
  source: Source = {},
): Value => ({
  kind: 'unknown',
  at,
  refs,
  source,
})

export const createScalar = (at: Position, value: Scalar, refs: readonly string[] = []): Value => ({
  kind: 'scalar',
  at,
  refs,
  value,
})

export const createList = (
  at: Position,
  items: readonly Value[],
  complete = true,
  refs: readonly string[] = [],
): Value => ({
  kind: 'list',
  at,
  refs: mergeRefs(refs, collectRefs(items)),
  // Lists of lists grow exponentially with each reference.
  items: items.slice(0, MAX_ITEMS),
  complete: complete && items.length <= MAX_ITEMS,
})

/** Collects the ids of the resources that the values refer to, without duplicates. */
export function collectRefs(values: Iterable<Value | undefined>): readonly string[] {
  const refs = new Set<string>()
  // Items of a list share their references, so each list of references is added once.
  for (const list of new Set([...values].map((value) => value?.refs)))
    for (const ref of list ?? []) refs.add(ref)
  return [...refs]
}

export const mergeRefs = (...lists: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(lists.flat()),
]

/**
 * Adds the origin to a value that a function computes from others, if one resource is their only unknown origin.
 *
 * @param values The arguments of the function.
 */
export function addDerivedSource(result: Value, values: readonly Value[]): Value {
  if (result.kind !== 'unknown' || result.pieces !== undefined) return result
  if (Object.keys(result.source).length > 0) return result
  const sources = values.flatMap(listSources)
  const [first] = sources
  const isOnly = sources.every(
    ({ resource }) => resource !== undefined && resource === first?.resource,
  )
  return first !== undefined && isOnly
    ? { ...result, source: { ...first, isDerived: true } }
    : result
}

/** The id of another user pool, which a function may return instead. */
const POOL_ID = /^[a-z\d-]+_[\dA-Za-z]+$/

/** Lists the origins of a value. A value that may be another one has an empty origin. */
function listSources(value: Value): readonly Source[] {
  switch (value.kind) {
    case 'scalar':
      return POOL_ID.test(String(value.value)) ? [{}] : []
    case 'list':
      return [...value.items.flatMap(listSources), ...(value.complete ? [] : [{}])]
    case 'unknown':
      return (value.pieces ?? [value.source]).filter((piece) => typeof piece !== 'string')
    default:
      return [{}]
  }
}

/** Returns the text of a known scalar. Numbers and booleans become strings, as in both dialects. */
export function getText(value: Value | undefined): string | undefined {
  if (value?.kind !== 'scalar' || value.value === null) return undefined
  return String(value.value)
}

/** Estimates the memory of a value: one unit for each member, reference, and hundred characters. */
export function measureWeight(value: Value): number {
  const weight = 1 + value.refs.length
  if (value.kind === 'map') return weight + value.entries.size
  if (value.kind !== 'list') return weight + (getText(value)?.length ?? 0) / 100
  return value.items.reduce((sum, item) => sum + 1 + (getText(item)?.length ?? 0) / 100, weight)
}

/** Concatenates the parts of `Fn::Sub`, `Fn::Join` or an HCL template. Known if every part is. */
export function concatenate(at: Position, parts: readonly Value[]): Value {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return { ...only, at }
  const refs = collectRefs(parts)
  const pieces: Piece[] = []
  let length = 0
  for (const piece of parts.flatMap(toPieces)) {
    const previous = pieces.at(-1)
    if (typeof piece !== 'string') pieces.push(piece)
    else {
      length += piece.length
      if (typeof previous === 'string') pieces[pieces.length - 1] = previous + piece
      else pieces.push(piece)
    }
    // Composed texts grow exponentially with each reference. Scopes are far shorter than the limit.
    if (length > MAX_TEXT_LENGTH || pieces.length > MAX_PIECES) return createUnknown(at, refs)
  }
  const [text = ''] = pieces
  if (pieces.length < 2 && typeof text === 'string') return createScalar(at, text, refs)
  return { kind: 'unknown', at, refs, source: {}, pieces }
}

function toPieces(part: Value): readonly Piece[] {
  if (part.kind === 'unknown') return part.pieces ?? [part.source]
  return [getText(part) ?? {}]
}

/** Formats the pieces of a text that is known in part: `orders-${Env}`, or `orders-${var.env}` with the prefix `var.`. */
export const formatPieces = (pieces: readonly Piece[], parameterPrefix = ''): string =>
  pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece
      const { parameter } = piece
      return parameter === undefined ? formatSource(piece) : `\${${parameterPrefix}${parameter}}`
    })
    .join('')

/** Returns the origin of a value that an SSM parameter or export of a name has. Empty if the name is unknown. */
export function createNameSource(
  kind: 'ssm' | 'imported',
  name: Value,
  parameterPrefix = '',
): Source {
  const text = getText(name)
  if (text !== undefined) return { [kind]: text }
  if (name.kind !== 'unknown' || hasUnknownOrigin(name)) return {}
  const { source, pieces: namePieces = [source] } = name
  return { [kind]: formatPieces(namePieces, parameterPrefix), namePieces }
}

/** Returns an unknown member of a value. It has an origin if the value is an attribute of a known resource. */
export function createUnknownMember(value: Value, key: string | undefined, at: Position): Value {
  const source: Source = value.kind === 'unknown' ? value.source : {}
  const { resource, attribute } = source
  return resource === undefined || attribute === undefined || key === undefined
    ? createUnknown(at, value.refs)
    : createUnknown(at, value.refs, { ...source, attribute: `${attribute}.${key}` })
}

/** Formats an origin: `${Env}`, `${Server}`, `${Pool.Arn}`, `${ssm:/auth/pool-id}`. */
export function formatSource(source: Source): string {
  const { resource, attribute, ssm, imported, parameter } = source
  if (ssm !== undefined) return `\${ssm:${ssm}}`
  if (imported !== undefined) return `\${import:${imported}}`
  if (resource === undefined) return `\${${parameter ?? '…'}}`
  return attribute === undefined || attribute === 'Ref'
    ? `\${${resource}}`
    : `\${${resource}.${attribute}}`
}

/** Whether a piece of an unknown value has no known origin. */
export const hasUnknownOrigin = (value: Value): boolean =>
  value.kind === 'unknown' &&
  (value.pieces ?? [value.source]).some(
    (piece) => typeof piece !== 'string' && Object.keys(piece).length === 0,
  )

/** Longest chain of references. Each one uses the call stack. */
const MAX_REFERENCE_DEPTH = 100

/** Resolves each name once, and detects cycles. */
export class ReferenceResolver {
  readonly #resolved = new Map<string, Value>()
  readonly #pending: string[] = []

  /** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the value of `name` refers to `name`. */
  resolve(key: string, name: string, at: Position, read: () => Value): Value {
    const resolved = this.#resolved.get(key)
    // Memoized: names that refer to others twice would double the work at each step.
    if (resolved !== undefined) return resolved
    const cycleStart = this.#pending.indexOf(key)
    if (cycleStart >= 0 || this.#pending.length === MAX_REFERENCE_DEPTH) {
      const problem =
        cycleStart < 0
          ? `a chain of more than ${MAX_REFERENCE_DEPTH}. Shorten the chain.`
          : 'a cycle. Remove one reference.'
      throw new TemplateError(
        at,
        `expected references of ${toPrintable(name)} that end at a value, got ${problem}`,
      )
    }
    this.#pending.push(key)
    const value = read()
    this.#pending.pop()
    this.#resolved.set(key, value)
    return value
  }
}

/**
 * Checks dependencies with a topological sort (Kahn's algorithm).
 *
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` at a resource that depends on itself.
 */
export function assertAcyclic(resources: readonly Resource[]): void {
  // SAM transforms its resources into others, whose references differ.
  const plain = resources.filter(({ type }) => !type.startsWith('AWS::Serverless::'))
  const byId = new Map(plain.map((resource) => [resource.id, resource]))
  const pendingCounts = new Map(plain.map(({ id }) => [id, 0]))
  const dependents = new Map<string, string[]>()
  for (const { id, dependsOn } of plain) {
    for (const name of dependsOn) {
      if (!byId.has(name)) continue
      pendingCounts.set(id, (pendingCounts.get(id) as number) + 1)
      const list = dependents.get(name)
      if (list === undefined) dependents.set(name, [id])
      else list.push(id)
    }
  }
  const ready = plain.filter(({ id }) => pendingCounts.get(id) === 0).map(({ id }) => id)
  for (const id of ready) {
    for (const dependent of dependents.get(id) ?? []) {
      const remaining = (pendingCounts.get(dependent) as number) - 1
      pendingCounts.set(dependent, remaining)
      if (remaining === 0) ready.push(dependent)
    }
  }
  const sorted = new Set(ready)
  const unsorted = plain.filter(({ id }) => !sorted.has(id))
  const [first] = unsorted
  if (first === undefined) return
  // Resources that only depend on a cycle are unsorted too. Members of the cycle have an unsorted dependent.
  const cycle = unsorted.filter(
    ({ id }) => dependents.get(id)?.some((name) => !sorted.has(name)) === true,
  )
  const names = cycle.slice(0, 5).map(({ id }) => toPrintable(id))
  throw new TemplateError(
    (cycle[0] as Resource).at,
    `expected resources without a dependency cycle, got a cycle of ${names.join(', ')}. Remove one dependency.`,
  )
}
