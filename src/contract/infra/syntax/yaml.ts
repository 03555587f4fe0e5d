/** CloudFormation's YAML and JSON as a tree that keeps positions and short-form intrinsics. */
import type { Alias, Document, Node, Pair } from 'yaml'
import { type Position, positionAt, TemplateError } from '../position.ts'
import type { Scalar } from '../resolve/value.ts'
import { readJson } from './json.ts'
import { type Budget, checkLimits, createValueBudget } from './limits.ts'
import type { Entry, Tree } from './tree.ts'

const MAX_DEPTH = 100
const MAX_DIRECTIVES = 5
/** Where the parser's words are about its own interface. */
const PARSER_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['MULTIPLE_DOCS', 'a second document. Split the file.'],
  ['RESOURCE_EXHAUSTION', 'values that are nested too deep. Split the file.'],
])
const INTRINSIC = /^(?:Ref|Condition|Fn::[A-Za-z0-9]+(?:::[A-Za-z0-9]+)*)$/

type Entries = ReadonlyMap<string, Entry>

interface YamlContext {
  readonly getPosition: (node: unknown) => Position
  readonly targets: ReadonlyMap<Alias, Node>
  readonly yaml: typeof import('yaml')
  readonly spend: Budget
  readonly intrinsics: boolean
}

/**
 * Parses a template: JSON where the file's name says so, else YAML. Nothing in it is executed or made
 * an object: unknown tags stay tags.
 *
 * @throws {TemplateError} where it is not well-formed or too large.
 */
export const readYaml = (file: string, text: string): Promise<Tree> => readTree(file, text, true)

/** The same of a document that has no intrinsic functions. */
export const readPlain = (file: string, text: string): Promise<Tree> => readTree(file, text, false)

async function readTree(file: string, text: string, intrinsics: boolean): Promise<Tree> {
  checkLimits(file, text)
  const spend = createValueBudget()
  if (/\.json$/i.test(file)) {
    const makeMap = (entries: Entries, at: Position): Tree => toMapOrCall(entries, at, intrinsics)
    return readJson({ file, text, spend, makeMap })
  }
  checkDirectives(file, text)
  // Loaded when a template is read: who checks none pays nothing.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  // JSON under another name may indent with tabs, which YAML may not; as many blanks keep the columns.
  const json = /^\s*\{/.test(text)
  const source = json ? text.replace(/^[\t ]+/gm, (blank) => ' '.repeat(blank.length)) : text
  const { document, targets } = parse(yaml, source, lines, at)
  const getPosition = (node: unknown): Position =>
    at((node as { range?: readonly number[] } | null)?.range?.[0] ?? 0)
  const reading = { getPosition, targets, yaml, spend, intrinsics }
  return toTree(document.contents, reading, 0)
}

function parse(
  yaml: typeof import('yaml'),
  source: string,
  lineCounter: InstanceType<typeof import('yaml')['LineCounter']>,
  at: (offset: number) => Position,
): { document: Document; targets: ReadonlyMap<Alias, Node> } {
  // The reader finds duplicate keys itself: the parser compares every pair.
  const options = { version: '1.1', uniqueKeys: false, prettyErrors: false, lineCounter } as const
  // 'error': further documents count as one.
  const document = yaml.parseDocument(source, { ...options, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) {
    const problem =
      PARSER_MESSAGES.get(error.code) ??
      `an error: ${shortenMessage(error.message)}. Correct the syntax.`
    throw new TemplateError(at(error.pos[0]), `expected valid YAML, got ${problem}`)
  }
  return { document, targets: findAliasTargets(yaml, document) }
}

/** Templates have one, `%YAML 1.1`, if any; each costs the parser as much as a page of text. */
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

/** The last anchor of its name before each alias, in one pass: the parser looks from the start for each. */
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

/** The parser's words without what they quote of the text. */
function shortenMessage(message: string): string {
  return (message.split('\n')[0] as string).replace(/: ".*$/s, '').slice(0, 120)
}

function toTree(node: unknown, reading: YamlContext, depth: number): Tree {
  const { yaml, getPosition } = reading
  const at = getPosition(node)
  reading.spend(at)
  if (depth > MAX_DEPTH)
    throw new TemplateError(
      at,
      `expected at most ${MAX_DEPTH} nested levels, got more. Split the template.`,
    )
  if (yaml.isAlias(node)) {
    const target = reading.targets.get(node)
    if (target === undefined)
      throw new TemplateError(
        at,
        'expected the alias of an anchor, got one without an anchor. Define the anchor before it.',
      )
    return { ...toTree(target, reading, depth + 1), at }
  }
  const plain = toPlainTree(node, at, reading, depth)
  const { tag } = (node ?? {}) as Node
  if (typeof tag !== 'string' || !/^![A-Za-z]/.test(tag) || !reading.intrinsics) return plain
  const name = tag.slice(1)
  const long = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`
  return { kind: 'call', at, name: long, argument: plain }
}

function toPlainTree(node: unknown, at: Position, reading: YamlContext, depth: number): Tree {
  const { yaml } = reading
  if (yaml.isSeq(node)) {
    return { kind: 'list', at, items: node.items.map((item) => toTree(item, reading, depth + 1)) }
  }
  if (yaml.isMap(node)) return toMap(node.items, at, reading, depth)
  const value: unknown = yaml.isScalar(node) ? node.value : null
  const isSupported = value === null || ['string', 'number', 'boolean'].includes(typeof value)
  return {
    kind: 'scalar',
    at,
    value: isSupported ? (value as Scalar) : (node as Node & { source: string }).source,
  }
}

function toMap(pairs: readonly Pair[], at: Position, reading: YamlContext, depth: number): Tree {
  const entries = new Map<string, Entry>()
  const merged: Tree[] = []
  for (const { key, value } of pairs) {
    const keyAt = reading.getPosition(key)
    const name = readKey(key)
    if (entries.has(name))
      throw new TemplateError(
        keyAt,
        'expected a unique key, got a repeated one. Remove one of the two.',
      )
    const tree = toTree(value, reading, depth + 1)
    if (name === '<<' && (key as { type?: string }).type === 'PLAIN') {
      merged.push(...(tree.kind === 'list' ? tree.items : [tree]))
      continue
    }
    // An empty value has no position.
    entries.set(name, { at: keyAt, value: value ? tree : { ...tree, at: keyAt } })
  }
  // What is written wins over what is merged, what is merged first over the rest.
  for (const tree of merged) {
    if (tree.kind !== 'map')
      throw new TemplateError(tree.at, 'expected a map to merge, got another value. Name a map.')
    for (const [name, entry] of tree.entries) if (!entries.has(name)) entries.set(name, entry)
  }
  return toMapOrCall(entries, at, reading.intrinsics)
}

/** One member named as an intrinsic function is that function. */
function toMapOrCall(entries: Entries, at: Position, intrinsics: boolean): Tree {
  const [only] = entries
  if (intrinsics && only !== undefined && entries.size === 1 && INTRINSIC.test(only[0])) {
    return { kind: 'call', at, name: only[0], argument: only[1].value }
  }
  return { kind: 'map', at, entries }
}

/** As it is written: `on` and `2010-09-09` are keys, not a boolean and a date. */
function readKey(key: unknown): string {
  const { source, value } = key as { source?: string; value?: unknown }
  return typeof value === 'string' ? value : (source ?? String(value))
}
