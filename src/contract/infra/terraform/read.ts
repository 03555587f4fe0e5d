/** Reads the resources of one Terraform module. */
import { omitUndefined } from '../../../core/options/validate.ts'
import { toPrintable } from '../../../core/util/text.ts'
import { toTextFact } from '../model/facts.ts'
import type { InfraOutput, ReadResources } from '../model/model.ts'
import { toBlockAddress } from '../resolve/order.ts'
import {
  assertAcyclic,
  createList,
  createUnknown,
  mergeRefs,
  type Resource,
  type Value,
} from '../resolve/value.ts'
import type { Block, Expression } from './hcl.ts'
import { createInstanceState, ModuleInstance } from './instances.ts'
import { SINGLE_BLOCKS, TERRAFORM_TYPES, type TerraformType } from './mapping.ts'
import { type LoadModule, loadModules, type ModuleBlocks, type SourceFile } from './modules.ts'
import { loadHclParser } from './parser.ts'
import { createModuleOrder, UNRESOLVED_ARGUMENTS } from './references.ts'
import { getLoopNames, isRepeated, type TerraformResolver, toInstanceId } from './resolve.ts'
import { createSharedState } from './scope.ts'
import { readVariables, type VariableInput } from './variables.ts'

const CLIENT = 'AWS::Cognito::UserPoolClient'

interface TerraformInput {
  /** The files of the root module. */
  readonly sources: readonly SourceFile[]
  /** Values of variables of the root module. Later ones override earlier ones, and all override the defaults. */
  readonly variables: readonly VariableInput[]
  /** Loads local modules. Undefined: no local module is read. */
  readonly loadModule: LoadModule | undefined
}

export async function readTerraform(input: TerraformInput): Promise<ReadResources> {
  const parser = await loadHclParser()
  const tree = await loadModules(parser, input.sources, input.loadModule)
  const { variables } = tree.blocks
  const { values, undeclared } = await readVariables(parser, variables, input.variables)
  const root: ModuleInstance = new ModuleInstance({
    tree,
    prefix: '',
    conditional: false,
    hasProviders: false,
    getDependencies: () => [],
    getVariable: (name) => {
      const expression = values.get(name)
      return expression && root.resolver.resolve(expression)
    },
    state: createInstanceState(createSharedState()),
  })
  const instances = root.listInstances()
  const resources = instances.flatMap((instance) =>
    [...instance.blocks.resources.values()].flatMap((block) => toResources(block, instance)),
  )
  for (const { blocks, resolver } of instances) {
    for (const expression of blocks.locals.values()) resolver.resolve(expression)
    for (const block of blocks.others) toMembers(block, undefined, resolver)
  }
  assertAcyclic(resources)
  const { dangling } = root.resolver
  return {
    dialect: 'terraform',
    resources: createModuleOrder(instances).addServers(markImported(resources, tree.blocks)),
    // A name that is resolved twice is reported once.
    dangling: [...new Map(dangling.map((one) => [JSON.stringify(one), one])).values()],
    complete: tree.unread.length === 0,
    outputs: [...tree.blocks.outputs.values()].map((block) => toOutput(block, root)),
    globals: new Map(),
    declared: [...variables.keys()],
    undeclared,
    unread: tree.unread.map(({ at, labels }) => {
      const resource = `module.${labels.join('.')}`
      return {
        at,
        resource,
        resolve: `check a plan, which has the resources of ${toPrintable(resource)}`,
      }
    }),
  }
}

/** Marks imported clients as incomplete: arguments that are not configured keep their values, such as the secret. */
function markImported(
  resources: readonly Resource[],
  { imports }: ModuleBlocks,
): readonly Resource[] {
  const addresses = new Set(imports.map(({ attributes }) => getAddress(attributes.get('to'))))
  return resources.map((resource) =>
    resource.type === CLIENT && addresses.has(toBlockAddress(resource.id))
      ? { ...resource, complete: false }
      : resource,
  )
}

/** Returns the address that a reference names, without the keys of instances. */
function getAddress(reference: Expression | undefined): string | undefined {
  if (reference?.kind !== 'steps' || reference.of.kind !== 'name') return undefined
  const names = reference.steps.filter((step) => typeof step === 'string')
  return [reference.of.name, ...names].join('.')
}

/** Lists a resource, or with a known `for_each` each of its instances. None with `count = 0`. */
function toResources(block: Block, instance: ModuleInstance): readonly Resource[] {
  const { prefix, resolver, conditional } = instance
  const id = `${prefix}${block.labels.join('.')}`
  if (instance.isAbsent(block, id)) return []
  const members = resolver.listRepeatedMembers(block)
  if (members === undefined)
    return [toResource(id, block, instance, isRepeated(block) || conditional)]
  return members.map((member) =>
    resolver.withMember(member, () =>
      toResource(toInstanceId(id, member), block, instance, conditional),
    ),
  )
}

function toOutput({ at, labels, attributes }: Block, { resolver }: ModuleInstance): InfraOutput {
  const expression = attributes.get('value')
  const value = expression && toTextFact(resolver.resolve(expression))
  return omitUndefined<InfraOutput>({ id: labels.join('.'), at, conditional: false, value })
}

function toResource(
  id: string,
  block: Block,
  { resolver, getDependencies }: ModuleInstance,
  conditional: boolean,
): Resource {
  const [label = ''] = block.labels
  const terraformType = TERRAFORM_TYPES.get(label)
  const { entries, complete, refs } = toMembers(block, terraformType, resolver)
  return {
    id,
    type: terraformType?.type ?? label,
    at: block.at,
    properties: new Map([...entries, ...listIgnored(block, terraformType)]),
    complete,
    dependsOn: mergeRefs(refs, getDependencies()).filter((ref) => ref !== id),
    conditional,
  }
}

/** Lists the arguments of `ignore_changes` as unknown: the deployed resource may have other values. */
function listIgnored(
  { at, blocks }: Block,
  terraformType: TerraformType | undefined,
): readonly (readonly [string, Value])[] {
  const lifecycle = blocks.find(({ type }) => type === 'lifecycle')
  const ignored = lifecycle?.attributes.get('ignore_changes')
  if (terraformType === undefined || ignored === undefined) return []
  const items = ignored.kind === 'list' ? ignored.items : [ignored]
  const names = new Set(items.map(getRootName))
  return Object.entries(terraformType.names)
    .filter(([name]) => names.has(name) || names.has('all'))
    .map(([, property]) => [property, createUnknown(at)])
}

/** Returns the argument that an item names: `scope` of `scope[0].scope_name`. */
function getRootName(item: Expression): string | undefined {
  const name = item.kind === 'steps' ? item.of : item
  return name.kind === 'name' ? name.name : undefined
}

interface Members {
  readonly entries: ReadonlyMap<string, Value>
  readonly complete: boolean
  readonly refs: readonly string[]
}

/** Reads arguments and blocks with the names of CloudFormation. Blocks that can repeat become lists. */
function toMembers(
  block: Block,
  terraformType: TerraformType | undefined,
  resolver: TerraformResolver,
): Members {
  const entries = new Map<string, Value>()
  const refs = new Set<string>()
  const rename = (name: string): string =>
    terraformType !== undefined && Object.hasOwn(terraformType.names, name)
      ? (terraformType.names[name] as string)
      : name
  for (const [name, expression] of block.attributes) {
    if (UNRESOLVED_ARGUMENTS.has(name)) continue
    const value = resolver.resolve(expression)
    for (const ref of value.refs) refs.add(ref)
    entries.set(rename(name), value)
  }
  let complete = true
  const add = (type: string, value: Value): void => {
    for (const ref of value.refs) refs.add(ref)
    const name = rename(type)
    entries.set(name, SINGLE_BLOCKS.has(type) ? value : appendItem(entries.get(name), value))
  }
  const toMap = (inner: Block): Value => ({
    kind: 'map',
    at: inner.at,
    names: new Map(),
    ...toMembers(inner, terraformType, resolver),
  })
  for (const inner of block.blocks) {
    if (inner.type !== 'dynamic') add(inner.type, toMap(inner))
    else {
      const [type = ''] = inner.labels
      const generated = terraformType && resolver.generateBlocks(inner, toMap)
      for (const { at, content } of generated ?? []) add(type, { ...content, at })
      // Its references count, and an unknown number of blocks is incomplete.
      const { refs: all } = resolver.withLoopNames(getLoopNames(inner), () =>
        toMembers(inner, undefined, resolver),
      )
      if (generated === undefined) add(type, createUnknown(inner.at, all))
      for (const ref of all) refs.add(ref)
      complete &&= generated !== undefined || terraformType === undefined
    }
  }
  return { entries, complete, refs: [...refs] }
}

function appendItem(before: Value | undefined, value: Value): Value {
  const items = before?.kind === 'list' ? before.items : []
  return createList(before?.at ?? value.at, [...items, value])
}
