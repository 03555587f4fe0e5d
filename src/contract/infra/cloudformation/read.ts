/** Reads the resources of a CloudFormation or SAM template. */

import { dirname, isAbsolute, join } from 'node:path'
import { omitUndefined } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { getMember, toTextFact } from '../model/facts.ts'
import type { InfraOutput, ReadResources, TemplateProblem, UnreadSource } from '../model/model.ts'
import { type Position, TemplateError } from '../position.ts'
import { createResourceOrder } from '../resolve/order.ts'
import {
  assertAcyclic,
  type DanglingReference,
  getText,
  mergeRefs,
  type Resource,
  type Value,
} from '../resolve/value.ts'
import type { Entry, Tree } from '../syntax/tree.ts'
import { type OnRepeatedKey, readYaml } from '../syntax/yaml.ts'
import { CloudFormationResolver, getEntries, getPlainText, type Sections } from './resolve.ts'
import { isSamId } from './sam.ts'

interface SourceFile {
  readonly file: string
  readonly text: string
}

/** Returns a local file. Undefined if it cannot be read. */
export type LoadInclude = (file: string) => SourceFile | undefined | Promise<SourceFile | undefined>

interface ExpandedTemplate {
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
async function expandIncludes(
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

const SAM = 'AWS::Serverless-2016-10-31'
const LOOPS = 'AWS::LanguageExtensions'
/** Transforms that add no Cognito resources. */
const KNOWN_TRANSFORMS = new Set([SAM, LOOPS, 'AWS::SecretsManager-2020-07-23'])

/** Adds the resource that begins before a repeated key, in the same file. */
function addResource(problem: TemplateProblem, resources: readonly Resource[]): TemplateProblem {
  const { kind, at } = problem
  const before = resources.filter((one) => one.at.file === at.file && one.at.line <= at.line)
  const last = before.sort((a, b) => a.at.line - b.at.line).at(-1)
  return kind === 'key' && last !== undefined ? { ...problem, resource: last.id } : problem
}

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not well-formed or has no `Resources`. */
export async function readCloudFormation(
  file: string,
  text: string,
  parameterValues: ReadonlyMap<string, string>,
  loadInclude?: LoadInclude,
): Promise<ReadResources> {
  const problems: TemplateProblem[] = []
  const onRepeatedKey: OnRepeatedKey = (at, name) => problems.push({ kind: 'key', at, name })
  const template = await readYaml(file, text, onRepeatedKey)
  const source = { file, text }
  const { tree: root, included } = await expandIncludes(
    template,
    source,
    loadInclude,
    onRepeatedKey,
  )
  const section = root.kind === 'map' ? root.entries.get('Resources') : undefined
  const resources = section && { ...section, value: toResourceMap(section.value) }
  if (root.kind !== 'map' || resources?.value.kind !== 'map') {
    throw new TemplateError(
      resources?.at ?? root.at,
      'expected a CloudFormation template, got no Resources. Pass a template with the section Resources.',
    )
  }
  const transforms = listTransforms(root.entries.get('Transform')?.value)
  const keys = [...root.entries.keys(), ...resources.value.entries.keys()]
  const hasMacro = !transforms.every((name) => name !== undefined && KNOWN_TRANSFORMS.has(name))
  // Macros, loops and includes can add resources of any name.
  const macros = hasMacro || keys.some((key) => key.startsWith('Fn::'))
  // A macro may replace the resources that need a transform.
  const missing = hasMacro ? [] : findMissingTransforms(transforms, resources.value.entries)
  problems.push(...missing)
  const sam = [...transforms, ...missing.map(({ name }) => name)].includes(SAM)
  const sections: Sections = {
    parameters: getEntries(root.entries.get('Parameters')?.value),
    mappings: getEntries(root.entries.get('Mappings')?.value),
    resources: resources.value.entries,
    parameterValues,
    mayExist: (name) =>
      macros ||
      [text, ...included].some((one) => one.includes('Fn::ForEach')) ||
      (sam && isSamId(name, resources.value)),
  }
  const resolver = new CloudFormationResolver(sections)
  const read = [...resources.value.entries].map(([id, entry]) => toResource(id, entry, resolver))
  const outputs = [...getEntries(root.entries.get('Outputs')?.value)]
    .map(([id, { at, value }]) => toOutput(id, at, resolver.resolve(value)))
    .filter(({ id }) => !id.startsWith('Fn::'))
  const globals = new Map<string, Value>()
  for (const [name, entry] of getEntries(root.entries.get('Globals')?.value)) {
    globals.set(name, resolver.resolve(entry.value))
  }
  // A condition may break a cycle.
  if (!macros && !root.entries.has('Conditions')) assertAcyclic(read)
  const danglingDependencies = findDanglingDependencies(resources.value.entries, sections)
  return {
    dialect: sam ? 'sam' : 'cloudformation',
    resources: createResourceOrder(read).addServers(read),
    dangling: [...resolver.dangling, ...danglingDependencies],
    problems: problems.map((problem) => addResource(problem, read)),
    complete: !macros && !read.some(mayAddResources),
    outputs,
    globals,
    declared: [...sections.parameters.keys()],
    unread: [
      ...(macros ? [createMacroSource(root)] : []),
      ...read.filter(mayAddResources).map(({ id, at }) => {
        return { at, resource: id, resolve: `pass the template of ${toPrintable(id)}` }
      }),
    ],
  }
}

const createMacroSource = ({ at, entries }: Tree & { readonly kind: 'map' }): UnreadSource => ({
  at: entries.get('Transform')?.at ?? at,
  resource: '',
  resolve: 'pass the template that CloudFormation returns after its macros',
})

const STACKS =
  /^AWS::(?:CloudFormation::Stack|Serverless::Application|ServiceCatalog::.*)$|::MODULE$/
const CUSTOM = /^(?:Custom::|AWS::CloudFormation::CustomResource$)/

/** Whether it may add resources: a nested stack, a module, or a custom resource that uses Cognito. */
function mayAddResources({ type, properties }: Resource): boolean {
  if (STACKS.test(type)) return true
  const texts = [type, ...[...properties.values()].map(getText)]
  return CUSTOM.test(type) && texts.some((text) => /cognito|user-?pool/i.test(text ?? ''))
}

/** A section with only a loop or a transform is read as a call, and is a map of one member. */
function toResourceMap(tree: Tree): Tree {
  if (tree.kind !== 'call' || !tree.name.startsWith('Fn::')) return tree
  const { at, name, argument } = tree
  return { kind: 'map', at, entries: new Map([[name, { at, value: argument }]]) }
}

function listTransforms(tree: Tree | undefined): readonly (string | undefined)[] {
  if (tree === undefined) return []
  const items = tree.kind === 'list' ? tree.items : [tree]
  return items.map((item) => (item.kind === 'scalar' ? String(item.value) : undefined))
}

/** Finds each transform that the template needs and lacks, at the first resource that needs it. */
function findMissingTransforms(
  transforms: readonly (string | undefined)[],
  resources: ReadonlyMap<string, Entry>,
): readonly TemplateProblem[] {
  const all = [...resources]
  const users = new Map([
    [SAM, all.find(([, { value }]) => isServerless(getPlainText(getEntries(value), 'Type')))],
    [LOOPS, all.find(([id]) => id.startsWith('Fn::ForEach'))],
  ])
  return [...users].flatMap(([name, user]) =>
    user === undefined || transforms.includes(name)
      ? []
      : [{ kind: 'transform', at: user[1].at, name, resource: user[0] }],
  )
}

const isServerless = (type = ''): boolean => type.startsWith('AWS::Serverless::')

function toResource(
  id: string,
  { at, value: tree }: Entry,
  resolver: CloudFormationResolver,
): Resource {
  const members = getEntries(tree)
  const propertiesTree = members.get('Properties')?.value
  const properties = propertiesTree && resolver.resolve(propertiesTree)
  const entries = properties?.kind === 'map' ? properties.entries : new Map<string, Value>()
  return {
    id,
    type: getPlainText(members, 'Type') ?? '',
    at,
    properties: entries,
    complete: properties === undefined || (properties.kind === 'map' && properties.complete),
    dependsOn: mergeRefs(
      listDependencies(members).map(({ name }) => name),
      properties?.refs ?? [],
      listOtherReferences(members, resolver),
    ),
    conditional: members.has('Condition'),
  }
}

/** Lists references outside of the properties, which are dependencies too. */
function listOtherReferences(
  members: ReadonlyMap<string, Entry>,
  resolver: CloudFormationResolver,
): readonly string[] {
  const tree = members.get('Metadata')?.value
  const count = resolver.dangling.length
  const refs = tree === undefined ? [] : resolver.resolve(tree).refs
  // Metadata is for other tools, whose names may not be those of the template.
  resolver.dangling.splice(count)
  return refs
}

function toOutput(id: string, at: Position, output: Value): InfraOutput {
  return omitUndefined<InfraOutput>({
    id,
    at,
    value: toTextFact(getMember(output, 'Value')),
    exported: toTextFact(getMember(getMember(output, 'Export'), 'Name')),
    conditional: getMember(output, 'Condition') !== undefined,
  })
}

function listDependencies(members: ReadonlyMap<string, Entry>): readonly DanglingReference[] {
  const tree = members.get('DependsOn')?.value
  const items = tree?.kind === 'list' ? tree.items : tree === undefined ? [] : [tree]
  return items.flatMap((item) =>
    item.kind === 'scalar' ? [{ at: item.at, name: String(item.value) }] : [],
  )
}

function findDanglingDependencies(
  resources: ReadonlyMap<string, Entry>,
  { mayExist }: Sections,
): readonly DanglingReference[] {
  return [...resources.values()]
    .flatMap(({ value }) => listDependencies(getEntries(value)))
    .filter(({ name }) => !resources.has(name) && !mayExist(name))
}
