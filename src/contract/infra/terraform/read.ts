/** Reads the resources of one Terraform module. */

import { toTextFact } from '../model/facts.ts'
import type { ReadResources } from '../model/model.ts'
import { TemplateError } from '../position.ts'
import {
  assertAcyclic,
  createList,
  createUnknown,
  type Resource,
  type Value,
} from '../resolve/value.ts'
import { type Block, type Expression, readHcl, readValue } from './hcl.ts'
import { readTerraformJson } from './json.ts'
import { SINGLE_BLOCKS, TERRAFORM_TYPES, type TerraformType } from './mapping.ts'
import { type HclParser, loadHclParser } from './parser.ts'
import { isRepeated, listRepeatedMembers, TerraformResolver } from './resolve.ts'

interface ModuleBlocks {
  readonly variables: ReadonlyMap<string, Block>
  readonly locals: ReadonlyMap<string, Expression>
  readonly resources: ReadonlyMap<string, Block>
  /** Data sources and modules, by address. */
  readonly external: ReadonlyMap<string, Block>
  readonly others: readonly Block[]
}

const EXTERNAL_BLOCKS = new Set(['data', 'module'])
/** Arguments whose identifiers are names of providers or arguments, not references. */
const UNRESOLVED_ARGUMENTS = new Set(['provider', 'providers', 'ignore_changes'])
/** Blocks whose expressions may refer to resources too. */
const OTHER_BLOCKS = new Set(['output', 'module', 'data', 'provider', 'check'])

export async function readTerraform(
  sources: readonly { readonly file: string; readonly text: string }[],
  variableValues: ReadonlyMap<string, string>,
): Promise<ReadResources> {
  const parser = await loadHclParser()
  let blocks: readonly Block[] = []
  for (const { file, text } of sources) {
    const json = /\.json$/i.test(file)
    const read = json ? await readTerraformJson(parser, file, text) : readHcl(parser, file, text)
    blocks = blocks.concat(read.blocks)
  }
  const moduleBlocks = groupBlocks(blocks)
  const resolver = new TerraformResolver({
    ...moduleBlocks,
    variableValues: parseVariableValues(parser, moduleBlocks.variables, variableValues),
  })
  const resources = [...moduleBlocks.resources].map(([id, block]) =>
    toResource(id, block, resolver),
  )
  for (const expression of moduleBlocks.locals.values()) resolver.resolve(expression)
  for (const block of moduleBlocks.others) toMembers(block, undefined, resolver)
  const outputs = moduleBlocks.others.filter(({ type }) => type === 'output')
  assertAcyclic(resources)
  return {
    dialect: 'terraform',
    resources: resources.flatMap((resource) => {
      const block = moduleBlocks.resources.get(resource.id) as Block
      const members = listRepeatedMembers(block, resolver)?.map((member) => {
        const id = `${resource.id}[${JSON.stringify(member.key)}]`
        return resolver.withMember(member, () => ({
          ...toResource(id, block, resolver),
          conditional: false,
        }))
      })
      return members ?? [resource]
    }),
    // A name that is resolved twice is reported once.
    dangling: [...new Map(resolver.dangling.map((one) => [JSON.stringify(one), one])).values()],
    complete: !blocks.some(({ type }) => type === 'module'),
    outputs: outputs.map(({ at, labels, attributes }) => {
      const expression = attributes.get('value')
      const output = { id: labels.join('.'), at, conditional: false }
      const value = expression && toTextFact(resolver.resolve(expression))
      return value === undefined ? output : { ...output, value }
    }),
    globals: new Map(),
  }
}

const PRIMITIVE_TYPES = new Set(['string', 'number', 'bool'])

/** Parses values of lists and maps as HCL, as the `-var` option of Terraform does. Other values are text. */
function parseVariableValues(
  parser: HclParser,
  variables: ReadonlyMap<string, Block>,
  parameterValues: ReadonlyMap<string, string>,
): ReadonlyMap<string, Expression> {
  const start = { file: '', line: 1, column: 1 }
  const values = [...parameterValues].map(([name, text]): [string, Expression] => {
    const { at = start, attributes } = variables.get(name) ?? {}
    const type = attributes?.get('type')
    const word = type?.kind === 'name' ? type.name : type?.kind === 'literal' ? type.value : ''
    const plain = type === undefined || PRIMITIVE_TYPES.has(String(word))
    return [name, plain ? { kind: 'literal', at, value: text } : readValue(parser, at, text)]
  })
  return new Map(values)
}

function groupBlocks(blocks: readonly Block[]): ModuleBlocks {
  const variables = new Map<string, Block>()
  const locals = new Map<string, Expression>()
  const resources = new Map<string, Block>()
  const external = new Map<string, Block>()
  const others: Block[] = []
  for (const block of blocks) {
    const name = block.labels.join('.')
    if (block.type === 'resource') {
      if (resources.has(name))
        throw new TemplateError(
          block.at,
          'expected a unique resource name, got a repeated one. Rename one of the two.',
        )
      resources.set(name, block)
    } else if (block.type === 'variable') variables.set(name, block)
    else if (block.type === 'locals') {
      for (const [key, expression] of block.attributes) locals.set(key, expression)
    } else if (OTHER_BLOCKS.has(block.type)) others.push(block)
    // A check block may contain data sources.
    for (const one of [block, ...(block.type === 'check' ? block.blocks : [])]) {
      if (EXTERNAL_BLOCKS.has(one.type)) external.set(`${one.type}.${one.labels.join('.')}`, one)
    }
  }
  return { variables, locals, resources, external, others }
}

function toResource(id: string, block: Block, resolver: TerraformResolver): Resource {
  const [label = ''] = block.labels
  const terraformType = TERRAFORM_TYPES.get(label)
  const { entries, complete, refs } = toMembers(block, terraformType, resolver)
  return {
    id,
    type: terraformType?.type ?? label,
    at: block.at,
    properties: entries,
    complete,
    dependsOn: refs.filter((ref) => ref !== id),
    conditional: isRepeated(block),
  }
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
  for (const inner of block.blocks) {
    const dynamic = inner.type === 'dynamic'
    const type = dynamic ? (inner.labels[0] ?? '') : inner.type
    const members = resolver.withLoopNames(getLoopNames(inner), () =>
      toMembers(inner, terraformType, resolver),
    )
    for (const ref of members.refs) refs.add(ref)
    complete &&= !dynamic || terraformType === undefined
    const name = rename(type)
    const value: Value = dynamic
      ? createUnknown(inner.at, members.refs)
      : { kind: 'map', at: inner.at, names: new Map(), ...members }
    entries.set(name, SINGLE_BLOCKS.has(type) ? value : appendItem(entries.get(name), value))
  }
  return { entries, complete, refs: [...refs] }
}

function appendItem(before: Value | undefined, value: Value): Value {
  const items = before?.kind === 'list' ? before.items : []
  return createList(before?.at ?? value.at, [...items, value])
}

/** Returns the iterator variable of a `dynamic` block. */
function getLoopNames({ type, labels, attributes }: Block): readonly string[] {
  const iterator = attributes.get('iterator')
  if (type !== 'dynamic') return []
  if (iterator?.kind === 'name') return [iterator.name]
  return iterator?.kind === 'literal' ? [String(iterator.value)] : labels
}
