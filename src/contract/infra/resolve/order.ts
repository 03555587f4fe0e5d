/** The order in which resources are created: what waits for a resource server, directly or through other blocks. */
import { mergeRefs, type Resource } from './value.ts'

const SERVER = 'AWS::Cognito::UserPoolResourceServer'
/** Most references that the searches of one template follow. Real modules have a few thousand. */
const MAX_STEPS = 1_000_000
/** The keys of instances in an address: `["a"]`, `[0]`. */
const KEYS = /\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g
/** The address of a reference that may refer to any resource server. */
export const ANY_SERVER = '*'
/** The node of all provider configurations. Each block may use each of them, so that no mapping has to be known. */
export const PROVIDERS = 'provider'

/** The arguments and meta-arguments of a module call, as names of the module with the call. */
interface OrderedCall {
  readonly name: string
  /** The references of each argument. */
  readonly variables: Iterable<readonly [name: string, references: readonly string[]]>
  /** The references of `depends_on`, `count` and `for_each`. */
  readonly references: readonly string[]
  /** Whether the blocks of the module are in the graph. */
  readonly isRead: boolean
}

/**
 * The graph of references between blocks. As in the graph of Terraform, the instances of a block are one node. Nodes
 * are addresses without keys: `module.auth.local.scopes`, `module.auth.output.scopes`, `data.aws_ssm_parameter.pool`.
 */
export class OrderGraph {
  /** The nodes that refer to a node. */
  readonly #dependents = new Map<string, Set<string>>()

  /** @param references Nodes that Terraform evaluates or creates before. */
  add(node: string, references: Iterable<string>): void {
    for (const reference of references) {
      const dependents = this.#dependents.get(reference)
      if (dependents === undefined) this.#dependents.set(reference, new Set([node]))
      else dependents.add(node)
    }
  }

  /**
   * Adds a block.
   *
   * @param prefix Prefix of the addresses in its module: `module.auth.`, or empty in the root module.
   */
  addBlock(prefix: string, name: string, references: Iterable<string>): void {
    const node = `${prefix}${name}`
    this.add(node, references)
    this.add(node, [PROVIDERS])
    if (prefix === '') return
    // The node of the prefix is the call. Every block of a module waits for what its call waits for.
    this.add(node, [prefix])
    // A reference to the whole module waits for its blocks.
    this.add(prefix.slice(0, -1), [node])
  }

  /** @param prefix Prefix of the addresses in the module that has the call. */
  addCall(prefix: string, { name, variables, references, isRead }: OrderedCall): void {
    const module = `${prefix}module.${name}`
    const called = `${module}.`
    this.add(called, references)
    this.addBlock(prefix, `module.${name}`, [called])
    for (const [variable, values] of variables) {
      this.add(`${called}var.${variable}`, values)
      // An output of a module that was not read may depend on each argument.
      if (!isRead) this.add(module, values)
    }
  }

  /**
   * Adds to each resource the resource servers that it waits for: a breadth-first search from each server. After too
   * much work, each resource may wait for each server, which adds no finding.
   *
   * @param maxSteps Most references that are followed, and most resource servers that are added.
   */
  addServers(resources: readonly Resource[], maxSteps: number = MAX_STEPS): readonly Resource[] {
    const servers = new Map<string, string[]>()
    for (const { id, type } of resources) {
      if (type === SERVER) append(servers, toBlockAddress(id), [id])
    }
    const isReachable = new Set(resources.map(({ id }) => toBlockAddress(id)))
    const awaited = new Map<string, string[]>()
    let remaining = maxSteps
    const search = (start: string): ReadonlySet<string> => {
      const reached = new Set([start])
      for (const node of reached) {
        const dependents = this.#dependents.get(node) ?? new Set<string>()
        remaining -= dependents.size
        if (remaining < 0) return reached
        for (const dependent of dependents) reached.add(dependent)
      }
      return reached
    }
    const uncertain = search(ANY_SERVER)
    for (const [server, ids] of servers) {
      for (const node of search(server)) {
        if (node === server || !isReachable.has(node)) continue
        remaining -= ids.length
        if (remaining >= 0) append(awaited, node, ids)
      }
      if (remaining < 0) return resources.map(markUncertain)
    }
    return resources.map((resource) => {
      const address = toBlockAddress(resource.id)
      if (uncertain.has(address)) return markUncertain(resource)
      const ids = awaited.get(address)
      return ids === undefined
        ? resource
        : { ...resource, dependsOn: mergeRefs(resource.dependsOn, ids) }
    })
  }
}

const markUncertain = (resource: Resource): Resource => ({ ...resource, mayAwaitAny: true })

/** Builds the graph of resources that refer to each other by their ids. */
export function createResourceOrder(resources: readonly Resource[]): OrderGraph {
  const graph = new OrderGraph()
  for (const { id, dependsOn } of resources) graph.add(id, dependsOn)
  return graph
}

/** Removes the keys of instances: `module.auth["a"].aws_x.y[0]` is `module.auth.aws_x.y`. */
export const toBlockAddress = (address: string): string => address.replaceAll(KEYS, '')

function append(lists: Map<string, string[]>, key: string, items: readonly string[]): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [...items])
  else list.push(...items)
}
