/** Modules and resources of a Terraform plan, and the references between them that its configuration states. */
import { type Position, TemplateError } from '../position.ts'
import { createUnknown, mergeRefs, type Value } from '../resolve/value.ts'
import { TERRAFORM_TYPES } from './mapping.ts'

export type Json = string | number | boolean | null | readonly Json[] | Members
export type Members = { readonly [name: string]: Json }

/** A module instance of the planned values. */
export interface PlannedModule {
  /** Empty for the root module. */
  readonly address: string
  /** The name of its call. */
  readonly name: string
  readonly parent: PlannedModule | undefined
  readonly configuration: Members
  readonly resources: readonly PlannedResource[]
  readonly children: readonly PlannedModule[]
}

export interface PlannedResource {
  readonly address: string
  readonly type: string
  readonly name: string
  readonly values: Members
  readonly sensitive: Json | undefined
  readonly configuration: Members
  readonly module: PlannedModule
}

/** An attribute of a planned resource. */
export interface Target {
  readonly resource: string
  readonly attribute?: string
}

/** The references of an expression, in the module that has it. */
export interface Reference {
  readonly references: readonly string[]
  readonly module: PlannedModule
  /** Whether Terraform determines the value in the deployment. Otherwise it is known, and sensitive. */
  readonly isUnknown: boolean
}

interface Dependencies {
  readonly ids: readonly string[]
  readonly isComplete: boolean
}

/** What references refer to. */
interface Resolution {
  readonly targets: readonly Target[]
  /** False if a reference may refer to other resources: a plan has no local values. */
  readonly complete: boolean
  /** What the value may be in addition: a known value of a variable, or an unknown one that is no target. */
  readonly other?: 'known' | 'unknown'
}

/** Longest chain of variables and outputs. */
const MAX_STEPS = 50
/** Most references and targets that are resolved for one plan. */
const MAX_RESOLUTIONS = 1_000_000
/** Deepest nesting of modules. */
const MAX_MODULE_DEPTH = 50
const UNKNOWN: Resolution = { targets: [], complete: false }
const NOTHING: Resolution = { targets: [], complete: true }
const KNOWN_VALUE: Resolution = { ...NOTHING, other: 'known' }
const UNKNOWN_VALUE: Resolution = { ...NOTHING, other: 'unknown' }
/** Data sources about the account, whose values are never those of a resource. */
const ACCOUNT_DATA =
  /^aws_(?:caller_identity|default_tags|organizations_organization|partition|region)$/

export const asObject = (value: Json | undefined): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}

export const asList = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : []

/** Lists the references of an expression, or of all expressions in a block. */
export function listReferences(expression: Json | undefined): readonly string[] {
  const found = new Set<string>()
  const pending: (Json | undefined)[] = [expression]
  while (pending.length > 0) {
    const next = pending.pop()
    if (Array.isArray(next)) for (const item of next as readonly Json[]) pending.push(item)
    for (const [name, value] of Object.entries(asObject(next))) {
      if (name === 'references') {
        for (const one of asList(value)) if (typeof one === 'string') found.add(one)
      } else if (name !== 'constant_value') pending.push(value)
    }
  }
  // Terraform lists `pool.id` and then `pool`.
  const prefixes = new Set<string>()
  for (const one of found)
    for (const { index } of one.matchAll(/[.[]/g)) prefixes.add(one.slice(0, index))
  return [...found].filter((one) => !prefixes.has(one))
}

/**
 * Reads the module instances of the planned values, with the configuration of each.
 *
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` at `at` if the recursion is too deep.
 */
export function readPlannedModules(
  planned: Members,
  configuration: Members,
  at: Position,
): PlannedModule {
  return readModule(planned, configuration, at, '', undefined, 0)
}

function readModule(
  planned: Members,
  configuration: Members,
  at: Position,
  name: string,
  parent: PlannedModule | undefined,
  depth: number,
): PlannedModule {
  if (depth > MAX_MODULE_DEPTH)
    throw new TemplateError(
      at,
      `expected at most ${MAX_MODULE_DEPTH} nested modules, got more. Check a part of the plan.`,
    )
  const address = toText(planned['address'])
  const resources: PlannedResource[] = []
  const children: PlannedModule[] = []
  const module = { address, name, parent, configuration, resources, children }
  const configurations = new Map(
    asList(configuration['resources']).map((one) => [asObject(one)['address'], asObject(one)]),
  )
  for (const one of asList(planned['resources']).map(asObject)) {
    // A deposed object was replaced, and is only not destroyed yet.
    if (one['deposed_key'] !== undefined) continue
    const id = toText(one['address'])
    const type = toText(one['type'])
    if (id === '' || one['mode'] === 'data' || !TERRAFORM_TYPES.has(type)) continue
    const label = toText(one['name'])
    resources.push({
      address: id,
      type,
      name: label,
      values: asObject(one['values']),
      sensitive: one['sensitive_values'],
      configuration: configurations.get(`${type}.${label}`) ?? {},
      module,
    })
  }
  const calls = asObject(configuration['module_calls'])
  for (const child of asList(planned['child_modules']).map(asObject)) {
    const relative = toText(child['address']).slice(address === '' ? 0 : address.length + 1)
    const [, call = ''] = /^module\.([^.[\]]+)/.exec(relative) ?? []
    const called = asObject(asObject(calls[call])['module'])
    children.push(readModule(child, called, at, call, module, depth + 1))
  }
  return module
}

const toText = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

export class PlanReferences {
  readonly resources: readonly PlannedResource[]
  readonly #addresses: ReadonlySet<string>
  /** By module, and by type and name. */
  readonly #instances = new Map<PlannedModule, ReadonlyMap<string, readonly PlannedResource[]>>()
  #remaining = MAX_RESOLUTIONS

  constructor(root: PlannedModule) {
    this.resources = listResources(root)
    this.#addresses = new Set(this.resources.map(({ address }) => address))
  }

  /**
   * Returns an unknown value that refers to the resources. It has a source if there is one resource. The source is a
   * derived one, because a plan states the references of an expression and not its functions.
   */
  toValue({ references, module, isUnknown }: Reference, at: Position): Value {
    const { targets, complete, other } = this.#resolveAll(references, module, 0)
    const refs = mergeRefs(targets.map(({ resource }) => resource))
    const [source] = targets
    // An unknown value does not depend on the values of variables alone.
    const isOnly = complete && (other === undefined || (other === 'known' && isUnknown))
    return createUnknown(
      at,
      refs,
      source !== undefined && isOnly && refs.length === 1 ? { ...source, isDerived: true } : {},
    )
  }

  /** Lists the addresses that a resource waits for. Incomplete if it may wait for others. */
  listDependencies({ configuration, module }: PlannedResource): Dependencies {
    const { expressions, for_each_expression: forEach, depends_on: dependsOn } = configuration
    const references = listReferences([
      expressions ?? {},
      forEach ?? {},
      { references: dependsOn ?? [] },
    ])
    const all = [this.#resolveAll(references, module, 0)]
    for (let one = module; one.parent !== undefined; one = one.parent) {
      const call = asObject(asObject(one.parent.configuration['module_calls'])[one.name])
      all.push(this.#resolveAll(asList(call['depends_on']).map(String), one.parent, 0))
    }
    const refs = all.flatMap(({ targets }) => targets.map(({ resource }) => resource))
    const isComplete =
      Object.keys(configuration).length > 0 && all.every(({ complete }) => complete)
    return { ids: mergeRefs(refs).filter((ref) => this.#addresses.has(ref)), isComplete }
  }

  #resolveAll(references: readonly string[], module: PlannedModule, steps: number): Resolution {
    const all = references.map((reference) => this.#resolve(reference, module, steps))
    return mergeResolutions(all)
  }

  #resolve(reference: string, module: PlannedModule, steps: number): Resolution {
    this.#remaining -= 1
    if (steps > MAX_STEPS || this.#remaining < 0) return UNKNOWN
    const [, root = '', name = '', index = '', rest = ''] =
      /^([\w-]+)\.([\w-]+)((?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])?)\.?(.*)$/s.exec(reference) ?? []
    if (root === 'var') return this.#resolveVariable(name, module, steps)
    if (root === 'module') return this.#resolveModule(name, index, rest, module, steps)
    if (root === 'each' && name === 'value') return UNKNOWN_VALUE
    if (root === 'each' || root === 'count' || root === 'path' || root === 'terraform')
      return NOTHING
    if (root === 'data') {
      if (ACCOUNT_DATA.test(name)) return NOTHING
      const prefix = module.address === '' ? '' : `${module.address}.`
      const [label, ...attributes] = rest.split('.')
      const resource = `${prefix}data.${name}.${label}`
      return { targets: [toTarget(resource, attributes.join('.'))], complete: true }
    }
    if (root === 'local' || root === '') return UNKNOWN
    const targets = this.#findInstances(module, `${root}.${name}`)
      .filter(({ address }) => address.endsWith(index))
      .map(({ address }) => toTarget(address, rest))
    this.#remaining -= targets.length
    return TERRAFORM_TYPES.has(root) ? { targets, complete: true } : UNKNOWN_VALUE
  }

  #findInstances(module: PlannedModule, name: string): readonly PlannedResource[] {
    const known = this.#instances.get(module)
    const instances = known ?? groupByName(module.resources)
    if (known === undefined) this.#instances.set(module, instances)
    return instances.get(name) ?? []
  }

  #resolveVariable(name: string, { name: call, parent }: PlannedModule, steps: number): Resolution {
    // A variable of the root module is an input of the plan.
    if (parent === undefined) return KNOWN_VALUE
    const calls = asObject(parent.configuration['module_calls'])
    const expressions = asObject(asObject(calls[call])['expressions'])
    return this.#resolveAll(listReferences(expressions[name]), parent, steps + 1)
  }

  #resolveModule(
    name: string,
    index: string,
    rest: string,
    module: PlannedModule,
    steps: number,
  ): Resolution {
    const children = module.children.filter(
      (child) => child.name === name && child.address.endsWith(index),
    )
    if (rest === '') {
      const resources = children.flatMap(listResources)
      this.#remaining -= resources.length
      return { targets: resources.map(({ address: resource }) => ({ resource })), complete: true }
    }
    const [output] = rest.split(/[.[]/) as [string]
    const all = children.map((child) => {
      const outputs = asObject(child.configuration['outputs'])
      const { expression } = asObject(outputs[output])
      return this.#resolveAll(listReferences(expression), child, steps + 1)
    })
    return mergeResolutions(all)
  }
}

function mergeResolutions(all: readonly Resolution[]): Resolution {
  const merged = {
    targets: all.flatMap(({ targets }) => targets),
    complete: all.every(({ complete }) => complete),
  }
  const others = all.map(({ other }) => other)
  const other = others.includes('unknown')
    ? 'unknown'
    : others.includes('known')
      ? 'known'
      : undefined
  return other === undefined ? merged : { ...merged, other }
}

function groupByName(
  resources: readonly PlannedResource[],
): ReadonlyMap<string, readonly PlannedResource[]> {
  const groups = new Map<string, PlannedResource[]>()
  for (const resource of resources) {
    const key = `${resource.type}.${resource.name}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [resource])
    else group.push(resource)
  }
  return groups
}

const toTarget = (resource: string, attribute: string): Target =>
  attribute === '' ? { resource } : { resource, attribute }

function listResources(module: PlannedModule): readonly PlannedResource[] {
  return [...module.resources, ...module.children.flatMap(listResources)]
}
