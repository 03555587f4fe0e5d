/** Reads the resources of a CloudFormation or SAM template. */
import { omitUndefined } from '../../../core/options/validate.ts'
import { getMember, toTextFact } from '../model/facts.ts'
import type { InfraOutput, ReadResources } from '../model/model.ts'
import { type Position, TemplateError } from '../position.ts'
import {
  assertAcyclic,
  type DanglingReference,
  getText,
  mergeRefs,
  type Resource,
  type Value,
} from '../resolve/value.ts'
import type { Entry, Tree } from '../syntax/tree.ts'
import { readYaml } from '../syntax/yaml.ts'
import { expandIncludes, type LoadInclude } from './include.ts'
import { CloudFormationResolver, getEntries, getPlainText, type Sections } from './resolve.ts'

/** Longest logical id, in characters. */
const MAX_ID_LENGTH = 255
const SAM = 'AWS::Serverless-2016-10-31'
/** Transforms that add no Cognito resources. */
const KNOWN_TRANSFORMS = new Set([SAM, 'AWS::LanguageExtensions', 'AWS::SecretsManager-2020-07-23'])

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` if the text is not well-formed or has no `Resources`. */
export async function readCloudFormation(
  file: string,
  text: string,
  parameterValues: ReadonlyMap<string, string>,
  loadInclude?: LoadInclude,
): Promise<ReadResources> {
  const template = await readYaml(file, text)
  const { tree: root, included } = await expandIncludes(template, { file, text }, loadInclude)
  const resources = root.kind === 'map' ? root.entries.get('Resources') : undefined
  if (root.kind !== 'map' || resources?.value.kind !== 'map') {
    throw new TemplateError(
      resources?.at ?? root.at,
      'expected a CloudFormation template, got no Resources. Pass a template with the section Resources.',
    )
  }
  const transforms = listTransforms(root.entries.get('Transform')?.value)
  const keys = [...root.entries.keys(), ...resources.value.entries.keys()]
  // Macros, loops and includes can add resources of any name.
  const macros =
    keys.some((key) => key.startsWith('Fn::')) ||
    !transforms.every((name) => name !== undefined && KNOWN_TRANSFORMS.has(name))
  const sam = transforms.includes(SAM)
  const sections: Sections = {
    parameters: getEntries(root.entries.get('Parameters')?.value),
    mappings: getEntries(root.entries.get('Mappings')?.value),
    resources: resources.value.entries,
    parameterValues,
    mayExist: (name) =>
      macros ||
      [text, ...included].some((one) => one.includes('Fn::ForEach')) ||
      (sam && isSamResourceName(name, resources.value)),
  }
  const resolver = new CloudFormationResolver(sections)
  const read = [...resources.value.entries].map(([id, entry]) =>
    toResource(id, entry, (tree) => resolver.resolve(tree)),
  )
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
    resources: read,
    dangling: [...resolver.dangling, ...danglingDependencies],
    complete: !macros && !read.some(mayAddResources),
    outputs,
    globals,
  }
}

const STACKS =
  /^AWS::(?:CloudFormation::Stack|Serverless::Application|ServiceCatalog::.*)$|::MODULE$/
const CUSTOM = /^(?:Custom::|AWS::CloudFormation::CustomResource$)/

/** Whether it may add resources: a nested stack, a module, or a custom resource that uses Cognito. */
function mayAddResources({ type, properties }: Resource): boolean {
  if (STACKS.test(type)) return true
  const texts = [type, ...[...properties.values()].map(getText)]
  return CUSTOM.test(type) && texts.some((text) => /cognito|user-?pool/i.test(text ?? ''))
}

function listTransforms(tree: Tree | undefined): readonly (string | undefined)[] {
  if (tree === undefined) return []
  const items = tree.kind === 'list' ? tree.items : [tree]
  return items.map((item) => (item.kind === 'scalar' ? String(item.value) : undefined))
}

/** SAM generates resources whose names begin with the id of another one: `OrdersApiStage`. */
function isSamResourceName(name: string, resources: Tree): boolean {
  if (name.startsWith('Serverless')) return true
  const declared = getEntries(resources)
  // Looks up each prefix of the name, because comparing with every resource would take quadratic time.
  const longest = Math.min(name.length, MAX_ID_LENGTH)
  return Array.from({ length: longest }, (_, end) => name.slice(0, end + 1)).some((id) =>
    declared.has(id),
  )
}

function toResource(
  id: string,
  { at, value: tree }: Entry,
  resolve: (tree: Tree) => Value,
): Resource {
  const members = getEntries(tree)
  const propertiesTree = members.get('Properties')?.value
  const properties = propertiesTree === undefined ? undefined : resolve(propertiesTree)
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
    ),
    conditional: members.has('Condition'),
  }
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
