/** Instances of Terraform modules: one for each module call, or for each member of its `for_each`. */
import { type Position, TemplateError } from '../position.ts'
import { createUnknown, getText, mergeRefs, type Value } from '../resolve/value.ts'
import type { Block, Step } from './hcl.ts'
import { listMembers, type Member } from './iterations.ts'
import type { ModuleBlocks, ModuleTree } from './modules.ts'
import { isRepeated, TerraformResolver, toInstanceId } from './resolve.ts'
import type { SharedState } from './scope.ts'

/** Most instances of modules. */
const MAX_INSTANCES = 1_000

/** The instances of one module call. */
interface Call {
  readonly address: string
  /** By key of `for_each`. Undefined without known keys. */
  readonly keyed: ReadonlyMap<string, ModuleInstance> | undefined
  /** All instances. Without known keys, one stands for all. */
  readonly instances: readonly ModuleInstance[]
  readonly isRepeated: boolean
}

interface InstanceOptions {
  readonly tree: ModuleTree
  /** Prefix of the addresses of its resources: empty in the root module, else `module.auth.`. */
  readonly prefix: string
  /** Whether `count` or `for_each` of a call decides if and how often the module is deployed. */
  readonly conditional: boolean
  /** Whether a call around it passes providers. */
  readonly hasProviders: boolean
  /** Addresses that `depends_on` of the calls around it names. */
  readonly getDependencies: () => readonly string[]
  readonly getVariable: (name: string) => Value | undefined
  readonly state: InstanceState
}

/** What all instances share. */
export interface InstanceState extends SharedState {
  /** Adds an instance to the count. */
  readonly count: (at: Position) => void
}

export function createInstanceState(shared: SharedState): InstanceState {
  let instances = 0
  const count = (at: Position): void => {
    instances += 1
    if (instances > MAX_INSTANCES)
      throw new TemplateError(
        at,
        `expected at most ${MAX_INSTANCES} module instances, got more. Check fewer modules at once.`,
      )
  }
  return { ...shared, count }
}

export class ModuleInstance {
  readonly prefix: string
  readonly blocks: ModuleBlocks
  readonly conditional: boolean
  readonly resolver: TerraformResolver
  readonly getDependencies: () => readonly string[]
  readonly #tree: ModuleTree
  readonly #hasProviders: boolean
  readonly #state: InstanceState
  readonly #calls = new Map<string, Call>()

  constructor(options: InstanceOptions) {
    const { tree, prefix, conditional, hasProviders, getVariable, state } = options
    this.prefix = prefix
    this.blocks = tree.blocks
    this.conditional = conditional
    this.getDependencies = options.getDependencies
    this.#hasProviders = hasProviders
    this.#tree = tree
    this.#state = state
    const module = {
      blocks: tree.blocks,
      prefix,
      hasProviders,
      getVariable,
      resolveCall: (name: string, steps: readonly Step[], at: Position) =>
        this.#resolveCall(name, steps, at),
    }
    this.resolver = new TerraformResolver(module, state)
  }

  /** Lists this instance and those of the modules that it calls. */
  listInstances(): readonly ModuleInstance[] {
    const called = [...this.#tree.calls.keys()].flatMap((name) => this.#findCall(name).instances)
    return [this, ...called.flatMap((instance) => instance.listInstances())]
  }

  #listAddresses(): readonly string[] {
    return this.listInstances().flatMap(({ prefix, blocks }) =>
      [...blocks.resources.keys()].map((address) => `${prefix}${address}`),
    )
  }

  /** Resolves `module.auth.pool_id`, `module.auth["a"].pool_id`, or `module.auth` in `depends_on`. */
  #resolveCall(
    name: string,
    steps: readonly Step[],
    at: Position,
  ): { value: Value; rest: readonly Step[] } | undefined {
    if (!this.#tree.calls.has(name)) return undefined
    const call = this.#findCall(name)
    const [first] = steps
    const isIndexed = call.isRepeated && typeof first !== 'string'
    const [output, ...rest] = isIndexed ? steps.slice(1) : steps
    const instance = isIndexed ? this.#selectInstance(call, first) : call.instances[0]
    if (typeof output !== 'string' || instance === undefined) {
      const refs = call.instances.flatMap((one) => one.#listAddresses())
      return { value: createUnknown(at, refs, { resource: call.address }), rest: [] }
    }
    const value = instance.resolver.resolveOutput(output, at)
    if (value === undefined) {
      this.resolver.dangling.push({ at, name: `module.${name}.${output}` })
      return { value: createUnknown(at), rest: [] }
    }
    return { value, rest }
  }

  /** Selects an instance by its index. Undefined for a splat and unknown keys. */
  #selectInstance({ keyed, instances }: Call, index: Step | undefined): ModuleInstance | undefined {
    if (typeof index !== 'object' || index === null) return undefined
    return keyed === undefined
      ? instances[0]
      : keyed.get(getText(this.resolver.resolve(index)) ?? '')
  }

  #findCall(name: string): Call {
    const found = this.#calls.get(name)
    if (found !== undefined) return found
    const block = this.blocks.external.get(`module.${name}`) as Block
    const address = `${this.prefix}module.${name}`
    const members = this.isAbsent(block, address) ? [] : this.#listMembers(block, address)
    const keyed = members?.map((member): [string, ModuleInstance] => [
      member.key,
      this.#create(block, name, `${toInstanceId(address, member)}.`, member),
    ])
    const call: Call = {
      address,
      keyed: keyed && new Map(keyed),
      instances: keyed?.map(([, one]) => one) ?? [
        this.#create(block, name, `${address}.`, undefined),
      ],
      isRepeated: isRepeated(block),
    }
    this.#calls.set(name, call)
    return call
  }

  /** Whether the `count` of a resource or module call is certainly 0. */
  isAbsent({ at, attributes }: Block, address: string): boolean {
    const count = attributes.get('count')
    if (count === undefined) return false
    const value = this.#state.names.resolve(`${address} count`, address, at, () =>
      this.resolver.withMember(undefined, () => this.resolver.resolve(count)),
    )
    return getText(value) === '0'
  }

  /** Lists the members of `for_each`. The resolver detects a cycle of calls. */
  #listMembers({ at, attributes }: Block, address: string): readonly Member[] | undefined {
    const forEach = attributes.get('for_each')
    if (forEach === undefined) return undefined
    const value = this.#state.names.resolve(address, address, at, () =>
      this.resolver.withMember(undefined, () => this.resolver.resolve(forEach)),
    )
    return listMembers(value)
  }

  #create(block: Block, name: string, prefix: string, member: Member | undefined): ModuleInstance {
    const { at, attributes } = block
    this.#state.count(at)
    const resolve = (key: string): Value | undefined => {
      const expression = attributes.get(key)
      if (expression === undefined) return undefined
      return this.#state.names.resolve(`${prefix}var.${key}`, `var.${key}`, expression.at, () =>
        this.resolver.withMember(member, () => this.resolver.resolve(expression)),
      )
    }
    return new ModuleInstance({
      tree: this.#tree.calls.get(name) as ModuleTree,
      prefix,
      conditional: this.conditional || (member === undefined && isRepeated(block)),
      hasProviders: this.#hasProviders || attributes.has('providers'),
      getDependencies: () => mergeRefs(this.getDependencies(), resolve('depends_on')?.refs ?? []),
      getVariable: resolve,
      state: this.#state,
    })
  }
}
