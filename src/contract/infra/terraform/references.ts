/** References between the blocks of Terraform modules. They count whatever the values of their expressions are. */
import { ANY_SERVER, OrderGraph, PROVIDERS, toBlockAddress } from '../resolve/order.ts'
import type { Block, Expression, Step } from './hcl.ts'
import type { ModuleInstance } from './instances.ts'
import type { ModuleBlocks } from './modules.ts'

/** Arguments whose identifiers are names of providers or arguments, not references. */
export const UNRESOLVED_ARGUMENTS: ReadonlySet<string> = new Set([
  'provider',
  'providers',
  'ignore_changes',
])
/** Arguments of a module call that are not variables of the module. */
const META_ARGUMENTS = new Set([
  'source',
  'version',
  'providers',
  'count',
  'for_each',
  'depends_on',
])
const CALL_REFERENCES = ['depends_on', 'count', 'for_each']

/** Builds the graph of a root module and the modules that it calls. */
export function createModuleOrder(instances: readonly ModuleInstance[]): OrderGraph {
  const graph = new OrderGraph()
  const modules = new Map(instances.map(({ prefix, blocks }) => [toBlockAddress(prefix), blocks]))
  const prefixes = new Set(modules.keys())
  for (const [prefix, blocks] of modules) addModule(graph, prefix, blocks, prefixes)
  return graph
}

/** @param prefixes The prefixes of the modules that were read. */
function addModule(
  graph: OrderGraph,
  prefix: string,
  blocks: ModuleBlocks,
  prefixes: ReadonlySet<string>,
): void {
  const toNodes = (references: Iterable<string>): readonly string[] =>
    [...references].map((reference) => toNode(prefix, reference, prefixes))
  const addBlocks = (named: ReadonlyMap<string, Block>, kind = ''): void => {
    for (const [name, block] of named)
      graph.addBlock(prefix, `${kind}${name}`, toNodes(listBlockReferences(block)))
  }
  addBlocks(blocks.resources)
  addBlocks(blocks.variables, 'var.')
  addBlocks(blocks.outputs, 'output.')
  for (const block of blocks.others)
    if (block.type === 'provider') graph.add(PROVIDERS, toNodes(listBlockReferences(block)))
  for (const [name, expression] of blocks.locals)
    graph.addBlock(prefix, `local.${name}`, toNodes(listReferences(expression)))
  for (const [address, block] of blocks.external) {
    const { type, labels, attributes } = block
    if (type === 'data') graph.addBlock(prefix, address, toNodes(listBlockReferences(block)))
    else
      graph.addCall(prefix, {
        name: labels.join('.'),
        variables: [...attributes]
          .filter(([name]) => !META_ARGUMENTS.has(name))
          .map(([name, expression]) => [name, toNodes(listReferences(expression))] as const),
        references: CALL_REFERENCES.flatMap((name) =>
          toNodes(listReferences(attributes.get(name))),
        ),
        isRead: prefixes.has(`${prefix}${address}.`),
      })
  }
}

/** An output of a module that was not read is represented by the module. */
function toNode(prefix: string, reference: string, prefixes: ReadonlySet<string>): string {
  // Blocks of ephemeral resources are not read.
  if (reference.startsWith('ephemeral.')) return ANY_SERVER
  const [module = reference] = /^module\.[^.]+/.exec(reference) ?? []
  return module === reference || prefixes.has(`${prefix}${module}.`)
    ? `${prefix}${reference}`
    : `${prefix}${module}`
}

function* listBlockReferences({ attributes, blocks }: Block): Generator<string> {
  for (const [name, expression] of attributes)
    if (!UNRESOLVED_ARGUMENTS.has(name)) yield* listReferences(expression)
  for (const block of blocks) yield* listBlockReferences(block)
}

/** Lists names in the module: `local.a`, `var.a`, `data.x.a`, `aws_x.a`, `module.a` or `module.a.output.b`. */
function* listReferences(expression: Expression | undefined): Generator<string> {
  switch (expression?.kind) {
    case 'template':
    case 'other':
      for (const part of expression.parts) yield* listReferences(part)
      break
    case 'list':
      for (const item of expression.items) yield* listReferences(item)
      break
    case 'object':
      for (const part of expression.entries.flat()) yield* listReferences(part)
      break
    case 'call':
      for (const argument of expression.arguments) yield* listReferences(argument)
      break
    case 'for':
      for (const part of [expression.over, ...expression.results, ...expression.conditions])
        yield* listReferences(part)
      break
    case 'steps': {
      const { of, steps } = expression
      if (of.kind === 'name') yield nameReference(of.name, steps)
      else yield* listReferences(of)
      for (const step of steps)
        if (typeof step === 'object' && step !== null) yield* listReferences(step)
      break
    }
    default:
  }
}

/** Names the block of a reference. A name that no block has is harmless. */
function nameReference(root: string, steps: readonly Step[]): string {
  const names = steps.filter((step) => typeof step === 'string')
  const [first = '', second = ''] = names
  if (root === 'data') return `data.${first}.${second}`
  if (root === 'module' && second !== '') return `module.${first}.output.${second}`
  return `${root}.${first}`
}
