/**
 * What an expression of a template is worth before anything is deployed: both dialects resolve to
 * this. What only a deployment knows stays unknown and keeps what it depends on.
 */

import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'

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

interface PositionedValue {
  readonly at: Position
  /** Every resource it mentions, directly or through names in between. */
  readonly refs: readonly string[]
}

export type Scalar = string | number | boolean | null

export type Value = PositionedValue &
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
  // Lists made of lists double with every name.
  items: items.slice(0, MAX_ITEMS),
  complete: complete && items.length <= MAX_ITEMS,
})

/** Each resource that these values mention, once. */
export function collectRefs(values: Iterable<Value | undefined>): readonly string[] {
  const refs = new Set<string>()
  for (const value of values) for (const ref of value?.refs ?? []) refs.add(ref)
  return [...refs]
}

export const mergeRefs = (...lists: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(lists.flat()),
]

/** The text of a known scalar; numbers and booleans as both dialects write them into strings. */
export function getText(value: Value | undefined): string | undefined {
  if (value?.kind !== 'scalar' || value.value === null) return undefined
  return String(value.value)
}

/** What keeping a value costs: its members, its references, its text by the hundred characters. */
export function measureWeight(value: Value): number {
  const weight = 1 + value.refs.length
  if (value.kind === 'map') return weight + value.entries.size
  if (value.kind !== 'list') return weight + (getText(value)?.length ?? 0) / 100
  return value.items.reduce((sum, item) => sum + 1 + (getText(item)?.length ?? 0) / 100, weight)
}

/**
 * Texts side by side, as `Fn::Sub`, `Fn::Join`, a quoted template: known where every part is. One part
 * alone is itself.
 */
export function concatenate(at: Position, parts: readonly Value[]): Value {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return { ...only, at }
  const refs = collectRefs(parts)
  const pieces: Piece[] = []
  let length = 0
  for (const piece of parts.flatMap(toPieces)) {
    const before = pieces.at(-1)
    if (typeof piece !== 'string') pieces.push(piece)
    else {
      length += piece.length
      if (typeof before === 'string') pieces[pieces.length - 1] = before + piece
      else pieces.push(piece)
    }
    // Texts made of texts double with every name: what is this long is no scope.
    if (length > MAX_TEXT || pieces.length > MAX_PIECES) return createUnknown(at, refs)
  }
  const [text = ''] = pieces
  if (pieces.length < 2 && typeof text === 'string') return createScalar(at, text, refs)
  return { kind: 'unknown', at, refs, source: {}, pieces }
}

function toPieces(part: Value): readonly Piece[] {
  if (part.kind === 'unknown') return part.pieces ?? [part.source]
  return [getText(part) ?? {}]
}

/** Longest way from a name to a value; each step is a part of the stack. */
const MAX_REFERENCE_DEPTH = 100

export class ReferenceResolver {
  readonly #resolved = new Map<string, Value>()
  readonly #pending: string[] = []

  /** @throws {TemplateError} where `name` leads back to itself. */
  resolve(key: string, name: string, at: Position, read: () => Value): Value {
    const known = this.#resolved.get(key)
    // Once: names that mention others twice double the work with every step.
    if (known !== undefined) return known
    const before = this.#pending.indexOf(key)
    if (before >= 0 || this.#pending.length === MAX_REFERENCE_DEPTH) {
      const problem =
        before < 0
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

const SERVER = 'AWS::Cognito::UserPoolResourceServer'
/** Steps from resource to resource; a template of any use takes a few hundred. */
const MAX_DEPENDENCY_STEPS = 1_000_000

/** Each resource with the resource servers that anything it waits for waits for. */
export function addIndirectDependencies(resources: readonly Resource[]): readonly Resource[] {
  const followers = new Map<string, string[]>()
  for (const { id, dependsOn } of resources) {
    for (const name of dependsOn) {
      const list = followers.get(name)
      if (list === undefined) followers.set(name, [id])
      else list.push(id)
    }
  }
  const servers = new Map<string, string[]>()
  let left = MAX_DEPENDENCY_STEPS
  for (const { id: server } of resources.filter(({ type }) => type === SERVER)) {
    const reached = new Set([server])
    for (const id of reached) {
      for (const follower of followers.get(id) ?? []) {
        left -= 1
        if (left > 0) reached.add(follower)
      }
    }
    reached.delete(server)
    for (const id of reached) {
      const list = servers.get(id)
      if (list === undefined) servers.set(id, [server])
      else list.push(server)
    }
  }
  return resources.map((resource) => ({
    ...resource,
    dependsOn: mergeRefs(resource.dependsOn, servers.get(resource.id) ?? []),
  }))
}

/** @throws {TemplateError} at a resource that waits for itself. */
export function assertAcyclic(resources: readonly Resource[]): void {
  // What SAM's resources become refers to each other in other ways than they do.
  const plain = resources.filter(({ type }) => !type.startsWith('AWS::Serverless::'))
  const byId = new Map(plain.map((resource) => [resource.id, resource]))
  const pendingCounts = new Map(plain.map(({ id }) => [id, 0]))
  const followers = new Map<string, string[]>()
  for (const { id, dependsOn } of plain) {
    for (const name of dependsOn) {
      if (!byId.has(name)) continue
      pendingCounts.set(id, (pendingCounts.get(id) as number) + 1)
      const list = followers.get(name)
      if (list === undefined) followers.set(name, [id])
      else list.push(id)
    }
  }
  const ready = plain.filter(({ id }) => pendingCounts.get(id) === 0).map(({ id }) => id)
  for (const id of ready) {
    for (const follower of followers.get(id) ?? []) {
      const left = (pendingCounts.get(follower) as number) - 1
      pendingCounts.set(follower, left)
      if (left === 0) ready.push(follower)
    }
  }
  const done = new Set(ready)
  const stuck = plain.filter(({ id }) => !done.has(id))
  const [first] = stuck
  if (first === undefined) return
  // One that only follows a circle is stuck as well: those in it are followed by another one.
  const cycle = stuck.filter(
    ({ id }) => followers.get(id)?.some((name) => !done.has(name)) === true,
  )
  const names = cycle.slice(0, 5).map(({ id }) => toPrintable(id))
  throw new TemplateError(
    (cycle[0] as Resource).at,
    `expected resources without a dependency cycle, got a cycle of ${names.join(', ')}. Remove one dependency.`,
  )
}
