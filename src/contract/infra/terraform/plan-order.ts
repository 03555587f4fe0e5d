/** The graph of references that the configuration of a Terraform plan states. */
import { ANY_SERVER, OrderGraph, PROVIDERS, toBlockAddress } from '../resolve/order.ts'
import { asList, asObject, type Json, listReferences, type Members } from './plan-references.ts'

/** Deepest nesting of modules. */
const MAX_MODULE_DEPTH = 50
/** Objects with preconditions or postconditions, whose references a plan does not state. */
const CHECKED_KINDS: ReadonlySet<unknown> = new Set(['resource', 'output_value'])

/** @param document The plan. */
export function createPlanOrder(document: Members): OrderGraph {
  const graph = new OrderGraph()
  const { root_module: root, provider_config: providers } = asObject(document['configuration'])
  addModule(graph, '', asObject(root), 0)
  for (const provider of Object.values(asObject(providers)).map(asObject)) {
    const { expressions, module_address: module } = provider
    const prefix = module === undefined ? '' : `${toBlockAddress(String(module))}.`
    graph.add(PROVIDERS, toNodes(prefix, expressions))
  }
  for (const check of asList(document['checks'])) {
    const { kind, to_display: address } = asObject(asObject(check)['address'])
    if (CHECKED_KINDS.has(kind)) graph.add(toBlockAddress(String(address)), [ANY_SERVER])
  }
  return graph
}

function addModule(graph: OrderGraph, prefix: string, module: Members, depth: number): void {
  if (depth > MAX_MODULE_DEPTH) return
  for (const resource of asList(module['resources']).map(asObject)) {
    const { address, expressions, provisioners, depends_on: references = [] } = resource
    const { count_expression: count, for_each_expression: forEach } = resource
    graph.addBlock(
      prefix,
      String(address),
      toNodes(prefix, expressions, provisioners, count, forEach, { references }),
    )
  }
  for (const [name, output] of Object.entries(asObject(module['outputs']))) {
    const { expression, depends_on: references = [] } = asObject(output)
    graph.addBlock(prefix, `output.${name}`, toNodes(prefix, expression, { references }))
  }
  for (const [name, call] of Object.entries(asObject(module['module_calls']))) {
    const { expressions, depends_on: references = [], module: called } = asObject(call)
    const { count_expression: count, for_each_expression: forEach } = asObject(call)
    graph.addCall(prefix, {
      name,
      variables: Object.entries(asObject(expressions)).map(
        ([variable, expression]) => [variable, toNodes(prefix, expression)] as const,
      ),
      references: toNodes(prefix, count, forEach, { references }),
      isRead: true,
    })
    addModule(graph, `${prefix}module.${name}.`, asObject(called), depth + 1)
  }
}

const toNodes = (
  prefix: string,
  ...expressions: readonly (Json | undefined)[]
): readonly string[] =>
  listReferences(expressions.map((one) => one ?? null)).map((one) => toNode(prefix, one))

function toNode(prefix: string, reference: string): string {
  const [root = '', first = '', second = ''] = toBlockAddress(reference).split('.')
  // A plan has no local values.
  if (root === 'local') return ANY_SERVER
  if (root === 'data' || root === 'ephemeral') return `${prefix}${root}.${first}.${second}`
  if (root === 'module' && second !== '') return `${prefix}module.${first}.output.${second}`
  return `${prefix}${root}.${first}`
}
