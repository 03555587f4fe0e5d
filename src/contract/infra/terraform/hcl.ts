/** HCL as blocks that keep positions: tree-sitter's syntax, reduced to what templates say. */
import type { Node } from 'web-tree-sitter'
import { type Position, TemplateError } from '../position.ts'
import { checkLimits, MAX_HCL, valueBudget } from '../syntax/limits.ts'
import {
  checkDepth,
  type Expression,
  isMeaning,
  literalText,
  type Place,
  type Reading,
  toExpression,
} from './hcl-expression.ts'
import type { HclParser } from './parser.ts'

export interface Block {
  readonly at: Position
  readonly type: string
  readonly labels: readonly string[]
  readonly attributes: ReadonlyMap<string, Expression>
  readonly blocks: readonly Block[]
}

export type Body = Pick<Block, 'attributes' | 'blocks'>

/** @throws {TemplateError} where it is not well-formed or too large. */
export function readHcl(parser: HclParser, file: string, text: string): Block {
  checkLimits(file, text, MAX_HCL)
  return toRoot(parser, text, ({ startPosition: { row, column } }) => ({
    file,
    line: row + 1,
    column: column + 1,
  }))
}

/**
 * Texts with templates in them (`a-${var.b}`), each as it stands between quotes on one line of HCL.
 *
 * @throws {TemplateError} at the place of one that is not well-formed.
 */
export function readTemplates(
  parser: HclParser,
  texts: readonly { readonly at: Position; readonly quoted: string }[],
): readonly Expression[] {
  const [first] = texts
  if (first === undefined) return []
  // Escapes hide brackets from the limits of the file they were read from.
  for (const { at, quoted } of texts) checkLimits(at.file, quoted, MAX_HCL, () => at)
  const text = texts.map(({ quoted }, index) => `t${index} = "${quoted}"`).join('\n')
  if (text.length > MAX_HCL) throw new TemplateError(first.at, 'has too many templates: split it')
  const place: Place = ({ startPosition: { row } }) => (texts[row] as { at: Position }).at
  return [...toRoot(parser, text, place).attributes.values()]
}

/**
 * One expression, all of it at one place.
 *
 * @throws {TemplateError} where it is none.
 */
export function readValue(parser: HclParser, at: Position, text: string): Expression {
  checkLimits(at.file, text, MAX_HCL)
  try {
    const { attributes, blocks } = toRoot(parser, `value = ${text}`, () => at)
    const [value] = attributes.values()
    if (value !== undefined && attributes.size === 1 && blocks.length === 0) return value
  } catch {}
  throw new TemplateError(at, 'is given a value that is no HCL: quote its texts')
}

function toRoot(parser: HclParser, text: string, place: Place): Block {
  const tree = parser(text)
  try {
    const { rootNode } = tree
    if (rootNode.hasError) {
      const at = place(firstError(rootNode))
      throw new TemplateError(at, 'is not well-formed HCL: correct it there, or just before')
    }
    const body = rootNode.namedChildren.find(({ type }) => type === 'body')
    const at = place(rootNode)
    return { at, type: '', labels: [], ...toBody(body, { place, spend: valueBudget() }, 0) }
  } finally {
    tree.delete()
  }
}

/** The innermost: around it, whole blocks count as an error too. */
function firstError(root: Node): Node {
  let node = root
  for (;;) {
    const inner = node.children.find((child) => child.isError || child.isMissing || child.hasError)
    if (inner === undefined || node.isMissing) break
    node = inner
  }
  // What follows the last part that was understood could not be.
  const understood = node.isError ? node.namedChildren.at(-1) : undefined
  return understood ?? node
}

function toBody(body: Node | undefined, reading: Reading, depth: number): Body {
  const attributes = new Map<string, Expression>()
  const blocks: Block[] = []
  for (const child of body?.namedChildren ?? []) {
    if (child.type === 'block') blocks.push(toBlock(child, reading, depth + 1))
    if (child.type !== 'attribute') continue
    const [name, value] = child.namedChildren.filter(isMeaning) as [Node, Node]
    if (attributes.has(name.text)) {
      throw new TemplateError(reading.place(name), 'repeats an argument: leave one of them')
    }
    attributes.set(name.text, toExpression(value, reading, depth + 1))
  }
  return { attributes, blocks }
}

function toBlock(node: Node, reading: Reading, depth: number): Block {
  const at = reading.place(node)
  checkDepth(at, depth)
  const [type, ...rest] = node.namedChildren.filter(isMeaning) as [Node, ...Node[]]
  const labels = rest.filter(({ type }) => type === 'string_lit' || type === 'identifier')
  const body = rest.find(({ type }) => type === 'body')
  return {
    at,
    type: type.text,
    labels: labels.map((label) => (label.type === 'identifier' ? label.text : literalText(label))),
    ...toBody(body, reading, depth),
  }
}
