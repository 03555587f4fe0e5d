/** Nodes of a document, and readers that check their kinds. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'

/** One node of a template, aliases followed. */
export type Tree = { readonly at: Position } & (
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Entry> }
  /** `!Sub x` and `{ Fn::Sub: x }` alike; `name` is the long one's, `Ref`, `Fn::Sub`, `Condition`. */
  | { readonly kind: 'call'; readonly name: string; readonly argument: Tree }
)

export interface Entry {
  /** Where the key stands. */
  readonly at: Position
  readonly value: Tree
}

type Entries = ReadonlyMap<string, Entry>

const NONE: Entries = new Map()
/** Kinds of nodes, for messages. */
const KINDS = {
  scalar: 'a single or empty value',
  list: 'a list',
  map: 'an object',
  call: 'a function',
} as const
/** References that refer to references. */
const MAX_STEPS = 20

/** Empty where it is not written. */
export function readMap(tree: Tree | undefined): Entries {
  if (tree === undefined) return NONE
  if (tree.kind === 'map') return tree.entries
  throw new TemplateError(tree.at, `expected an object, got ${KINDS[tree.kind]}. Write an object.`)
}

export function readTreeList(tree: Tree | undefined): readonly Tree[] {
  if (tree === undefined) return []
  if (tree.kind === 'list') return tree.items
  throw new TemplateError(tree.at, `expected a list, got ${KINDS[tree.kind]}. Write a list.`)
}

export function readText(tree: Tree | undefined): string | undefined {
  if (tree === undefined) return undefined
  if (tree.kind === 'scalar' && tree.value !== null) return String(tree.value)
  throw new TemplateError(tree.at, `expected a string, got ${KINDS[tree.kind]}. Write a string.`)
}

/** What a `$ref` within the document refers to, else the value itself. Other files are never opened. */
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

/** A JSON pointer (RFC 6901) as part of a URI. */
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
