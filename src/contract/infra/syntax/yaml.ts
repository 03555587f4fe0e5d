/** Parses YAML and JSON documents into a tree with positions and intrinsic functions. */
import type { Alias, Document, Node, Pair } from 'yaml'
import { type Position, positionAt, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'
import { indentFlowLines } from './flow-lines.ts'
import { readJson } from './json.ts'
import { type Budget, checkLimits, createValueBudget } from './limits.ts'
import type { Entry, Tree } from './tree.ts'

const MAX_DEPTH = 100
const MAX_DIRECTIVES = 5
/** Replaces messages of the parser that refer to its API. */
const PARSER_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['MULTIPLE_DOCS', 'a second document. Split the file.'],
  ['RESOURCE_EXHAUSTION', 'values that are nested too deep. Split the file.'],
])
const INTRINSIC = /^(?:Ref|Condition|Fn::[A-Za-z0-9]+(?:::[A-Za-z0-9]+)*)$/

type Entries = ReadonlyMap<string, Entry>

let loading: Promise<typeof import('yaml')> | undefined

interface YamlContext {
  readonly getPosition: (node: unknown) => Position
  readonly targets: ReadonlyMap<Alias, Node>
  readonly yaml: typeof import('yaml')
  readonly spend: Budget
  readonly intrinsics: boolean
  readonly onRepeatedKey: OnRepeatedKey
}

/** Called at each key that occurred before in its map. If it returns, the last value of the key counts. */
export type OnRepeatedKey = (at: Position, name: string) => void

/**
 * Parses a CloudFormation template: JSON if the file name ends in `.json`, else YAML. Custom tags create no objects.
 *
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not well-formed or exceeds a limit.
 */
export const readYaml = (file: string, text: string, onRepeatedKey: OnRepeatedKey): Promise<Tree> =>
  readTree(file, text, true, onRepeatedKey)

/** Parses a document without intrinsic functions and repeated keys. */
export const readPlain = (file: string, text: string): Promise<Tree> =>
  readTree(file, text, false, rejectRepeatedKey)

function rejectRepeatedKey(at: Position): never {
  throw new TemplateError(at, 'expected a unique key, got a repeated one. Remove one of the two.')
}

async function readTree(
  file: string,
  text: string,
  intrinsics: boolean,
  onRepeatedKey: OnRepeatedKey,
): Promise<Tree> {
  checkLimits(file, text)
  const spend = createValueBudget()
  if (/\.json$/i.test(file)) {
    const makeMap = (entries: Entries, at: Position): Tree => toMapOrCall(entries, at, intrinsics)
    return readJson({ file, text, spend, makeMap, onRepeatedKey })
  }
  checkDirectives(file, text)
  // Loaded on demand, because apps that read no template do not need it. Once, because many templates may be read.
  loading ??= import('yaml')
  const yaml = await loading
  // JSON in a file with another name may be indented with tabs, which YAML rejects. One space each keeps the columns.
  const json = /^\s*\{/.test(text)
  const source = json ? text.replace(/^[\t ]+/gm, (blank) => ' '.repeat(blank.length)) : text
  const { document, at } = parse(yaml, file, source)
  const targets = findAliasTargets(yaml, document)
  const getPosition = (node: unknown): Position =>
    at((node as { range?: readonly number[] } | null)?.range?.[0] ?? 0)
  const context = { getPosition, targets, yaml, spend, intrinsics, onRepeatedKey }
  return toTree(document.contents, context, 0)
}

interface ParsedDocument {
  readonly document: Document
  readonly at: (offset: number) => Position
}

/**
 * Parses a document as YAML requires, or else as the parser of the SAM CLI (PyYAML) does: it ignores indentation
 * inside of brackets and quotes.
 */
function parse(yaml: typeof import('yaml'), file: string, source: string): ParsedDocument {
  const strict = parseStrictly(yaml, file, source, new Map())
  const [error] = strict.document.errors
  if (error === undefined) return strict
  const { text, added } = indentFlowLines(source)
  const lenient = added.size > 0 ? parseStrictly(yaml, file, text, added) : strict
  if (lenient.document.errors.length === 0) return lenient
  const problem =
    PARSER_MESSAGES.get(error.code) ??
    `an error: ${shortenMessage(error.message)}. Correct the syntax.`
  throw new TemplateError(strict.at(error.pos[0]), `expected valid YAML, got ${problem}`)
}

/** @param added The number of columns that were added to each line. */
function parseStrictly(
  yaml: typeof import('yaml'),
  file: string,
  text: string,
  added: ReadonlyMap<number, number>,
): ParsedDocument {
  const lineCounter = new yaml.LineCounter()
  // toMap detects duplicate keys, because the parser takes quadratic time for it.
  const options = { version: '1.1', uniqueKeys: false, prettyErrors: false, lineCounter } as const
  // With 'error', a second document is an error, not a warning.
  const document = yaml.parseDocument(text, { ...options, logLevel: 'error' })
  const at = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col - (added.get(line) ?? 0), 1) }
  }
  return { document, at }
}

/** Directives are expensive to parse. Templates have at most one, `%YAML 1.1`. */
function checkDirectives(file: string, text: string): void {
  const directives = [...text.matchAll(/^%/gm)]
  const surplus = directives[MAX_DIRECTIVES]
  if (surplus === undefined) return
  const at = positionAt(file, text, surplus.index)
  throw new TemplateError(
    at,
    `expected at most ${MAX_DIRECTIVES} directives, got more. Remove them.`,
  )
}

/** Finds the last anchor before each alias in one pass. The parser searches the document for each alias. */
function findAliasTargets(
  yaml: typeof import('yaml'),
  document: Document,
): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  yaml.visit(document, {
    Node: (_, node) => {
      const target = yaml.isAlias(node) ? anchors.get(node.source) : undefined
      if (target !== undefined) targets.set(node as Alias, target)
      else if (!yaml.isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
    },
  })
  return targets
}

/** Removes quoted text of the document from a message of the parser. */
function shortenMessage(message: string): string {
  return (message.split('\n')[0] as string).replace(/: ".*$/s, '').slice(0, 120)
}

function toTree(node: unknown, context: YamlContext, depth: number): Tree {
  const { yaml, getPosition } = context
  const at = getPosition(node)
  context.spend(at)
  if (depth > MAX_DEPTH)
    throw new TemplateError(
      at,
      `expected at most ${MAX_DEPTH} nested levels, got more. Split the template.`,
    )
  if (yaml.isAlias(node)) {
    const target = context.targets.get(node)
    if (target === undefined)
      throw new TemplateError(
        at,
        'expected the alias of an anchor, got one without an anchor. Define the anchor before it.',
      )
    return { ...toTree(target, context, depth + 1), at }
  }
  const plain = toPlainTree(node, at, context, depth)
  const { tag } = (node ?? {}) as Node
  if (typeof tag !== 'string' || !/^![A-Za-z]/.test(tag) || !context.intrinsics) return plain
  const name = tag.slice(1)
  const long = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`
  return { kind: 'call', at, name: long, argument: plain }
}

function toPlainTree(node: unknown, at: Position, context: YamlContext, depth: number): Tree {
  const { yaml } = context
  if (yaml.isSeq(node)) {
    return { kind: 'list', at, items: node.items.map((item) => toTree(item, context, depth + 1)) }
  }
  if (yaml.isMap(node)) return toMap(node.items, at, context, depth)
  const value: unknown = yaml.isScalar(node) ? node.value : null
  const isSupported = value === null || ['string', 'number', 'boolean'].includes(typeof value)
  return {
    kind: 'scalar',
    at,
    value: isSupported ? (value as Scalar) : (node as Node & { source: string }).source,
  }
}

function toMap(pairs: readonly Pair[], at: Position, context: YamlContext, depth: number): Tree {
  const entries = new Map<string, Entry>()
  const merged: Tree[] = []
  for (const { key, value } of pairs) {
    const keyAt = context.getPosition(key)
    const name = readKey(key)
    if (entries.has(name)) context.onRepeatedKey(keyAt, name)
    const tree = toTree(value, context, depth + 1)
    if (name === '<<' && (key as { type?: string }).type === 'PLAIN') {
      merged.push(...(tree.kind === 'list' ? tree.items : [tree]))
      continue
    }
    // An empty value has no position of itself.
    entries.set(name, { at: keyAt, value: value ? tree : { ...tree, at: keyAt } })
  }
  // Explicit keys override merged ones. The first merged map overrides the others.
  for (const tree of merged) {
    if (tree.kind !== 'map')
      throw new TemplateError(tree.at, 'expected a map to merge, got another value. Merge a map.')
    for (const [name, entry] of tree.entries) if (!entries.has(name)) entries.set(name, entry)
  }
  return toMapOrCall(entries, at, context.intrinsics)
}

/** A map with one member that has the name of an intrinsic function is a call. */
function toMapOrCall(entries: Entries, at: Position, intrinsics: boolean): Tree {
  const [only] = entries
  if (intrinsics && only !== undefined && entries.size === 1 && INTRINSIC.test(only[0])) {
    return { kind: 'call', at, name: only[0], argument: only[1].value }
  }
  return { kind: 'map', at, entries }
}

/** Reads the source text of a key: YAML 1.1 would convert `on` to a boolean and `2010-09-09` to a date. */
function readKey(key: unknown): string {
  const { source, value } = key as { source?: string; value?: unknown }
  return typeof value === 'string' ? value : (source ?? String(value))
}
