/** Resolves Terraform expressions, as far as one module determines their values. */
import type { Position } from '../position.ts'
import {
  addDerivedSource,
  collectRefs,
  concatenate,
  createList,
  createNameSource,
  createScalar,
  createUnknown,
  createUnknownMember,
  type DanglingReference,
  getText,
  hasUnknownOrigin,
  measureWeight,
  mergeRefs,
  type ReferenceResolver,
  type Value,
} from '../resolve/value.ts'
import type { Budget } from '../syntax/limits.ts'
import { TERRAFORM_FUNCTIONS } from './functions.ts'
import type { Block, Expression, For, Step } from './hcl.ts'
import { listIterations, listMembers, type Member } from './iterations.ts'
import { TERRAFORM_TYPES } from './mapping.ts'
import { type Module, NO_LOOP, type Scope, type SharedState } from './scope.ts'

/** A block that a `dynamic` block generates. */
export interface GeneratedBlock<T> {
  /** The position of the value that it is generated from. */
  readonly at: Position
  readonly content: T
}

const SSM_VALUE = /^data\.aws_ssm_parameter\.[^.]+\.(?:insecure_)?value$/
/** First parts of references that are not resource types. */
const RESERVED_ROOTS = new Set(['each', 'count', 'self', 'path'])

export class TerraformResolver {
  readonly dangling: DanglingReference[]
  readonly #names: ReferenceResolver
  readonly #spend: Budget
  readonly #module: Module
  #scope: Scope = NO_LOOP

  constructor(module: Module, { names, spend, dangling }: SharedState) {
    this.#module = module
    this.#names = names
    this.#spend = spend
    this.dangling = dangling
  }

  resolve(expression: Expression): Value {
    const value = this.#resolveExpression(expression)
    this.#spend(value.at, measureWeight(value))
    return value
  }

  #resolveExpression(expression: Expression): Value {
    const { at } = expression
    switch (expression.kind) {
      case 'literal':
        return expression.value === null
          ? { kind: 'absent', at, refs: [] }
          : createScalar(at, expression.value)
      case 'list':
        return createList(
          at,
          expression.items.map((item) => this.resolve(item)),
        )
      case 'object':
        return this.#resolveObject(expression.entries, at)
      case 'template':
        return expression.parts.length === 0
          ? createScalar(at, '')
          : concatenate(
              at,
              expression.parts.map((item) => this.resolve(item)),
            )
      case 'call': {
        const values = expression.arguments.map((item) => this.resolve(item))
        const apply = TERRAFORM_FUNCTIONS.get(expression.name)
        const result = apply?.(values, at) ?? createUnknown(at, collectRefs(values))
        return addDerivedSource(result, values)
      }
      case 'steps':
        return expression.of.kind === 'name'
          ? this.#resolveName(expression.of.name, expression.steps, at)
          : this.#followSteps(this.resolve(expression.of), expression.steps, at)
      case 'for':
        return this.#resolveFor(expression, at)
      case 'name':
        // A variable of a loop, or undefined.
        return this.#scope.variables.get(expression.name) ?? createUnknown(at)
      default:
        return this.withLoopNames(expression.names ?? [], () =>
          createUnknown(at, collectRefs(expression.parts.map((part) => this.resolve(part)))),
        )
    }
  }

  /** Runs a function inside of a loop whose variables are unknown. */
  withLoopNames<T>(names: readonly string[], read: () => T): T {
    const { each, unknownNames, iterations, variables } = this.#scope
    // They hide variables with the same name.
    const visible = <V>(map: ReadonlyMap<string, V>): ReadonlyMap<string, V> =>
      new Map([...map].filter(([name]) => !names.includes(name)))
    const scope: Scope = {
      each,
      unknownNames: [...unknownNames, ...names],
      iterations: visible(iterations),
      variables: visible(variables),
    }
    return this.#within(scope, read)
  }

  /** Runs a function outside of every loop, with `each` set to the member. */
  withMember<T>(member: Member | undefined, read: () => T): T {
    return this.#within({ ...NO_LOOP, each: member }, read)
  }

  #within<T>(scope: Scope, read: () => T): T {
    const outer = this.#scope
    this.#scope = scope
    const result = read()
    this.#scope = outer
    return result
  }

  /** Runs a function for each block that a `dynamic` block generates. Undefined if `for_each` is unknown. */
  generateBlocks<T>(
    dynamic: Block,
    read: (content: Block) => T,
  ): readonly GeneratedBlock<T>[] | undefined {
    const forEach = dynamic.attributes.get('for_each')
    const content = dynamic.blocks.find(({ type }) => type === 'content')
    if (forEach === undefined || content === undefined) return undefined
    const [iterator = ''] = getLoopNames(dynamic)
    return listIterations(this.resolve(forEach))?.map((iteration) => {
      const iterations = new Map([...this.#scope.iterations, [iterator, iteration]])
      return {
        at: iteration.value.at,
        content: this.#within({ ...this.#scope, iterations }, () => read(content)),
      }
    })
  }

  #resolveObject(entries: readonly (readonly [Expression, Expression])[], at: Position): Value {
    const members = new Map<string, Value>()
    let complete = true
    for (const [key, member] of entries) {
      const name = getText(this.resolve(key))
      if (name === undefined) complete = false
      else members.set(name, this.resolve(member))
    }
    const refs = collectRefs(members.values())
    return { kind: 'map', at, refs, entries: members, names: new Map(), complete }
  }

  /** Resolves a `for` expression over known members. A condition or a group makes it unknown. */
  #resolveFor({ names, over, results, conditions, isGrouped }: For, at: Position): Value {
    const base = this.resolve(over)
    const isPlain = conditions.length === 0 && !isGrouped
    const iterations = isPlain ? listIterations(base) : undefined
    if (iterations === undefined) {
      const parts = [...results, ...conditions]
      return this.withLoopNames(names, () =>
        createUnknown(at, collectRefs([base, ...parts.map((part) => this.resolve(part))])),
      )
    }
    const [first = '', second] = names
    const members = iterations.map(({ key, value }) => {
      const own: [string, Value][] =
        second === undefined
          ? [[first, value]]
          : [
              [first, key],
              [second, value],
            ]
      const variables = new Map([...this.#scope.variables, ...own])
      return this.#within({ ...this.#scope, variables }, () =>
        results.map((part) => this.resolve(part)),
      ) as [Value, Value?]
    })
    if (results.length === 1)
      return createList(
        at,
        members.map(([item]) => item),
        true,
        base.refs,
      )
    const known = members.filter(([key]) => getText(key) !== undefined)
    return {
      kind: 'map',
      at,
      refs: mergeRefs(base.refs, collectRefs(members.flat())),
      entries: new Map(known.map(([key, value]) => [getText(key) as string, value as Value])),
      names: new Map(),
      complete: known.length === members.length,
    }
  }

  #resolveName(root: string, steps: readonly Step[], at: Position): Value {
    const [name, ...rest] = steps
    const { unknownNames, iterations, variables, each } = this.#scope
    const variable = variables.get(root)
    if (variable !== undefined) return this.#followSteps(variable, steps, at)
    if (typeof name !== 'string' || unknownNames.includes(root)) return createUnknown(at)
    const iteration = iterations.get(root)
    if (iteration !== undefined) {
      const value = name === 'key' ? iteration.key : this.#followSteps(iteration.value, rest, at)
      // A generated block has the position of the value, not of its content.
      return { ...value, at: iteration.value.at }
    }
    if (root === 'var') return this.#followSteps(this.#resolveVariable(name, at), rest, at)
    if (root === 'local') return this.#followSteps(this.#resolveLocal(name, at), rest, at)
    if (root === 'module') return this.#resolveModule(name, rest, at)
    if (root === 'data' && typeof rest[0] === 'string') {
      const address = `data.${name}.${rest[0]}`
      return this.withMember(undefined, () => this.#resolveExternal(address, rest.slice(1), at))
    }
    if (root === 'each' && each !== undefined) {
      const { key, value } = each
      return name === 'key' ? createScalar(at, key) : this.#followSteps(value, rest, at)
    }
    if (root === 'terraform') return createUnknown(at, [], { resource: root, attribute: name })
    if (root === 'data' || RESERVED_ROOTS.has(root)) return createUnknown(at)
    const [index] = rest
    const isIndexed = typeof index === 'object' && index !== null
    const key = isIndexed ? getText(this.resolve(index)) : undefined
    const attributes = isIndexed ? rest.slice(1) : rest
    // `each` has another value in the block of the attribute.
    return this.withMember(undefined, () =>
      this.#resolveInstance(`${root}.${name}`, key, attributes, at),
    )
  }

  #resolveVariable(name: string, at: Position): Value {
    const block = this.#module.blocks.variables.get(name)
    const isRoot = this.#module.prefix === ''
    const source = isRoot ? { parameter: name } : {}
    if (isLiteral(block, 'sensitive', true)) return createUnknown(at, [], source)
    const given = this.#module.getVariable(name)
    if (given !== undefined && !(given.kind === 'absent' && isLiteral(block, 'nullable', false)))
      return given
    if (block === undefined) {
      this.dangling.push({ at, name: `var.${name}` })
      return createUnknown(at)
    }
    const defaultValue = block.attributes.get('default')
    const resolved = defaultValue && this.resolve(defaultValue)
    // Without a default, the deployment of the root module determines the value.
    return resolved === undefined || (resolved.kind === 'absent' && isRoot)
      ? createUnknown(at, [], source)
      : resolved
  }

  #resolveModule(name: string, steps: readonly Step[], at: Position): Value {
    const found = this.#module.resolveCall(name, steps, at)
    return found === undefined
      ? this.#resolveExternal(`module.${name}`, steps, at)
      : this.#followSteps(found.value, found.rest, at)
  }

  /** Resolves an output of this module for the module that calls it. */
  resolveOutput(name: string, at: Position): Value | undefined {
    const value = this.#module.blocks.outputs.get(name)?.attributes.get('value')
    if (value === undefined) return undefined
    const key = `${this.#module.prefix}output.${name}`
    return this.#names.resolve(key, `output.${name}`, at, () =>
      this.withMember(undefined, () => this.resolve(value)),
    )
  }

  /** Resolves an attribute of a data source or module, with the references of its block. */
  #resolveExternal(address: string, steps: readonly Step[], at: Position): Value {
    const block = this.#module.blocks.external.get(address)
    if (block === undefined) {
      this.dangling.push({ at, name: address })
      return createUnknown(at)
    }
    const [first] = steps
    // An index selects one of several instances. An unknown one may select another instance each time.
    const key = typeof first === 'string' ? undefined : this.#readKey(first)
    const isSelected = typeof first !== 'object' || first === null || key !== undefined
    const keys = (typeof first === 'string' ? steps : steps.slice(1)).map((step) =>
      this.#readKey(step),
    )
    const attribute = keys.join('.')
    const index = key === undefined ? '' : `[${JSON.stringify(key)}]`
    const resource = `${this.#module.prefix}${address}${index}`
    const source =
      attribute === '' || keys.includes(undefined) || !isSelected
        ? { resource }
        : { resource, attribute }
    // Modules may refer to each other in a cycle, data sources may not.
    if (block.type === 'module') return createUnknown(at, [], source)
    const read = () => [...block.attributes.values()].map((expression) => this.resolve(expression))
    const { refs } = this.#names.resolve(resource, address, at, () =>
      createUnknown(at, collectRefs(read())),
    )
    // Another account or Region has another parameter with the same name.
    const isGlobal = !this.#module.hasProviders && !block.attributes.has('provider')
    const isNamed = isGlobal && SSM_VALUE.test(`${address}.${attribute}`)
    const name = isNamed && block.attributes.get('name')
    const ssm = name ? createNameSource('ssm', this.resolve(name), 'var.') : {}
    return createUnknown(at, refs, ssm.ssm === undefined ? source : ssm)
  }

  #resolveLocal(name: string, at: Position): Value {
    const expression = this.#module.blocks.locals.get(name)
    const key = `${this.#module.prefix}local.${name}`
    if (expression !== undefined)
      return this.#names.resolve(key, `local.${name}`, at, () => this.resolve(expression))
    this.dangling.push({ at, name: `local.${name}` })
    return createUnknown(at)
  }

  /** @param key The index. It selects one of several instances of a resource. */
  #resolveInstance(
    address: string,
    key: string | undefined,
    steps: readonly Step[],
    at: Position,
  ): Value {
    const block = this.#module.blocks.resources.get(address)
    // `x.y` may be a variable of a loop. Resource types contain an underscore.
    if (block === undefined) {
      if (address.slice(0, address.indexOf('.')).includes('_'))
        this.dangling.push({ at, name: address })
      return createUnknown(at)
    }
    const resource = `${this.#module.prefix}${address}`
    const members = this.listRepeatedMembers(block)
    // The instances of `count` differ by `count.index` only, which is unknown.
    if (members === undefined) return this.#resolveAttribute(resource, block, steps, at)
    const member = members.find((one) => one.key === key)
    const ids = members.map((one) => toInstanceId(resource, one))
    if (member === undefined) return createUnknown(at, ids, { resource })
    return this.withMember(member, () =>
      this.#resolveAttribute(toInstanceId(resource, member), block, steps, at),
    )
  }

  /**
   * Lists the members of `for_each` of a resource.
   *
   * @returns Undefined without `for_each`, for unknown or too many members, and for resource types that are not in the
   *   model. References to those use the address of the block.
   */
  listRepeatedMembers({ at, labels, attributes }: Block): readonly Member[] | undefined {
    const forEach = attributes.get('for_each')
    if (!TERRAFORM_TYPES.has(labels[0] ?? '') || forEach === undefined) return undefined
    const address = labels.join('.')
    const key = `${this.#module.prefix}${address} for_each`
    const value = this.#names.resolve(key, address, at, () =>
      this.withMember(undefined, () => this.resolve(forEach)),
    )
    return listMembers(value)
  }

  #resolveAttribute(resource: string, block: Block, steps: readonly Step[], at: Position): Value {
    const [name, ...rest] = steps
    if (typeof name !== 'string') return createUnknown(at, [resource], { resource })
    const source = { resource, attribute: name }
    if (name === 'scope_identifiers')
      return this.#followSteps(this.#listScopeIdentifiers(resource, block, at), rest, at)
    const expression = block.attributes.get(name)
    if (expression === undefined || name === 'id') return createUnknown(at, [resource], source)
    const resolved = this.#followSteps(
      this.#names.resolve(`${resource}.${name}`, block.labels.join('.'), at, () =>
        this.resolve(expression),
      ),
      rest,
      at,
    )
    const refs = mergeRefs([resource], resolved.refs)
    // Scopes are compared with the resource server that they refer to, whatever its identifier is.
    const isServer = block.labels[0] === 'aws_cognito_resource_server'
    return resolved.kind === 'absent' || (isServer && hasUnknownOrigin(resolved))
      ? createUnknown(at, refs, source)
      : { ...resolved, at, refs }
  }

  /** Lists the scopes of a resource server. The order of the provider is unknown. */
  #listScopeIdentifiers(resource: string, block: Block, at: Position): Value {
    const identifier = block.attributes.get('identifier')
    const toScope = (scope: Block): Value => {
      const name = scope.attributes.get('scope_name')
      if (identifier === undefined || name === undefined) return createUnknown(at, [resource])
      const parts = [this.resolve(identifier), createScalar(at, '/'), this.resolve(name)]
      return { ...concatenate(at, parts), refs: [resource] }
    }
    const scopes = block.blocks.filter(({ type }) => type === 'scope')
    const generated = block.blocks
      .filter(({ type, labels }) => type === 'dynamic' && labels[0] === 'scope')
      .map((dynamic) => this.generateBlocks(dynamic, toScope))
    const items = [
      ...scopes.map(toScope),
      ...generated.flatMap((blocks = []) => blocks.map(({ content }) => content)),
    ]
    return createList(at, items, !generated.includes(undefined), [resource])
  }

  #followSteps(start: Value, steps: readonly Step[], at: Position): Value {
    let current = start
    for (const step of steps) {
      const key = this.#readKey(step)
      const { refs } = current
      const next =
        current.kind === 'map' && key !== undefined
          ? current.entries.get(key)
          : current.kind === 'list' && key !== undefined && isIndexable(current)
            ? current.items[Number(key)]
            : undefined
      current =
        next === undefined
          ? createUnknownMember(current, key, at)
          : { ...next, refs: mergeRefs(refs, next.refs) }
    }
    return { ...current, at }
  }

  #readKey(step: Step | undefined): string | undefined {
    if (typeof step === 'string') return step
    return step === undefined || step === null ? undefined : getText(this.resolve(step))
  }
}

/** The order of `scope_identifiers` and sets is unknown, so only literal lists can be indexed. */
const isIndexable = ({ items, refs, complete }: Extract<Value, { kind: 'list' }>): boolean =>
  complete && (items.length === 1 || refs.length === 0)

/** Returns the address of an instance, as Terraform prints it. */
export const toInstanceId = (address: string, { key }: Member): string =>
  `${address}[${JSON.stringify(key)}]`

export const isRepeated = ({ attributes }: Block): boolean =>
  attributes.has('count') || attributes.has('for_each')

/** Returns the iterator variable of a `dynamic` block. */
export function getLoopNames({ labels, attributes }: Block): readonly string[] {
  const iterator = attributes.get('iterator')
  if (iterator?.kind === 'name') return [iterator.name]
  return iterator?.kind === 'literal' ? [String(iterator.value)] : labels
}

function isLiteral(block: Block | undefined, name: string, value: boolean): boolean {
  const expression = block?.attributes.get(name)
  return expression?.kind === 'literal' && expression.value === value
}
