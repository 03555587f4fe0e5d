/** Converts the JSON syntax of Terraform to HCL blocks and expressions. */
import { type Position, TemplateError } from '../position.ts'
import { toBlockAddress } from '../resolve/order.ts'
import type { Entry, Tree } from '../syntax/tree.ts'
import { readPlain } from '../syntax/yaml.ts'
import { type Block, type Body, type Expression, readTemplates } from './hcl.ts'
import { NESTED_BLOCKS } from './mapping.ts'
import type { HclParser } from './parser.ts'

/** The number of labels of each block type. Other blocks have none. */
const LABELS: ReadonlyMap<string, number> = new Map([
  ['resource', 2],
  ['data', 2],
  ['variable', 1],
  ['output', 1],
  ['module', 1],
  ['provider', 1],
  ['check', 1],
])

type Templates = ReadonlyMap<Tree, Expression>

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not well-formed or exceeds a limit. */
export async function readTerraformJson(
  parser: HclParser,
  file: string,
  text: string,
): Promise<Body> {
  const root = await readPlain(file, text)
  if (root.kind !== 'map')
    throw new TemplateError(
      root.at,
      'expected an object of Terraform blocks, got another value. Write an object.',
    )
  const found = [...findTemplates(root)]
  const read = readTemplates(
    parser,
    found.map(({ at, value }) => ({ at, quoted: toQuotedText(value) })),
  )
  const templates = new Map(found.map((tree, index) => [tree, read[index] as Expression]))
  const inner = [...root.entries].flatMap(([type, { at, value }]) =>
    type === '//' ? [] : toBlocks(type, [], LABELS.get(type) ?? 0, at, value, templates),
  )
  return { attributes: new Map(), blocks: inner }
}

type Text = Extract<Tree, { kind: 'scalar' }> & { readonly value: string }

function* findTemplates(tree: Tree): Generator<Text> {
  if (tree.kind === 'scalar') {
    if (typeof tree.value === 'string' && /[$%]\{/.test(tree.value)) yield tree as Text
  } else if (tree.kind === 'list') for (const item of tree.items) yield* findTemplates(item)
  else if (tree.kind === 'map') {
    for (const { value } of tree.entries.values()) yield* findTemplates(value)
  }
}

/** Reads nested objects, one level for each label. Repeated blocks are a list of objects. */
function toBlocks(
  type: string,
  labels: readonly string[],
  missing: number,
  at: Position,
  tree: Tree,
  templates: Templates,
): readonly Block[] {
  if (tree.kind === 'list') {
    return tree.items.flatMap((item) => toBlocks(type, labels, missing, item.at, item, templates))
  }
  if (tree.kind !== 'map') return []
  if (missing === 0) return [{ at, type, labels, ...toBody(tree.entries, type, templates) }]
  return [...tree.entries].flatMap(([label, entry]) =>
    label === '//'
      ? []
      : toBlocks(type, [...labels, label], missing - 1, entry.at, entry.value, templates),
  )
}

function toBody(entries: ReadonlyMap<string, Entry>, type: string, templates: Templates): Body {
  const attributes = new Map<string, Expression>()
  const inner: Block[] = []
  for (const [name, { at, value }] of entries) {
    if (name === '//') continue
    const labels = type === 'check' ? LABELS.get(name) : NESTED_BLOCKS.get(name)
    if (labels !== undefined && areBlocks(value)) {
      inner.push(...toBlocks(name, [], labels, at, value, templates))
    } else if (name === 'depends_on') attributes.set(name, toAddresses(value))
    else if (type === 'import' && name === 'to') attributes.set(name, toAddress(value))
    else attributes.set(name, toExpression(value, type === 'variable' ? new Map() : templates))
  }
  return { attributes, blocks: inner }
}

const areBlocks = (tree: Tree): boolean =>
  tree.kind === 'map' || (tree.kind === 'list' && tree.items.every(({ kind }) => kind === 'map'))

/** Reads `depends_on`, whose strings are references without `${}`. */
function toAddresses(tree: Tree): Expression {
  const items = tree.kind === 'list' ? tree.items : []
  return { kind: 'list', at: tree.at, items: items.map(toAddress) }
}

function toAddress({ at, ...tree }: Tree): Expression {
  const text = tree.kind === 'scalar' ? toBlockAddress(String(tree.value)) : ''
  const [name = '', ...steps] = text.split('.')
  return { kind: 'steps', at, of: { kind: 'name', at, name }, steps }
}

/** @param templates The parsed templates of the document. Other strings are literals. */
export function toExpression(tree: Tree, templates: Templates): Expression {
  const { at } = tree
  if (tree.kind === 'list') {
    return { kind: 'list', at, items: tree.items.map((item) => toExpression(item, templates)) }
  }
  if (tree.kind === 'map') {
    const entries = [...tree.entries].map(([key, entry]) => {
      const name: Expression = /[$%]\{/.test(key)
        ? { kind: 'other', at: entry.at, parts: [] }
        : { kind: 'literal', at: entry.at, value: key }
      return [name, toExpression(entry.value, templates)] as const
    })
    return { kind: 'object', at, entries }
  }
  const { value } = tree as Text
  return templates.get(tree) ?? { kind: 'literal', at, value }
}

/** Converts a JSON string to the content of an HCL string: text outside of templates is escaped. */
function toQuotedText(text: string): string {
  let out = ''
  let index = 0
  while (index < text.length) {
    const mark = text.slice(index, index + 3)
    const end = /^[$%]\{/.test(mark) ? findTemplateEnd(text, index + 2) : index + 1
    if (/^(?:\$\$|%%)\{$/.test(mark)) {
      out += mark
      index += 3
      continue
    }
    const part = text.slice(index, end)
    out += part.length > 1 ? part.replace(/[\r\n]/g, ' ') : JSON.stringify(part).slice(1, -1)
    index = end
  }
  return out
}

/** Returns the index after the closing brace of a template. Its strings may contain templates. */
function findTemplateEnd(text: string, start: number): number {
  const delimiters = ['{']
  let index = start
  for (; index < text.length && delimiters.length > 0; index++) {
    const unit = text[index] as string
    if (delimiters.at(-1) === '"') {
      if (unit === '\\') index += 1
      else if (unit === '"') delimiters.pop()
      else if (/^[$%]\{/.test(text.slice(index, index + 2)) && text[index - 1] !== unit) {
        delimiters.push('{')
        index += 1
      }
    } else if (unit === '"' || unit === '{') delimiters.push(unit)
    else if (unit === '}') delimiters.pop()
  }
  return index
}
