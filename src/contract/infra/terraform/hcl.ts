/** Converts the syntax tree of tree-sitter to HCL blocks and expressions with positions. */
import type { Node } from 'web-tree-sitter'
import { type Position, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'
import { type Budget, checkLimits, createValueBudget, MAX_HCL_LENGTH } from '../syntax/limits.ts'
import type { HclParser } from './parser.ts'

/** `.name`, `[index]`, or `.*` (null). */
export type Step = string | Expression | null

export type Expression = { readonly at: Position } & (
  | { readonly kind: 'literal'; readonly value: Scalar }
  | { readonly kind: 'template'; readonly parts: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'steps'; readonly of: Expression; readonly steps: readonly Step[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | ({ readonly kind: 'for' } & For)
  /** Conditions, operators and loops in templates. Their value is unknown, but their references count. */
  | {
      readonly kind: 'other'
      readonly parts: readonly Expression[]
      /** The variables of a loop. */
      readonly names?: readonly string[]
    }
)

/** `[for KEY, VALUE in OVER : RESULT]` or `{ for VALUE in OVER : RESULT => RESULT }`. */
export interface For {
  /** The variables: the value, or the key and the value. */
  readonly names: readonly string[]
  readonly over: Expression
  /** The value of an item, or the key and the value of a member. */
  readonly results: readonly Expression[]
  /** The condition. */
  readonly conditions: readonly Expression[]
  /** Whether `...` groups members with the same key. */
  readonly isGrouped: boolean
}

export type GetPosition = (node: Node) => Position

const MAX_DEPTH = 100
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

export interface HclContext {
  readonly getPosition: GetPosition
  readonly spend: Budget
}

const isNotComment = ({ type }: Node): boolean => type !== 'comment'

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the recursion is too deep. */
function checkDepth(at: Position, depth: number): void {
  if (depth > MAX_DEPTH)
    throw new TemplateError(
      at,
      `expected at most ${MAX_DEPTH} nested levels, got more. Split the expression.`,
    )
}

export function toExpression(node: Node, context: HclContext, depth: number): Expression {
  const at = context.getPosition(node)
  context.spend(at)
  checkDepth(at, depth)
  const inner = (child: Node): Expression => toExpression(child, context, depth + 1)
  const children = node.namedChildren.filter(isNotComment)
  const [first, ...rest] = children
  switch (node.type) {
    case 'expression':
    case 'literal_value':
    case 'collection_value':
    case 'template_expr':
      return toTerm([first as Node, ...rest], at, inner)
    case 'string_lit':
      return { kind: 'literal', at, value: getLiteralText(node) }
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
      return { kind: 'object', at, entries: toObjectEntries(children, inner) }
    case 'function_call':
      return toCall(node, at, inner)
    case 'quoted_template':
      return toTemplate(node, at, inner)
    case 'for_expr':
      return inner(first as Node)
    case 'for_tuple_expr':
    case 'for_object_expr':
      return { kind: 'for', at, ...toFor(children, inner) }
    default: {
      const parts = listTerms(children).map((term) =>
        toTerm(term, context.getPosition(term[0]), inner),
      )
      return { kind: 'other', at, parts, names: children.flatMap(getLoopNames) }
    }
  }
}

/** A value, and the steps that follow it. */
type Term = readonly [Node, ...Node[]]

const STEP_TYPES: ReadonlySet<string> = new Set(['get_attr', 'index', 'splat'])

/** Lists operands of an operation, or parts of a template. In an operation, steps are siblings of their value. */
function listTerms(children: readonly Node[]): readonly Term[] {
  const terms: [Node, ...Node[]][] = []
  for (const child of children) {
    if (STEP_TYPES.has(child.type)) terms.at(-1)?.push(child)
    else if (hasChildren(child)) terms.push([child])
  }
  return terms
}

function toTerm(
  [first, ...rest]: Term,
  at: Position,
  inner: (child: Node) => Expression,
): Expression {
  const of = inner(first)
  const steps = rest.flatMap((step) => toSteps(step, inner))
  return steps.length === 0 ? of : { kind: 'steps', at, of, steps }
}

function toFor(children: readonly Node[], inner: (child: Node) => Expression): For {
  const listInner = (type: string): readonly Node[] =>
    children.filter((child) => child.type === type).flatMap((child) => child.namedChildren)
  const intro = listInner('for_intro')
  const [over] = intro.filter(isExpression) as [Node]
  return {
    names: intro.filter(({ type }) => type === 'identifier').map(({ text }) => text),
    over: inner(over),
    results: children.filter(isExpression).map(inner),
    conditions: listInner('for_cond').filter(isExpression).map(inner),
    isGrouped: children.some(({ type }) => type === 'ellipsis'),
  }
}

const getLoopNames = ({ type, namedChildren }: Node): string[] =>
  type === 'template_for_start'
    ? namedChildren.filter(({ type }) => type === 'identifier').map(({ text }) => text)
    : []

const isExpression = ({ type }: Node): boolean => type === 'expression'
const hasChildren = ({ namedChildCount, type }: Node): boolean =>
  namedChildCount > 0 || type === 'variable_expr'

function toSteps(node: Node, inner: (child: Node) => Expression): Step[] {
  const [child] = node.namedChildren.filter(isNotComment) as [Node]
  if (node.type === 'get_attr') return [child.text]
  if (node.type !== 'index') return [null]
  // `[0]` and the older `.0`.
  const [index] = child.namedChildren.filter(isNotComment)
  return index === undefined || child.type !== 'new_index' ? [null] : [inner(index)]
}

function toObjectEntries(
  elements: readonly Node[],
  inner: (child: Node) => Expression,
): (readonly [Expression, Expression])[] {
  return elements
    .filter(({ type }) => type === 'object_elem')
    .map((element) => {
      const [key, value] = element.namedChildren.filter(isExpression).map(inner)
      const { kind, at } = key as Expression
      // An identifier as key is a literal, not a reference.
      const word =
        kind === 'name'
          ? ({ kind: 'literal', at, value: (key as { name: string }).name } as const)
          : key
      return [word as Expression, value as Expression] as const
    })
}

function toCall(node: Node, at: Position, inner: (child: Node) => Expression): Expression {
  const [name, list] = node.namedChildren.filter(isNotComment) as [Node, Node?]
  const children = list?.namedChildren.filter(isNotComment) ?? []
  const values = children.filter(isExpression).map(inner)
  // With `f(list...)`, the number of arguments is unknown.
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
    // By offset, because leading blanks are not in a node of the tree.
    const text = node.text.slice(end - node.startIndex, to - node.startIndex)
    if (text !== '') parts.push({ kind: 'literal', at, value: unescapeText(text) })
  }
  for (const child of node.namedChildren.filter(({ type }) => /^template_[di]/.test(type))) {
    literal(child.startIndex)
    end = child.endIndex
    const directive = child.type === 'template_directive'
    const [expression] = directive ? [child] : child.namedChildren.filter(isExpression)
    if (expression !== undefined) parts.push(inner(expression))
    // Directives and strip markers (`~`) change the text around them.
    plain &&= !directive && !/^\$\{~|~\}$/.test(child.text)
  }
  literal(node.endIndex - 1)
  return { kind: plain ? 'template' : 'other', at, parts }
}

const getLiteralText = (node: Node): string => unescapeText(node.text.slice(1, -1))

function unescapeText(text: string): string {
  return text
    .replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, short, long, mark) =>
      mark === undefined ? decodeCodePoint(short ?? long) : (ESCAPES.get(mark) ?? mark),
    )
    .replace(/([$%])\1\{/g, '$1{')
}

const decodeCodePoint = (hex: string): string => {
  const code = Number.parseInt(hex, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
}

export interface Block {
  readonly at: Position
  readonly type: string
  readonly labels: readonly string[]
  readonly attributes: ReadonlyMap<string, Expression>
  readonly blocks: readonly Block[]
}

export type Body = Pick<Block, 'attributes' | 'blocks'>

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not well-formed or exceeds a limit. */
export function readHcl(parser: HclParser, file: string, text: string): Block {
  checkLimits(file, text, MAX_HCL_LENGTH)
  return toRoot(parser, text, ({ startPosition: { row, column } }) => ({
    file,
    line: row + 1,
    column: column + 1,
  }))
}

/**
 * Parses texts that contain templates (`a-${var.b}`).
 *
 * @param texts The content of each HCL string, without its quotes, on one line.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` at the position of a text that is not well-formed.
 */
export function readTemplates(
  parser: HclParser,
  texts: readonly { readonly at: Position; readonly quoted: string }[],
): readonly Expression[] {
  const [first] = texts
  if (first === undefined) return []
  // The check of the JSON file did not see brackets that were escaped.
  for (const { at, quoted } of texts) checkLimits(at.file, quoted, MAX_HCL_LENGTH, () => at)
  const text = texts.map(({ quoted }, index) => `t${index} = "${quoted}"`).join('\n')
  if (text.length > MAX_HCL_LENGTH)
    throw new TemplateError(
      first.at,
      `expected templates of at most ${MAX_HCL_LENGTH} characters, got more. Split the file.`,
    )
  const getPosition: GetPosition = ({ startPosition: { row } }) =>
    (texts[row] as { at: Position }).at
  return [...toRoot(parser, text, getPosition).attributes.values()]
}

/**
 * Parses one expression.
 *
 * @param at The position of every node of the expression.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not one expression.
 */
export function readValue(parser: HclParser, at: Position, text: string): Expression {
  checkLimits(at.file, text, MAX_HCL_LENGTH)
  try {
    const { attributes, blocks } = toRoot(parser, `value = ${text}`, () => at)
    const [value] = attributes.values()
    if (value !== undefined && attributes.size === 1 && blocks.length === 0) return value
  } catch {}
  throw new TemplateError(
    at,
    'expected an HCL expression as the value of the variable, got other text. Quote its strings.',
  )
}

function toRoot(parser: HclParser, text: string, getPosition: GetPosition): Block {
  const tree = parser(text)
  try {
    const { rootNode } = tree
    if (rootNode.hasError) {
      const at = getPosition(findFirstError(rootNode))
      throw new TemplateError(
        at,
        'expected valid HCL, got a syntax error. Correct the syntax here or on the line before.',
      )
    }
    const body = rootNode.namedChildren.find(({ type }) => type === 'body')
    const at = getPosition(rootNode)
    return {
      at,
      type: '',
      labels: [],
      ...toBody(body, { getPosition, spend: createValueBudget() }, 0),
    }
  } finally {
    tree.delete()
  }
}

/** Finds the innermost error. Blocks that contain an error are errors too. */
function findFirstError(root: Node): Node {
  let node = root
  for (;;) {
    const inner = node.children.find((child) => child.isError || child.isMissing || child.hasError)
    if (inner === undefined || node.isMissing) break
    node = inner
  }
  // The error is after the last child that was parsed.
  const lastParsed = node.isError ? node.namedChildren.at(-1) : undefined
  return lastParsed ?? node
}

function toBody(body: Node | undefined, context: HclContext, depth: number): Body {
  const attributes = new Map<string, Expression>()
  const blocks: Block[] = []
  for (const child of body?.namedChildren ?? []) {
    if (child.type === 'block') blocks.push(toBlock(child, context, depth + 1))
    if (child.type !== 'attribute') continue
    const [name, value] = child.namedChildren.filter(isNotComment) as [Node, Node]
    if (attributes.has(name.text)) {
      throw new TemplateError(
        context.getPosition(name),
        'expected a unique argument, got a repeated one. Remove one of the two.',
      )
    }
    attributes.set(name.text, toExpression(value, context, depth + 1))
  }
  return { attributes, blocks }
}

function toBlock(node: Node, context: HclContext, depth: number): Block {
  const at = context.getPosition(node)
  checkDepth(at, depth)
  const [type, ...rest] = node.namedChildren.filter(isNotComment) as [Node, ...Node[]]
  const labels = rest.filter(({ type }) => type === 'string_lit' || type === 'identifier')
  const body = rest.find(({ type }) => type === 'body')
  return {
    at,
    type: type.text,
    labels: labels.map((label) =>
      label.type === 'identifier' ? label.text : getLiteralText(label),
    ),
    ...toBody(body, context, depth),
  }
}
