/** The syntax tree of YAML and JSON documents, and readers that check the kinds of nodes. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'

/** One node of a document, after its aliases are resolved. */
export type Tree = { readonly at: Position } & (
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Entry> }
  /** `!Sub x` or `{ Fn::Sub: x }`. The name is the long form: `Ref`, `Fn::Sub`, `Condition`. */
  | { readonly kind: 'call'; readonly name: string; readonly argument: Tree }
)

export interface Entry {
  /** The position of the key. */
  readonly at: Position
  readonly value: Tree
}

type Entries = ReadonlyMap<string, Entry>

const NONE: Entries = new Map()
const KIND_NAMES = {
  scalar: 'a scalar',
  list: 'a list',
  map: 'an object',
  call: 'an intrinsic function',
} as const
/** Longest chain of references. */
const MAX_STEPS = 20

const describeKind = (tree: Tree): string =>
  tree.kind === 'scalar' && tree.value === null ? 'an empty value' : KIND_NAMES[tree.kind]

/** Returns the members of an object. Empty if the node is missing. */
export function readMap(tree: Tree | undefined): Entries {
  if (tree === undefined) return NONE
  if (tree.kind === 'map') return tree.entries
  throw new TemplateError(
    tree.at,
    `expected an object, got ${describeKind(tree)}. Write an object.`,
  )
}

/** Returns the items of a list. Empty if the node is missing. */
export function readTreeList(tree: Tree | undefined): readonly Tree[] {
  if (tree === undefined) return []
  if (tree.kind === 'list') return tree.items
  throw new TemplateError(tree.at, `expected a list, got ${describeKind(tree)}. Write a list.`)
}

/** Returns a scalar as a string. */
export function readText(tree: Tree | undefined): string | undefined {
  if (tree === undefined) return undefined
  if (tree.kind === 'scalar' && tree.value !== null) return String(tree.value)
  throw new TemplateError(tree.at, `expected a string, got ${describeKind(tree)}. Write a string.`)
}

/** Resolves a `$ref` within the document. Other nodes are returned unchanged. Opens no file. */
export function followReference(tree: Tree, root: Tree): Tree {
  let current = tree
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const ref = current.kind === 'map' ? current.entries.get('$ref')?.value : undefined
    if (ref === undefined) return current
    const text = readText(ref) as string
    const found = text.startsWith('#/') ? resolvePointer(text.slice(2), root) : undefined
    if (found === undefined) {
      const problem = `expected a reference within the document, got ${toPrintable(text)}`
      throw new TemplateError(
        ref.at,
        `${problem}. Correct the reference or bundle the files into one.`,
      )
    }
    current = found
  }
  throw new TemplateError(
    tree.at,
    `expected at most ${MAX_STEPS} references in a chain, got more. Shorten the chain.`,
  )
}

/** Resolves a JSON pointer in a URI fragment (RFC 6901 section 6). */
function resolvePointer(pointer: string, root: Tree): Tree | undefined {
  let current: Tree | undefined = root
  for (const part of pointer.split('/')) {
    const name = unescapePointer(part)
    if (current?.kind === 'list') current = current.items[Number(name)]
    else current = current?.kind === 'map' ? current.entries.get(name)?.value : undefined
  }
  return current
}

const unescapePointer = (part: string): string =>
  part
    .replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
