/** HCL's expressions as a tree that keeps positions: tree-sitter's syntax, reduced to what they say. */
import type { Node } from 'web-tree-sitter'
import { type Position, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'
import type { Budget } from '../syntax/limits.ts'

/** `.name`, `[index]`, or `.*`. */
export type Step = string | Expression | null

export type Expression = { readonly at: Position } & (
  | { readonly kind: 'literal'; readonly value: Scalar }
  | { readonly kind: 'template'; readonly parts: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'steps'; readonly of: Expression; readonly steps: readonly Step[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  /** Loops, conditions, operators: not computed, but what they mention counts. */
  | {
      readonly kind: 'other'
      readonly parts: readonly Expression[]
      /** What a loop calls its members. */
      readonly names?: readonly string[]
    }
)

export type Place = (node: Node) => Position

const MAX_DEPTH = 100
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

export interface Reading {
  readonly place: Place
  readonly spend: Budget
}

/** Comments mean nothing. */
export const isMeaning = ({ type }: Node): boolean => type !== 'comment'

/** @throws {TemplateError} where the stack might end. */
export function checkDepth(at: Position, depth: number): void {
  if (depth > MAX_DEPTH) throw new TemplateError(at, `nests deeper than ${MAX_DEPTH} levels`)
}

export function toExpression(node: Node, reading: Reading, depth: number): Expression {
  const at = reading.place(node)
  reading.spend(at)
  checkDepth(at, depth)
  const inner = (child: Node): Expression => toExpression(child, reading, depth + 1)
  const children = node.namedChildren.filter(isMeaning)
  const [first, ...rest] = children
  switch (node.type) {
    case 'expression':
    case 'literal_value':
    case 'collection_value':
    case 'template_expr': {
      const of = inner(first as Node)
      const steps = rest.flatMap((step) => toSteps(step, inner))
      return steps.length === 0 ? of : { kind: 'steps', at, of, steps }
    }
    case 'string_lit':
      return { kind: 'literal', at, value: literalText(node) }
    case 'numeric_lit':
      return { kind: 'literal', at, value: Number(node.text) }
    case 'bool_lit':
      return { kind: 'literal', at, value: node.text === 'true' }
    case 'null_lit':
      return { kind: 'literal', at, value: null }
    case 'variable_expr':
      return { kind: 'name', at, name: node.text }
    case 'tuple':
      return { kind: 'list', at, items: children.filter(isExpression).map(inner) }
    case 'object':
      return { kind: 'object', at, entries: objectEntries(children, inner) }
    case 'function_call':
      return toCall(node, at, inner)
    case 'quoted_template':
      return toTemplate(node, at, inner)
    default: {
      const parts = children.filter(hasChildren).map(inner)
      return { kind: 'other', at, parts, names: children.flatMap(loopNames) }
    }
  }
}

const loopNames = ({ type, namedChildren }: Node): string[] =>
  type === 'for_intro' || type === 'template_for_start'
    ? namedChildren.filter(({ type }) => type === 'identifier').map(({ text }) => text)
    : []

const isExpression = ({ type }: Node): boolean => type === 'expression'
const hasChildren = ({ namedChildCount, type }: Node): boolean =>
  namedChildCount > 0 || type === 'variable_expr'

function toSteps(node: Node, inner: (child: Node) => Expression): Step[] {
  const [child] = node.namedChildren.filter(isMeaning) as [Node]
  if (node.type === 'get_attr') return [child.text]
  if (node.type !== 'index') return [null]
  // `[0]` and the older `.0`.
  const [index] = child.namedChildren.filter(isMeaning)
  return index === undefined || child.type !== 'new_index' ? [null] : [inner(index)]
}

function objectEntries(
  elements: readonly Node[],
  inner: (child: Node) => Expression,
): (readonly [Expression, Expression])[] {
  return elements
    .filter(({ type }) => type === 'object_elem')
    .map((element) => {
      const [key, value] = element.namedChildren.filter(isExpression).map(inner)
      const { kind, at } = key as Expression
      // A bare word is a key, not a name.
      const word =
        kind === 'name'
          ? ({ kind: 'literal', at, value: (key as { name: string }).name } as const)
          : key
      return [word as Expression, value as Expression] as const
    })
}

function toCall(node: Node, at: Position, inner: (child: Node) => Expression): Expression {
  const [name, list] = node.namedChildren.filter(isMeaning) as [Node, Node?]
  const children = list?.namedChildren.filter(isMeaning) ?? []
  const values = children.filter(isExpression).map(inner)
  // `f(list...)` passes as many arguments as the list has.
  if (children.some(({ type }) => type === 'ellipsis') || list?.text.endsWith('...') === true) {
    return { kind: 'other', at, parts: values }
  }
  return { kind: 'call', at, name: name.text, arguments: values }
}

function toTemplate(node: Node, at: Position, inner: (child: Node) => Expression): Expression {
  const parts: Expression[] = []
  let plain = true
  let end = node.startIndex + 1
  const literal = (to: number): void => {
    // By their place: blanks at the start of a text are no node of the tree.
    const text = node.text.slice(end - node.startIndex, to - node.startIndex)
    if (text !== '') parts.push({ kind: 'literal', at, value: unescaped(text) })
  }
  for (const child of node.namedChildren.filter(({ type }) => /^template_[di]/.test(type))) {
    literal(child.startIndex)
    end = child.endIndex
    const directive = child.type === 'template_directive'
    const [expression] = directive ? [child] : child.namedChildren.filter(isExpression)
    if (expression !== undefined) parts.push(inner(expression))
    // Directives, and marks that strip blanks, change the text around them.
    plain &&= !directive && !/^\$\{~|~\}$/.test(child.text)
  }
  literal(node.endIndex - 1)
  return { kind: plain ? 'template' : 'other', at, parts }
}

export const literalText = (node: Node): string => unescaped(node.text.slice(1, -1))

function unescaped(text: string): string {
  return text
    .replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, short, long, mark) =>
      mark === undefined ? codePoint(short ?? long) : (ESCAPES.get(mark) ?? mark),
    )
    .replace(/([$%])\1\{/g, '$1{')
}

const codePoint = (hex: string): string => {
  const code = Number.parseInt(hex, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
}
