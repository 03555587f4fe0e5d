/** Inserts the local files that the transform `AWS::Include` names. Files in S3 stay unknown. */
import { dirname, isAbsolute, join } from 'node:path'
import { TemplateError } from '../position.ts'
import type { Entry, Tree } from '../syntax/tree.ts'
import { type OnRepeatedKey, readYaml } from '../syntax/yaml.ts'

interface SourceFile {
  readonly file: string
  readonly text: string
}

/** Returns a local file. Undefined if it cannot be read. */
export type LoadInclude = (file: string) => SourceFile | undefined | Promise<SourceFile | undefined>

export interface ExpandedTemplate {
  readonly tree: Tree
  /** The texts of the files that were inserted. */
  readonly included: readonly string[]
}

type Entries = ReadonlyMap<string, Entry>

const INCLUDE = 'AWS::Include'
const TRANSFORM = 'Fn::Transform'
/** Most files that one template includes. */
const MAX_INCLUDES = 200
/** `s3://bucket/key`, or another URL. */
const REMOTE = /^[a-z][a-z0-9+.-]*:\/\//i

/**
 * Inserts the files of `Fn::Transform` and of the section `Transform`. A file that cannot be read stays a transform. The
 * included files are not searched: CloudFormation does not include from an included file.
 *
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if an included file is not well-formed, or there are too many.
 */
export async function expandIncludes(
  root: Tree,
  template: SourceFile,
  load: LoadInclude | undefined,
  onRepeatedKey: OnRepeatedKey,
): Promise<ExpandedTemplate> {
  const included: string[] = []
  if (load === undefined || !template.text.includes(INCLUDE)) return { tree: root, included }

  /** Returns the content of the file that a transform includes. */
  async function readInclude(transform: Tree | undefined): Promise<Tree | undefined> {
    const location = findLocation(transform)
    if (transform === undefined || location === undefined) return undefined
    const path = isAbsolute(location) ? location : join(dirname(template.file), location)
    const source = await load?.(path)
    if (source === undefined) return undefined
    included.push(source.text)
    if (included.length > MAX_INCLUDES)
      throw new TemplateError(
        transform.at,
        `expected at most ${MAX_INCLUDES} included files, got more. Split the template.`,
      )
    return readYaml(source.file, source.text, onRepeatedKey)
  }

  async function expand(tree: Tree): Promise<Tree> {
    if (tree.kind === 'scalar') return tree
    if (tree.kind === 'list') {
      const items: Tree[] = []
      for (const item of tree.items) items.push(await expand(item))
      return { ...tree, items }
    }
    if (tree.kind === 'map') return { ...tree, entries: await expandEntries(tree.entries) }
    const content = tree.name === TRANSFORM ? await readInclude(tree.argument) : undefined
    return content ?? { ...tree, argument: await expand(tree.argument) }
  }

  async function expandEntries(entries: Entries): Promise<Entries> {
    const expanded = new Map<string, Entry>()
    for (const [key, { at, value }] of entries) {
      const content = key === TRANSFORM ? await readInclude(value) : undefined
      if (content?.kind !== 'map') expanded.set(key, { at, value: await expand(value) })
      else insert(expanded, content.entries)
    }
    return expanded
  }

  /** Inserts files at the top of the template. */
  async function expandSections(entries: Entries): Promise<Entries> {
    const transform = entries.get('Transform')
    if (transform === undefined) return entries
    const { kind } = transform.value
    const transforms = kind === 'list' ? transform.value.items : [transform.value]
    const sections = new Map(entries)
    const others: Tree[] = []
    for (const one of transforms) {
      const content = await readInclude(one)
      const isNew =
        content?.kind === 'map' && ![...content.entries.keys()].some((key) => sections.has(key))
      if (isNew) insert(sections, content.entries)
      else others.push(one)
    }
    const value: Tree = { kind: 'list', at: transform.value.at, items: others }
    return sections.set('Transform', { ...transform, value })
  }

  const tree = await expand(root)
  if (tree.kind !== 'map') return { tree, included }
  return { tree: { ...tree, entries: await expandSections(tree.entries) }, included }
}

/** Adds entries. Those of the template have priority. */
function insert(entries: Map<string, Entry>, added: Entries): void {
  for (const [key, entry] of added) if (!entries.has(key)) entries.set(key, entry)
}

/** Returns the local path that a transform includes. Undefined for S3 objects, references and other transforms. */
function findLocation(transform: Tree | undefined): string | undefined {
  if (transform?.kind !== 'map' || findText(transform, 'Name') !== INCLUDE) return undefined
  const location = findText(transform.entries.get('Parameters')?.value, 'Location')
  return location === undefined || location === '' || REMOTE.test(location) ? undefined : location
}

function findText(tree: Tree | undefined, key: string): string | undefined {
  const value = tree?.kind === 'map' ? tree.entries.get(key)?.value : undefined
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined
}
