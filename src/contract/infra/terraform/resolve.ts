/** Resolves Terraform expressions, as far as one module determines their values. */
import type { Position } from '../position.ts'
import {
  collectRefs,
  concatenate,
  createList,
  createScalar,
  createUnknown,
  type DanglingReference,
  getText,
  hasUnknownOrigin,
  measureWeight,
  mergeRefs,
  ReferenceResolver,
  type Value,
} from '../resolve/value.ts'
import { type Budget, createWorkBudget } from '../syntax/limits.ts'
import { TERRAFORM_FUNCTIONS } from './functions.ts'
import type { Block, Expression, Step } from './hcl.ts'

/** One member of a `for_each` argument: `each.key` and `each.value`. */
export interface Member {
  readonly key: string
  readonly value: Value
}

/** Most members that become separate resources. */
const MAX_MEMBERS = 200

/**
 * Lists the members of `for_each` of an app client.
 *
 * @returns Undefined without `for_each`, for unknown or too many members, and for other resource types. References to
 *   those use the address of the block.
 */
export function listRepeatedMembers(
  { labels, attributes }: Block,
  resolver: TerraformResolver,
): readonly Member[] | undefined {
  const forEach = attributes.get('for_each')
  if (labels[0] !== 'aws_cognito_user_pool_client' || forEach === undefined) return undefined
  const members = toMembers(resolver.resolve(forEach))
  return members === undefined || members.length > MAX_MEMBERS ? undefined : members
}

function toMembers(value: Value): readonly Member[] | undefined {
  if (value.kind === 'map' && value.complete) {
    return [...value.entries].map(([key, member]) => ({ key, value: member }))
  }
  if (value.kind !== 'list' || !value.complete) return undefined
  // A set has unique members.
  const keys = new Set(value.items.map(getText))
  return keys.has(undefined)
    ? undefined
    : [...keys].map((key = '') => ({ key, value: createScalar(value.at, key, value.refs) }))
}

/** The blocks and values that expressions of a module refer to. */
export interface Module {
  readonly variables: ReadonlyMap<string, Block>
  readonly locals: ReadonlyMap<string, Expression>
  /** By address: `aws_cognito_user_pool.orders`. */
  readonly resources: ReadonlyMap<string, Block>
  /** Data sources and modules, by address: `data.aws_ssm_parameter.pool`, `module.auth`. */
  readonly external: ReadonlyMap<string, Block>
  /** Values of variables that override their defaults. */
  readonly variableValues: ReadonlyMap<string, Expression>
}

const SSM_VALUE = /^data\.aws_ssm_parameter\.[^.]+\.(?:insecure_)?value$/
/** First parts of references that are not resource types. */
const RESERVED_ROOTS = new Set(['each', 'count', 'self', 'path', 'terraform'])

export class TerraformResolver {
  readonly dangling: DanglingReference[] = []
  readonly #names: ReferenceResolver = new ReferenceResolver()
  readonly #spend: Budget = createWorkBudget()
  readonly #module: Module
  /** The variables of the loops around an expression. */
  readonly #loopNames: string[] = []
  #each: Member | undefined

  constructor(module: Module) {
    this.#module = module
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
        return apply?.(values, at) ?? createUnknown(at, collectRefs(values))
      }
      case 'steps':
        return expression.of.kind === 'name'
          ? this.#resolveName(expression.of.name, expression.steps, at)
          : this.#followSteps(this.resolve(expression.of), expression.steps, at)
      case 'other':
        return this.withLoopNames(expression.names ?? [], () =>
          createUnknown(at, collectRefs(expression.parts.map((part) => this.resolve(part)))),
        )
      default:
        // An identifier: a variable of a loop, or undefined.
        return createUnknown(at)
    }
  }

  /** Runs a function inside of a loop with these variables. */
  withLoopNames<T>(names: readonly string[], read: () => T): T {
    this.#loopNames.push(...names)
    const result = read()
    this.#loopNames.length -= names.length
    return result
  }

  /** Runs a function with `each` set to the member. */
  withMember<T>(member: Member | undefined, read: () => T): T {
    const outer = this.#each
    this.#each = member
    const result = read()
    this.#each = outer
    return result
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

  #resolveName(root: string, steps: readonly Step[], at: Position): Value {
    const [name, ...rest] = steps
    if (typeof name !== 'string' || this.#loopNames.includes(root)) return createUnknown(at)
    if (root === 'var') return this.#followSteps(this.#resolveVariable(name, at), rest, at)
    if (root === 'local') return this.#followSteps(this.#resolveLocal(name, at), rest, at)
    if (root === 'module') return this.#resolveExternal(`module.${name}`, rest, at)
    if (root === 'data' && typeof rest[0] === 'string') {
      const address = `data.${name}.${rest[0]}`
      return this.withMember(undefined, () => this.#resolveExternal(address, rest.slice(1), at))
    }
    if (root === 'each' && this.#each !== undefined) {
      const { key, value } = this.#each
      return name === 'key' ? createScalar(at, key) : this.#followSteps(value, rest, at)
    }
    if (root === 'data' || RESERVED_ROOTS.has(root)) return createUnknown(at)
    // `each` has another value in the block of the attribute.
    return this.withMember(undefined, () => this.#resolveAttribute(`${root}.${name}`, rest, at))
  }

  #resolveVariable(name: string, at: Position): Value {
    const override = this.#module.variableValues.get(name)
    if (override !== undefined) return { ...this.resolve(override), at }
    const block = this.#module.variables.get(name)
    if (block === undefined) {
      this.dangling.push({ at, name: `var.${name}` })
      return createUnknown(at)
    }
    const defaultValue = block.attributes.get('default')
    const resolved = defaultValue && this.resolve(defaultValue)
    return resolved === undefined || resolved.kind === 'absent'
      ? createUnknown(at, [], { parameter: name })
      : resolved
  }

  /** Resolves an attribute of a data source or module, with the references of its block. */
  #resolveExternal(address: string, steps: readonly Step[], at: Position): Value {
    const block = this.#module.external.get(address)
    if (block === undefined) {
      this.dangling.push({ at, name: address })
      return createUnknown(at)
    }
    const attribute = steps.filter((step) => typeof step === 'string').join('.')
    const source = attribute === '' ? { resource: address } : { resource: address, attribute }
    // Modules may refer to each other in a cycle, data sources may not.
    if (block.type === 'module') return createUnknown(at, [], source)
    const read = () => [...block.attributes.values()].map((expression) => this.resolve(expression))
    const { refs } = this.#names.resolve(address, address, at, () =>
      createUnknown(at, collectRefs(read())),
    )
    const name = SSM_VALUE.test(`${address}.${attribute}`) && block.attributes.get('name')
    const ssm = name ? getText(this.resolve(name)) : undefined
    return createUnknown(at, refs, ssm === undefined ? source : { ssm })
  }

  #resolveLocal(name: string, at: Position): Value {
    const expression = this.#module.locals.get(name)
    if (expression !== undefined)
      return this.#names.resolve(`local.${name}`, `local.${name}`, at, () =>
        this.resolve(expression),
      )
    this.dangling.push({ at, name: `local.${name}` })
    return createUnknown(at)
  }

  #resolveAttribute(address: string, steps: readonly Step[], at: Position): Value {
    const block = this.#module.resources.get(address)
    // `x.y` may be a variable of a loop. Resource types contain an underscore.
    if (block === undefined) {
      if (address.slice(0, address.indexOf('.')).includes('_'))
        this.dangling.push({ at, name: address })
      return createUnknown(at)
    }
    // An index selects one of several instances, whose differences (`each`, `count`) are unknown.
    const indexed = steps.length > 0 && typeof steps[0] === 'object' && steps[0] !== null
    const [name, ...rest] = indexed ? steps.slice(1) : steps
    if (typeof name !== 'string') return createUnknown(at, [address], { resource: address })
    const source = { resource: address, attribute: name }
    if (name === 'scope_identifiers')
      return this.#followSteps(this.#listScopeIdentifiers(address, block, at), rest, at)
    const expression = block.attributes.get(name)
    if (expression === undefined || name === 'id') return createUnknown(at, [address], source)
    const resolved = this.#followSteps(
      this.#names.resolve(`${address}.${name}`, address, at, () => this.resolve(expression)),
      rest,
      at,
    )
    const refs = mergeRefs([address], resolved.refs)
    // Scopes are compared with the resource server that they refer to, whatever its identifier is.
    const isServer = block.labels[0] === 'aws_cognito_resource_server'
    return resolved.kind === 'absent' || (isServer && hasUnknownOrigin(resolved))
      ? createUnknown(at, refs, source)
      : { ...resolved, at, refs }
  }

  /** Lists the scopes of a resource server. The order of the provider is unknown. */
  #listScopeIdentifiers(address: string, block: Block, at: Position): Value {
    const identifier = block.attributes.get('identifier')
    const scopes = block.blocks.filter(({ type }) => type === 'scope')
    const items = scopes.map((scope) => {
      const name = scope.attributes.get('scope_name')
      if (identifier === undefined || name === undefined) return createUnknown(at, [address])
      const parts = [this.resolve(identifier), createScalar(at, '/'), this.resolve(name)]
      return { ...concatenate(at, parts), refs: [address] }
    })
    const complete = !block.blocks.some(({ type }) => type === 'dynamic')
    return createList(at, items, complete, [address])
  }

  #followSteps(start: Value, steps: readonly Step[], at: Position): Value {
    let current = start
    for (const step of steps) {
      const key =
        typeof step === 'string' ? step : step === null ? undefined : getText(this.resolve(step))
      const { refs } = current
      const next =
        current.kind === 'map' && key !== undefined
          ? current.entries.get(key)
          : current.kind === 'list' && key !== undefined && isIndexable(current)
            ? current.items[Number(key)]
            : undefined
      current =
        next === undefined ? createUnknown(at, refs) : { ...next, refs: mergeRefs(refs, next.refs) }
    }
    return { ...current, at }
  }
}

/** The order of `scope_identifiers` and sets is unknown, so only literal lists can be indexed. */
const isIndexable = ({ items, refs, complete }: Extract<Value, { kind: 'list' }>): boolean =>
  complete && (items.length === 1 || refs.length === 0)

export const isRepeated = ({ attributes }: Block): boolean =>
  attributes.has('count') || attributes.has('for_each')
