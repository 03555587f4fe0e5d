/** Resolves CloudFormation's intrinsic functions as far as a template alone tells what they give. */

import type { Position } from '../position.ts'
import { Names } from '../resolve/references.ts'
import {
  concatenated,
  type DanglingReference,
  list,
  mergeRefs,
  refsOf,
  type Source,
  scalar,
  textOf,
  unknown,
  type Value,
  weightOf,
} from '../resolve/value.ts'
import { type Budget, workBudget } from '../syntax/limits.ts'
import type { Entry, Tree } from '../syntax/tree.ts'

type Entries = ReadonlyMap<string, Entry>

/** Parts of a text of `Fn::Sub`, where each `${` has a brace that closes it. */
const VARIABLES_AND_TEXT = /\$\{!([^}]*)\}|\$\{([^}]+)\}|[^$]+|\$/g
/** Captured, so that a text that is split by it has the references at odd places. */
const DYNAMIC_REFERENCE = /(\{\{resolve:[^{}]*\}\})/
const SSM_PARAMETER = /^\{\{resolve:ssm(?:-secure)?:([^:}]+)/

/** The parts of a template that others refer to. */
export interface Sections {
  readonly parameters: Entries
  readonly mappings: Entries
  readonly resources: Entries
  /** Values given for parameters instead of their defaults. */
  readonly given: ReadonlyMap<string, string>
  /** Whether a name that the template does not define may be defined by a macro. */
  readonly mayExist: (name: string) => boolean
}

const EMPTY: Entries = new Map()

/** What `!Ref` and `!GetAtt` give where it is one of the resource's properties. */
const PROPERTY: ReadonlyMap<string, string> = new Map([
  ['AWS::Cognito::UserPoolResourceServer Ref', 'Identifier'],
  ['AWS::Cognito::UserPoolDomain Ref', 'Domain'],
  ['AWS::SSM::Parameter Ref', 'Name'],
  ['AWS::SSM::Parameter Value', 'Value'],
])

export const entriesOf = (tree: Tree | undefined): Entries =>
  tree?.kind === 'map' ? tree.entries : EMPTY

/** A member's text where it is written as plain text. */
export function plainText(entries: Entries, key: string): string | undefined {
  const tree = entries.get(key)?.value
  return tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
}

export class CloudFormationResolver {
  readonly dangling: DanglingReference[] = []
  readonly #names: Names = new Names()
  readonly #spend: Budget = workBudget()
  readonly #sections: Sections

  constructor(sections: Sections) {
    this.#sections = sections
  }

  value(tree: Tree): Value {
    const value = this.#value(tree)
    this.#spend(value.at, weightOf(value))
    return value
  }

  #value(tree: Tree): Value {
    const { at } = tree
    if (tree.kind === 'scalar') return dynamic(scalar(at, tree.value))
    if (tree.kind === 'list')
      return listed(
        at,
        tree.items.map((item) => this.value(item)),
      )
    if (tree.kind === 'call') return this.#call(tree.name, tree.argument, at)
    const entries = new Map<string, Value>()
    const names = new Map<string, Position>()
    for (const [key, entry] of tree.entries) {
      entries.set(key, this.value(entry.value))
      names.set(key, entry.at)
    }
    const refs = refsOf(entries.values())
    // What a transform includes or a loop makes is seen by CloudFormation alone.
    const complete = ![...entries.keys()].some((key) => key.startsWith('Fn::'))
    return { kind: 'map', at, refs, entries, names, complete }
  }

  #call(name: string, argument: Tree, at: Position): Value {
    if (name === 'Ref') return this.#named(textOf(this.value(argument)), 'Ref', at)
    if (name === 'Fn::GetAtt') return this.#attribute(argument, at)
    if (name === 'Fn::Sub') return this.#substituted(argument, at)
    if (name === 'Condition') return unknown(at)
    const given = this.value(argument)
    if (name === 'Fn::Join') return joined(given, at)
    if (name === 'Fn::Select') return selected(given, at)
    if (name === 'Fn::Split') return split(given, at)
    if (name === 'Fn::FindInMap') return this.#found(given, at)
    const imported = name === 'Fn::ImportValue' ? textOf(given) : undefined
    return unknown(at, given.refs, imported === undefined ? {} : { imported })
  }

  /** A parameter, a resource, or neither; `path` is `Ref` or the attribute asked for. */
  #named(name: string | undefined, path: string, at: Position): Value {
    if (name === undefined) return unknown(at)
    if (name === 'AWS::NoValue') return { kind: 'absent', at, refs: [] }
    if (name.startsWith('AWS::')) {
      const given = this.#sections.given.get(name)
      return given === undefined ? unknown(at, [], { parameter: name }) : scalar(at, given)
    }
    const parameter = this.#sections.parameters.get(name)
    if (parameter !== undefined && path === 'Ref') {
      return this.#parameterValue(name, entriesOf(parameter.value), at)
    }
    const resource = this.#sections.resources.get(name)
    if (resource === undefined) {
      if (!this.#sections.mayExist(name)) this.dangling.push({ at, name })
      return unknown(at)
    }
    const members = entriesOf(resource.value)
    const type = plainText(members, 'Type') ?? ''
    const property = PROPERTY.get(`${type} ${path}`)
    const tree = entriesOf(members.get('Properties')?.value).get(property ?? '')?.value
    const source: Source = { resource: name, attribute: path }
    if (tree === undefined) return unknown(at, [name], source)
    const resolved = this.#names.resolve(`${name} ${path}`, name, at, () => this.value(tree))
    const refs = mergeRefs([name], resolved.refs)
    return resolved.kind === 'scalar' ? { ...resolved, at, refs } : unknown(at, refs, source)
  }

  #parameterValue(name: string, members: Entries, at: Position): Value {
    const type = plainText(members, 'Type') ?? 'String'
    const written = members.get('Default')?.value
    const value =
      this.#sections.given.get(name) ?? (written?.kind === 'scalar' ? written.value : null)
    const text = value === null ? undefined : String(value)
    if (text === undefined) return unknown(at, [], { parameter: name })
    // A parameter of this type names where its value is kept.
    if (type.startsWith('AWS::SSM::Parameter::Value')) return unknown(at, [], { ssm: text })
    if (type !== 'CommaDelimitedList' && !type.startsWith('List<')) return dynamic(scalar(at, text))
    return list(
      at,
      text.split(',').map((item) => scalar(at, item.trim())),
    )
  }

  /** `A.B`, or `[A, B]`; the attribute may have dots of its own. */
  #attribute(argument: Tree, at: Position): Value {
    const given = this.value(argument)
    const path =
      given.kind === 'list'
        ? given.items.map((item) => textOf(item)).join('.')
        : (textOf(given) ?? '')
    const dot = path.indexOf('.')
    if (dot < 1) return unknown(at)
    return this.#named(path.slice(0, dot), path.slice(dot + 1), at)
  }

  #substituted(argument: Tree, at: Position): Value {
    const [template, variables] = argument.kind === 'list' ? argument.items : [argument]
    if (template?.kind !== 'scalar' || typeof template.value !== 'string') return unknown(at)
    const own = new Map<string, Value>()
    for (const [key, entry] of entriesOf(variables)) own.set(key, this.value(entry.value))
    const parts: Value[] = []
    let plain = ''
    const addPlain = (): void => {
      if (plain !== '') parts.push(dynamic(scalar(at, plain)))
      plain = ''
    }
    // Behind the last brace no variable ends. Looked for there by each, it would take quadratic time.
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
      const found = own.get(key)
      if (found !== undefined) parts.push(found)
      else if (dot < 0) parts.push(this.#named(key, 'Ref', at))
      else parts.push(this.#named(key.slice(0, dot), key.slice(dot + 1), at))
    }
    plain += template.value.slice(end)
    addPlain()
    return dynamic(concatenated(at, parts))
  }

  #found(given: Value, at: Position): Value {
    const [map, first, second] =
      given.kind === 'list' ? given.items.map((item) => textOf(item)) : []
    const outer = entriesOf(this.#sections.mappings.get(map ?? '')?.value)
    const tree = entriesOf(outer.get(first ?? '')?.value).get(second ?? '')?.value
    return tree === undefined ? unknown(at, given.refs) : { ...this.value(tree), at }
  }
}

/** Members that are `AWS::NoValue` are left out; ones that only a deployment knows stay. */
function listed(at: Position, items: readonly Value[]): Value {
  const there = items.filter((item) => item.kind !== 'absent')
  return list(at, there)
}

function joined(given: Value, at: Position): Value {
  const [delimiter, parts] = given.kind === 'list' ? given.items : []
  const between = textOf(delimiter)
  if (between === undefined || parts?.kind !== 'list' || !parts.complete) {
    return unknown(at, given.refs)
  }
  const pieces = parts.items.flatMap((item, index) =>
    index === 0 || between === '' ? [item] : [scalar(at, between), item],
  )
  return dynamic(concatenated(at, pieces))
}

function selected(given: Value, at: Position): Value {
  const [index, parts] = given.kind === 'list' ? given.items : []
  const item = parts?.kind === 'list' ? parts.items[Number(textOf(index) ?? -1)] : undefined
  return item === undefined ? unknown(at, given.refs) : { ...item, at }
}

function split(given: Value, at: Position): Value {
  const [delimiter, text] = given.kind === 'list' ? given.items.map((item) => textOf(item)) : []
  if (delimiter === undefined || delimiter === '' || text === undefined) {
    return unknown(at, given.refs)
  }
  return list(
    at,
    text.split(delimiter).map((item) => scalar(at, item, given.refs)),
  )
}

/** `{{resolve:ssm:name}}` is text to the template and a value to the deployment. */
function dynamic(value: Value): Value {
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text !== 'string' || !text.includes('{{resolve:')) return value
  const { at, refs } = value
  const parts = text.split(DYNAMIC_REFERENCE).map((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [scalar(at, part, refs)]
    const [, ssm] = SSM_PARAMETER.exec(part) ?? []
    return [unknown(at, refs, ssm === undefined ? {} : { ssm })]
  })
  return concatenated(at, parts.flat())
}
