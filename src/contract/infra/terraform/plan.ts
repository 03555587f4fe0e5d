/**
 * Reads the plan or state that `terraform show -json` prints. Only resources of Cognito, API Gateway and SSM are read,
 * and of these only the arguments that the model has. A value that Terraform marks as sensitive is never read. Of the
 * secret of a client, only its existence counts.
 *
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
import { omitUndefined } from '../../../core/options/validate.ts'
import { toTextFact } from '../model/facts.ts'
import type { InfraOutput, ReadResources } from '../model/model.ts'
import { type Position, TemplateError } from '../position.ts'
import {
  createList,
  createScalar,
  createUnknown,
  mergeRefs,
  type Resource,
  type Scalar,
  type Value,
} from '../resolve/value.ts'
import { SINGLE_BLOCKS, TERRAFORM_TYPES, type TerraformType } from './mapping.ts'
import { createPlanOrder } from './plan-order.ts'
import { createPlanPositions, type PlanPositions } from './plan-positions.ts'
import {
  asList,
  asObject,
  type Json,
  listReferences,
  type Members,
  type PlannedModule,
  type PlannedResource,
  PlanReferences,
  readPlannedModules,
  type Target,
} from './plan-references.ts'

/** Longest plan, in characters. */
const MAX_PLAN_LENGTH = 20_000_000
/** Deepest nesting of one argument. */
const MAX_DEPTH = 100
/** Arguments that refer to another resource. In a deployed resource, they are literal ids and ARNs. */
const REFERENCE_ARGUMENTS = new Set([
  'user_pool_id',
  'rest_api_id',
  'api_id',
  'authorizer_id',
  'resource_id',
  'parent_id',
  'provider_arns',
  'value',
])
const IDENTIFIERS = ['id', 'arn', 'root_resource_id']
/** The attribute of a deployed client that has a secret. */
const SECRET = 'client_secret'

/** Parses a plan or state. Undefined for other documents, which other readers report. */
export function parsePlan(text: string): Members | undefined {
  if (!text.includes('"format_version"') || !text.includes('"root_module"')) return undefined
  if (text.length > MAX_PLAN_LENGTH) return undefined
  try {
    const document = asObject(JSON.parse(text) as Json)
    const isPlan = typeof document['format_version'] === 'string' && !('Resources' in document)
    return isPlan && getRootModule(document) !== undefined ? document : undefined
  } catch {
    return undefined
  }
}

/** Returns `planned_values.root_module` of a plan, or `values.root_module` of a state. */
const getRootModule = (document: Members): Json | undefined =>
  asObject(document['planned_values'] ?? document['values'])['root_module']

/** @throws {TemplateError} `ERR_TEMPLATE_INVALID` for an unknown version of the format. */
export function readPlan(file: string, text: string, document: Members): ReadResources {
  const positions = createPlanPositions(file, text)
  const version = String(document['format_version'])
  if (!/^[01]\./.test(version))
    throw new TemplateError(
      positions.start,
      'expected format version 0 or 1 of a Terraform plan, got another one. Convert the plan with Terraform 1.',
    )
  const configuration = asObject(asObject(document['configuration'])['root_module'])
  const planned = asObject(getRootModule(document))
  const root = readPlannedModules(planned, configuration, positions.start)
  const references = new PlanReferences(root)
  const reader = new PlanReader(document, references, positions)
  const outputs = Object.entries(asObject(configuration['outputs']))
  const resources = references.resources.map((resource) => reader.toResource(resource))
  return {
    dialect: 'terraform',
    resources: createPlanOrder(document).addServers(resources),
    dangling: [],
    complete: document['errored'] !== true && document['complete'] !== false,
    outputs: outputs.map(([id, output]) => reader.toOutput(id, output, root)),
    globals: new Map(),
  }
}

interface UnknownValue {
  readonly expression: Json | undefined
  readonly module: PlannedModule
  readonly value: Value
}

/** One value of a plan, with what Terraform states about it. */
interface Planned {
  readonly value: Json | undefined
  /** True, or an object or list that has true for its unknown members. */
  readonly unknown: Json | undefined
  /** The same for sensitive members. */
  readonly sensitive: readonly (Json | undefined)[]
  /** Its expression in the configuration, which has its references. */
  readonly expression: Json | undefined
  readonly module: PlannedModule
  readonly at: (text: string | undefined) => Position
  readonly isReference: boolean
}

class PlanReader {
  readonly #references: PlanReferences
  readonly #positions: PlanPositions
  /** By address. */
  readonly #changes: ReadonlyMap<Json, Members>
  /** Resources by their literal ids and ARNs. */
  readonly #identified: ReadonlyMap<string, Target>
  /** The last value of each kind. The items of a list follow each other and have one expression. */
  readonly #last = new Map<'unknown' | 'sensitive', UnknownValue>()

  constructor(document: Members, references: PlanReferences, positions: PlanPositions) {
    this.#references = references
    this.#positions = positions
    this.#changes = new Map(
      asList(document['resource_changes']).map((change) => [
        asObject(change)['address'] ?? null,
        asObject(asObject(change)['change']),
      ]),
    )
    this.#identified = new Map(references.resources.flatMap(listIdentifiers))
  }

  toResource(resource: PlannedResource): Resource {
    const { address, type, values, configuration, module } = resource
    const { type: id, names } = TERRAFORM_TYPES.get(type) as TerraformType
    const change = this.#changes.get(address) ?? {}
    const unknown = asObject(change['after_unknown'])
    const at = this.#positions.findResource(address)
    const properties = new Map<string, Value>()
    const expressions = asObject(configuration['expressions'])
    for (const [name, property] of Object.entries(names)) {
      // A nested argument has its name within its block.
      if (!Object.hasOwn(values, name) && !Object.hasOwn(unknown, name)) continue
      // The provider computes an argument that is not configured: its default applies.
      if (unknown[name] === true && expressions[name] === undefined) continue
      const value = this.#toValue(
        {
          value: values[name],
          unknown: unknown[name],
          sensitive: [
            asObject(resource.sensitive)[name],
            asObject(change['after_sensitive'])[name],
          ],
          expression: expressions[name],
          module,
          at: (text) => this.#positions.findText(address, name, text),
          isReference: REFERENCE_ARGUMENTS.has(name),
        },
        names,
        0,
      )
      properties.set(property, toProperty(name, value))
    }
    // An import does not set the argument of a client that has a secret. The secret itself is not read.
    if (isNonEmptyText(values[SECRET])) {
      const secretAt = this.#positions.findMember(address, SECRET)
      properties.set('GenerateSecret', createScalar(secretAt, true))
    }
    const { ids, isComplete } = this.#references.listDependencies(resource)
    return omitUndefined<Resource>({
      id: address,
      type: id,
      at,
      properties,
      complete: true,
      dependsOn: ids.filter((other) => other !== address),
      mayAwaitAny: isComplete ? undefined : true,
      conditional: false,
    })
  }

  /** The literal value of an output can be any secret, so only its references are read. */
  toOutput(id: string, output: Json, module: PlannedModule): InfraOutput {
    const references = listReferences(asObject(output)['expression'])
    const at = this.#positions.start
    const value = toTextFact(this.#references.toValue({ references, module, isUnknown: true }, at))
    return omitUndefined<InfraOutput>({ id, at, conditional: false, value })
  }

  #toValue(planned: Planned, names: Readonly<Record<string, string>>, depth: number): Value {
    const { value, unknown, sensitive, at } = planned
    if (depth > MAX_DEPTH)
      throw new TemplateError(
        at(undefined),
        `expected at most ${MAX_DEPTH} nested levels, got more. Split the argument.`,
      )
    if (unknown === true || sensitive.includes(true))
      return this.#toUnknown(planned, unknown === true)
    const inner = (key: string | number, item: Json | undefined): Value =>
      this.#toValue(
        {
          ...planned,
          value: item,
          expression: getExpression(planned.expression, key, value),
          unknown: getItem(unknown, key),
          sensitive: sensitive.map((one) => getItem(one, key)),
        },
        names,
        depth + 1,
      )
    const list = Array.isArray(value) ? (value as readonly Json[]) : undefined
    const unknowns = Array.isArray(unknown) ? (unknown as readonly Json[]) : []
    if (list !== undefined || unknowns.length > 0) {
      const length = Math.max(list?.length ?? 0, unknowns.length)
      const items = Array.from({ length }, (_, index) => inner(index, list?.[index]))
      return createList(at(undefined), items, true, this.#toUnknown(planned, false).refs)
    }
    const members = Object.keys(asObject(unknown))
    // The references of a list do not say which item has them.
    if ((typeof value !== 'object' || value === null) && members.length === 0)
      return this.#toScalar(
        (value ?? null) as Scalar,
        planned,
        depth === 0 ? this.#toUnknown(planned, false).refs : [],
      )
    const known = asObject(value)
    const keys = new Set([...Object.keys(known), ...members])
    const entries = [...keys].map((key): [string, Value] => [
      Object.hasOwn(names, key) ? (names[key] as string) : key,
      toSingle(key, inner(key, known[key])),
    ])
    const map = new Map(entries)
    const { refs } = this.#toUnknown(planned, false)
    return { kind: 'map', at: at(undefined), refs, names: new Map(), entries: map, complete: true }
  }

  #toUnknown({ expression, module, at }: Planned, isUnknown: boolean): Value {
    const kind = isUnknown ? 'unknown' : 'sensitive'
    const last = this.#last.get(kind)
    if (last?.expression === expression && last?.module === module)
      return { ...last.value, at: at(undefined) }
    const references = listReferences(expression)
    const value = this.#references.toValue({ references, module, isUnknown }, at(undefined))
    this.#last.set(kind, { expression, module, value })
    return value
  }

  #toScalar(value: Scalar, { at, isReference }: Planned, refs: readonly string[]): Value {
    const position = at(typeof value === 'string' ? value : undefined)
    if (value === null) return { kind: 'absent', at: position, refs }
    const target = isReference ? this.#identified.get(String(value)) : undefined
    return target === undefined
      ? createScalar(position, value, refs)
      : createUnknown(position, mergeRefs([target.resource], refs), target)
  }
}

const isNonEmptyText = (value: Json | undefined): boolean =>
  typeof value === 'string' && value !== ''

function listIdentifiers({ address, values }: PlannedResource): readonly [string, Target][] {
  return IDENTIFIERS.flatMap((attribute): [string, Target][] => {
    const value = values[attribute]
    return typeof value === 'string' ? [[value, { resource: address, attribute }]] : []
  })
}

const getItem = (value: Json | undefined, key: string | number): Json | undefined => {
  if (Array.isArray(value)) return value[Number(key)]
  const members = asObject(value)
  return Object.hasOwn(members, key) ? members[key] : undefined
}

/** Returns the expression of a member. That of the whole, if the configuration does not state it. */
function getExpression(
  expression: Json | undefined,
  key: string | number,
  value: Json | undefined,
): Json | undefined {
  if (Array.isArray(expression)) {
    // The order of a set differs from that of its blocks.
    const isOnly = expression.length === 1 && Array.isArray(value) && value.length === 1
    return isOnly ? expression[0] : expression
  }
  const members = asObject(expression)
  const isLeaf = 'references' in members || 'constant_value' in members
  return isLeaf || typeof key === 'number' ? expression : getItem(members, key)
}

/** Converts a list of one block that is one map in CloudFormation. */
function toSingle(name: string, value: Value): Value {
  if (!SINGLE_BLOCKS.has(name) || value.kind !== 'list') return value
  return value.items[0] ?? { kind: 'absent', at: value.at, refs: [] }
}

/** Converts a block, or a JSON document in a string. */
function toProperty(name: string, value: Value): Value {
  if (name !== 'body' || value.kind !== 'scalar') return toSingle(name, value)
  try {
    return toDocument(JSON.parse(String(value.value)) as Json, value.at, 0)
  } catch {
    // A document in YAML is not read.
    return createUnknown(value.at, value.refs)
  }
}

function toDocument(value: Json, at: Position, depth: number): Value {
  if (depth > MAX_DEPTH) return createUnknown(at)
  const inner = (item: Json): Value => toDocument(item, at, depth + 1)
  if (Array.isArray(value)) return createList(at, value.map(inner))
  if (typeof value !== 'object' || value === null) return createScalar(at, value)
  const entries = new Map(Object.entries(value).map(([key, item]) => [key, inner(item)]))
  return { kind: 'map', at, refs: [], names: new Map(), entries, complete: true }
}
