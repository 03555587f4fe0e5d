/** Resolves the intrinsic functions of CloudFormation, as far as the template determines their values. */
import type { Position } from '../position.ts'
import {
  addDerivedSource,
  collectRefs,
  concatenate,
  createList,
  createNameSource,
  createScalar,
  createUnknown,
  type DanglingReference,
  formatPieces,
  getText,
  measureWeight,
  mergeRefs,
  type Piece,
  ReferenceResolver,
  type Source,
  type Value,
} from '../resolve/value.ts'
import { type Budget, createWorkBudget } from '../syntax/limits.ts'
import type { Entry, Tree } from '../syntax/tree.ts'

/** A capture group, so that splitting a text returns the references at odd indexes. */
const DYNAMIC_REFERENCE = /(\{\{resolve:[^{}]*\}\})/
const SSM_PARAMETER = /^\{\{resolve:ssm(?:-secure)?:([^:}]+)/
/** A capture group, so that splitting a text returns the brackets too. */
const BRACKETS = /(\{\{resolve:|\}\})/
const SSM_PREFIX = /^ssm(?:-secure)?:/

function resolveDynamicReferences(value: Value): Value {
  if (value.kind === 'unknown' && value.pieces !== undefined)
    return { ...value, pieces: joinReferences(value.pieces) }
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text !== 'string' || !text.includes('{{resolve:')) return value
  const { at, refs } = value
  const parts = text.split(DYNAMIC_REFERENCE).map((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [createScalar(at, part, refs)]
    const [, ssm] = SSM_PARAMETER.exec(part) ?? []
    return [createUnknown(at, refs, ssm === undefined ? {} : { ssm })]
  })
  return concatenate(at, parts.flat())
}

/** Replaces references whose names are composed: `{{resolve:ssm:/${Env}/pool-id}}`. */
function joinReferences(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = []
  let reference: Piece[] | undefined
  for (const piece of pieces) {
    const parts = typeof piece === 'string' ? piece.split(BRACKETS) : [piece]
    for (const part of parts) {
      if (part === '{{resolve:' && reference === undefined) reference = []
      else if (part === '}}' && reference !== undefined) {
        result.push(toSource(reference))
        reference = undefined
      } else if (part !== '') (reference ?? result).push(part)
    }
  }
  return reference === undefined ? result : [...result, '{{resolve:', ...reference]
}

/** @param reference The pieces between the brackets: `ssm:`, the name, and optionally a version. */
function toSource([first = '', ...more]: readonly Piece[]): Source {
  if (typeof first !== 'string' || !SSM_PREFIX.test(first)) return {}
  const namePieces: Piece[] = []
  for (const piece of [first.replace(SSM_PREFIX, ''), ...more]) {
    const [name, version] = typeof piece === 'string' ? piece.split(':') : [piece]
    if (name !== undefined && name !== '') namePieces.push(name)
    if (version !== undefined) break
  }
  const ssm = formatPieces(namePieces)
  return namePieces.every((piece) => typeof piece === 'string') ? { ssm } : { ssm, namePieces }
}

type Entries = ReadonlyMap<string, Entry>

/** Splits a text of `Fn::Sub` in which each `${` has a closing brace. */
const VARIABLES_AND_TEXT = /\$\{!([^}]*)\}|\$\{([^}]+)\}|[^$]+|\$/g

/** The sections of a template that references resolve to. */
export interface Sections {
  readonly parameters: Entries
  readonly mappings: Entries
  readonly resources: Entries
  /** Values of parameters that override their defaults. */
  readonly parameterValues: ReadonlyMap<string, string>
  /** Whether a macro may define a name that the template does not define. */
  readonly mayExist: (name: string) => boolean
}

const EMPTY: Entries = new Map()

/** References whose value is a property of the resource. */
const REFERENCED_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['AWS::Cognito::UserPoolResourceServer Ref', 'Identifier'],
  ['AWS::Cognito::UserPoolDomain Ref', 'Domain'],
  ['AWS::SSM::Parameter Ref', 'Name'],
  ['AWS::SSM::Parameter Value', 'Value'],
])

export const getEntries = (tree: Tree | undefined): Entries =>
  tree?.kind === 'map' ? tree.entries : EMPTY

/** Returns a member that is a plain string, without intrinsic functions. */
export function getPlainText(entries: Entries, key: string): string | undefined {
  const tree = entries.get(key)?.value
  return tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
}

export class CloudFormationResolver {
  readonly dangling: DanglingReference[] = []
  readonly #names: ReferenceResolver = new ReferenceResolver()
  readonly #spend: Budget = createWorkBudget()
  readonly #sections: Sections

  constructor(sections: Sections) {
    this.#sections = sections
  }

  resolve(tree: Tree): Value {
    const value = this.#resolveTree(tree)
    this.#spend(value.at, measureWeight(value))
    return value
  }

  #resolveTree(tree: Tree): Value {
    const { at } = tree
    if (tree.kind === 'scalar') return resolveDynamicReferences(createScalar(at, tree.value))
    if (tree.kind === 'list')
      return toListValue(
        at,
        tree.items.map((item) => this.resolve(item)),
      )
    if (tree.kind === 'call') return this.#resolveCall(tree.name, tree.argument, at)
    const entries = new Map<string, Value>()
    const names = new Map<string, Position>()
    for (const [key, entry] of tree.entries) {
      entries.set(key, this.resolve(entry.value))
      names.set(key, entry.at)
    }
    const refs = collectRefs(entries.values())
    // Only CloudFormation evaluates Fn::Transform and Fn::ForEach.
    const complete = ![...entries.keys()].some((key) => key.startsWith('Fn::'))
    return { kind: 'map', at, refs, entries, names, complete }
  }

  #resolveCall(name: string, argument: Tree, at: Position): Value {
    if (name === 'Ref') return this.#resolveName(getText(this.resolve(argument)), 'Ref', at)
    if (name === 'Fn::GetAtt') return this.#resolveAttribute(argument, at)
    if (name === 'Fn::Sub') return this.#substitute(argument, at)
    if (name === 'Condition') return createUnknown(at)
    const operands = this.resolve(argument)
    const apply = TEXT_FUNCTIONS.get(name)
    if (apply !== undefined) return addDerivedSource(apply(operands, at), [operands])
    if (name === 'Fn::FindInMap') return this.#findInMap(operands, at)
    const source = name === 'Fn::ImportValue' ? createNameSource('imported', operands) : {}
    return createUnknown(at, operands.refs, source)
  }

  /** @param path `Ref`, or the attribute of a resource. */
  #resolveName(name: string | undefined, path: string, at: Position): Value {
    if (name === undefined) return createUnknown(at)
    if (name === 'AWS::NoValue') return { kind: 'absent', at, refs: [] }
    if (name.startsWith('AWS::')) {
      const override = this.#sections.parameterValues.get(name)
      return override === undefined
        ? createUnknown(at, [], { parameter: name })
        : createScalar(at, override)
    }
    const parameter = this.#sections.parameters.get(name)
    if (parameter !== undefined && path === 'Ref') {
      return this.#resolveParameter(name, getEntries(parameter.value), at)
    }
    const resource = this.#sections.resources.get(name)
    if (resource === undefined) {
      if (!this.#sections.mayExist(name)) this.dangling.push({ at, name })
      return createUnknown(at)
    }
    const members = getEntries(resource.value)
    const type = getPlainText(members, 'Type') ?? ''
    const property = REFERENCED_PROPERTIES.get(`${type} ${path}`)
    const tree = getEntries(members.get('Properties')?.value).get(property ?? '')?.value
    const source: Source = { resource: name, attribute: path }
    if (tree === undefined) return createUnknown(at, [name], source)
    const resolved = this.#names.resolve(`${name} ${path}`, name, at, () => this.resolve(tree))
    const refs = mergeRefs([name], resolved.refs)
    return resolved.kind === 'scalar' ? { ...resolved, at, refs } : createUnknown(at, refs, source)
  }

  #resolveParameter(name: string, members: Entries, at: Position): Value {
    const type = getPlainText(members, 'Type') ?? 'String'
    const defaultValue = members.get('Default')?.value
    const value =
      this.#sections.parameterValues.get(name) ??
      (defaultValue?.kind === 'scalar' ? defaultValue.value : null)
    const text = value === null ? undefined : String(value)
    if (text === undefined) return createUnknown(at, [], { parameter: name })
    // The text of this type is the name of an SSM parameter.
    if (type.startsWith('AWS::SSM::Parameter::Value')) return createUnknown(at, [], { ssm: text })
    if (type !== 'CommaDelimitedList' && !type.startsWith('List<'))
      return resolveDynamicReferences(createScalar(at, text))
    return createList(
      at,
      text.split(',').map((item) => createScalar(at, item.trim())),
    )
  }

  /** Resolves `A.B` or `[A, B]`. The attribute may contain dots. */
  #resolveAttribute(argument: Tree, at: Position): Value {
    const operands = this.resolve(argument)
    const path =
      operands.kind === 'list'
        ? operands.items.map((item) => getText(item)).join('.')
        : (getText(operands) ?? '')
    const dot = path.indexOf('.')
    if (dot < 1) return createUnknown(at)
    return this.#resolveName(path.slice(0, dot), path.slice(dot + 1), at)
  }

  #substitute(argument: Tree, at: Position): Value {
    const [template, variables] = argument.kind === 'list' ? argument.items : [argument]
    if (template?.kind !== 'scalar' || typeof template.value !== 'string') return createUnknown(at)
    const variableValues = new Map<string, Value>()
    for (const [key, entry] of getEntries(variables))
      variableValues.set(key, this.resolve(entry.value))
    const parts: Value[] = []
    let plain = ''
    const addPlain = (): void => {
      if (plain !== '') parts.push(resolveDynamicReferences(createScalar(at, plain)))
      plain = ''
    }
    // Without a closing brace, each `${` would scan to the end, which takes quadratic time.
    const end = template.value.lastIndexOf('}') + 1
    const variablesAndText = template.value.slice(0, end).matchAll(VARIABLES_AND_TEXT)
    for (const [part, literal, name] of variablesAndText) {
      if (name === undefined) {
        plain += literal === undefined ? part : `\${${literal}}`
        continue
      }
      addPlain()
      const key = name.trim()
      const dot = key.indexOf('.')
      const found = variableValues.get(key)
      if (found !== undefined) parts.push(found)
      else if (dot < 0) parts.push(this.#resolveName(key, 'Ref', at))
      else parts.push(this.#resolveName(key.slice(0, dot), key.slice(dot + 1), at))
    }
    plain += template.value.slice(end)
    addPlain()
    return resolveDynamicReferences(concatenate(at, parts))
  }

  #findInMap(operands: Value, at: Position): Value {
    const [map, first, second] =
      operands.kind === 'list' ? operands.items.map((item) => getText(item)) : []
    const outer = getEntries(this.#sections.mappings.get(map ?? '')?.value)
    const tree = getEntries(outer.get(first ?? '')?.value).get(second ?? '')?.value
    return tree === undefined ? createUnknown(at, operands.refs) : { ...this.resolve(tree), at }
  }
}

/** Removes items that are `AWS::NoValue`. Unknown items stay. */
function toListValue(at: Position, items: readonly Value[]): Value {
  return createList(
    at,
    items.filter((item) => item.kind !== 'absent'),
  )
}

const TEXT_FUNCTIONS: ReadonlyMap<string, (operands: Value, at: Position) => Value> = new Map([
  ['Fn::Join', joinValues],
  ['Fn::Select', selectItem],
  ['Fn::Split', splitText],
])

function joinValues(operands: Value, at: Position): Value {
  const [delimiter, parts] = operands.kind === 'list' ? operands.items : []
  const between = getText(delimiter)
  if (between === undefined || parts?.kind !== 'list' || !parts.complete) {
    return createUnknown(at, operands.refs)
  }
  const pieces = parts.items.flatMap((item, index) =>
    index === 0 || between === '' ? [item] : [createScalar(at, between), item],
  )
  return resolveDynamicReferences(concatenate(at, pieces))
}

function selectItem(operands: Value, at: Position): Value {
  const [index, parts] = operands.kind === 'list' ? operands.items : []
  const item = parts?.kind === 'list' ? parts.items[Number(getText(index) ?? -1)] : undefined
  return item === undefined ? createUnknown(at, operands.refs) : { ...item, at }
}

function splitText(operands: Value, at: Position): Value {
  const [delimiter, text] =
    operands.kind === 'list' ? operands.items.map((item) => getText(item)) : []
  if (delimiter === undefined || delimiter === '' || text === undefined) {
    return createUnknown(at, operands.refs)
  }
  return createList(
    at,
    text.split(delimiter).map((item) => createScalar(at, item, operands.refs)),
  )
}
