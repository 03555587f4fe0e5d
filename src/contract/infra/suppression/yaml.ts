/** Reads suppressions in YAML and JSON: comments, `Metadata` of resources, and `"//"` in Terraform JSON. */
import type { Node, Pair, Range } from 'yaml'
import type { Position } from '../position.ts'
import type { Tree } from '../syntax/tree.ts'
import { readYaml } from '../syntax/yaml.ts'
import { createLineIndex, findTarget, type LineIndex } from './lines.ts'
import { type Comment, createResourceSuppression, type Suppression } from './suppression.ts'

type Yaml = typeof import('yaml')

/** Lexemes of the parser that mark a position and have no text. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f'])
/** Precedes the text of a scalar, which may begin with `#`. */
const SCALAR_MARK = '\u001f'

/** Lists the comments of a YAML document, and the values of `"//"` in Terraform JSON. */
export async function listYamlComments(file: string, text: string): Promise<Comment[]> {
  const yaml = await import('yaml')
  const index = createLineIndex(text)
  // JSON may be indented with tabs, which YAML rejects. One space each keeps the offsets.
  const source = text.replace(/^[\t ]+/gm, (blank) => ' '.repeat(blank.length))
  const options = { version: '1.1', uniqueKeys: false, logLevel: 'silent' } as const
  const { contents } = yaml.parseDocument(source, options)
  if (/\.json$/i.test(file)) return listSlashComments(yaml, contents, index, file)
  const elements = listElements(yaml, contents, index)
  return listLexemes(yaml, source).map(({ offset, text: comment }) => ({
    at: index.positionAt(file, offset),
    text: comment.slice(1),
    target: findTarget(index, elements, index.lineAt(offset), index.lineAt(offset)),
  }))
}

function listLexemes(yaml: Yaml, source: string): { offset: number; text: string }[] {
  const comments: { offset: number; text: string }[] = []
  let offset = 0
  let before = ''
  for (const lexeme of new yaml.Lexer().lex(source)) {
    if (before !== SCALAR_MARK && lexeme.startsWith('#')) comments.push({ offset, text: lexeme })
    if (!MARKS.has(lexeme)) offset += lexeme.length
    before = lexeme
  }
  return comments
}

/** Lists the lines of every member and item. */
function listElements(yaml: Yaml, contents: unknown, index: LineIndex): Map<number, number> {
  const elements = new Map<number, number>()
  const add = (first: unknown, last: unknown): void => {
    const [start] = getRange(first)
    const [, end] = getRange(last)
    index.addElement(elements, start, end)
  }
  yaml.visit(contents as Node, {
    Pair: (_, { key, value }: Pair) => add(key, value ?? key),
    Seq: (_, { items }) => {
      // The tag !!pairs makes items that are not nodes.
      for (const item of items) if (yaml.isNode(item)) add(item, item)
    },
  })
  return elements
}

const getRange = (node: unknown): Range => (node as { range: Range }).range

function listSlashComments(
  yaml: Yaml,
  contents: unknown,
  index: LineIndex,
  file: string,
): Comment[] {
  const comments: Comment[] = []
  yaml.visit(contents as Node, {
    Map: (_, map) => {
      for (const { key, value } of map.items) {
        if (!yaml.isScalar(key) || key.value !== '//' || !yaml.isScalar(value)) continue
        const [offset] = getRange(key)
        const [start, end] = getRange(map)
        const target = { firstLine: index.lineAt(start), lastLine: index.lineAt(end - 1) }
        comments.push({ at: index.positionAt(file, offset), text: String(value.value), target })
      }
    },
  })
  return comments
}

/** Reads `Metadata: { cognito-m2m: { ignore: [{ code, reason }] } }` of each resource of a CloudFormation template. */
export async function listMetadataSuppressions(file: string, text: string): Promise<Suppression[]> {
  const resources = getEntry(await readYaml(file, text, ignoreRepeatedKey), 'Resources')
  if (resources?.kind !== 'map') return []
  return [...resources.entries].flatMap(([id, { value }]) => {
    const metadata = getEntry(getEntry(value, 'Metadata'), 'cognito-m2m')
    return metadata === undefined ? [] : readMetadata(id, metadata)
  })
}

/** The reader of the template reports repeated keys. */
function ignoreRepeatedKey(): void {}

function readMetadata(id: string, metadata: Tree): Suppression[] {
  const ignore = getEntry(metadata, 'ignore')
  if (metadata.kind !== 'map' || metadata.entries.size !== 1 || ignore?.kind !== 'list') {
    const problem = 'expected a list named ignore, got other metadata'
    return [createInvalid(metadata.at, id, problem)]
  }
  return ignore.items.map((item): Suppression => {
    const unknown = listUnknownMember(item)
    if (unknown === undefined) {
      const code = getText(getEntry(item, 'code'))
      return createResourceSuppression(item.at, id, code, getText(getEntry(item, 'reason')))
    }
    const problem = `expected an object with code and reason, got ${unknown.name}`
    return createInvalid(unknown.at, id, problem)
  })
}

const createInvalid = (at: Position, text: string, problem: string): Suppression => ({
  kind: 'invalid',
  at,
  text,
  firstLine: at.line,
  problem,
})

function listUnknownMember(item: Tree): { name: string; at: Position } | undefined {
  if (item.kind !== 'map') return { name: 'another value', at: item.at }
  const unknown = [...item.entries].find(([name]) => name !== 'code' && name !== 'reason')
  return unknown && { name: unknown[0], at: unknown[1].at }
}

const getEntry = (tree: Tree | undefined, name: string): Tree | undefined =>
  tree?.kind === 'map' ? tree.entries.get(name)?.value : undefined

const getText = (tree: Tree | undefined): string | undefined =>
  tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
