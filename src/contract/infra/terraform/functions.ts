/** The Terraform functions that compose scopes and names. None of them reads files or state. */
import type { Position } from '../position.ts'
import {
  collectRefs,
  concatenate,
  createList,
  createScalar,
  createUnknown,
  getText,
  MAX_TEXT_LENGTH,
  type Value,
} from '../resolve/value.ts'

type Apply = (values: readonly Value[], at: Position) => Value

/** Concatenates lists. Incomplete if one of them is. */
const concatLists: Apply = (values, at) => {
  const items = values.flatMap((value) => (value.kind === 'list' ? value.items : []))
  const complete = values.every((value) => value.kind === 'list' && value.complete)
  return createList(at, items, complete, collectRefs(values))
}

/** Returns the argument. The function changes its type only. */
const returnArgument: Apply = ([value], at) =>
  value === undefined ? createUnknown(at) : { ...value, at }

const isKnown = (value: Value): boolean => value.kind !== 'unknown'

/** Sorts and deduplicates as Terraform does, so that the list can be indexed. Incomplete if an item is unknown. */
const createListSorter =
  ({ unique, sort }: { unique: boolean; sort: boolean }): Apply =>
  ([value], at) => {
    if (value?.kind !== 'list') return createUnknown(at, value?.refs)
    const known = value.items.filter((item) => getText(item) !== undefined)
    const isKnownList = value.complete && known.length === value.items.length
    if (!isKnownList) return { ...value, at, complete: false }
    const texts = known.map((item): [string, Value] => [String(getText(item)), item])
    const members = unique ? [...new Map(texts)] : texts
    if (sort) members.sort(([a], [b]) => (a < b ? -1 : 1))
    return { ...value, at, items: members.map(([, item]) => item) }
  }

const toSet = createListSorter({ unique: true, sort: true })

/** Returns the only item of a list. Unknown if the list may have none or several. */
const getOnlyMember: Apply = ([value], at) => {
  const [only, ...more] = value?.kind === 'list' && value.complete ? value.items : []
  return only === undefined || more.length > 0 ? createUnknown(at, value?.refs) : { ...only, at }
}

const flatten: Apply = ([value], at) => {
  if (value?.kind !== 'list') return createUnknown(at, value?.refs)
  const items = value.items.flatMap((item) => (item.kind === 'list' ? item.items : [item]))
  // An unknown item may be a list.
  const complete = value.items.every((item) =>
    item.kind === 'list' ? item.complete : isKnown(item),
  )
  return createList(at, items, value.complete && complete, value.refs)
}

const format: Apply = ([pattern, ...values], at) => {
  const text = getText(pattern)
  if (text === undefined || text.length > MAX_TEXT_LENGTH)
    return createUnknown(at, collectRefs([...values, pattern]))
  const parts: Value[] = []
  let next = 0
  for (const [part] of text.matchAll(/%%|%[^%a-zA-Z]*[a-zA-Z]|[^%]+|%/g)) {
    if (part === '%%') parts.push(createScalar(at, '%'))
    else if (!part.startsWith('%')) parts.push(createScalar(at, part))
    else {
      const value = values[next++]
      // Verbs with widths or number formats are not supported: scopes do not use them.
      const plain = part === '%s' || part === '%d' || part === '%v'
      parts.push(plain && value !== undefined ? value : createUnknown(at, value?.refs))
    }
  }
  const refs = collectRefs(values)
  return parts.length === 0 ? createScalar(at, '', refs) : { ...concatenate(at, parts), refs }
}

const formatlist: Apply = ([pattern, values, ...more], at) => {
  const refs = collectRefs([pattern, values, ...more])
  if (pattern === undefined || values?.kind !== 'list' || more.length > 0)
    return createUnknown(at, refs)
  const items = values.items.map((item) => format([pattern, item], at))
  return createList(at, items, values.complete, refs)
}

const join: Apply = ([separator, values], at) => {
  const refs = collectRefs([separator, values])
  const between = getText(separator)
  if (between === undefined || values?.kind !== 'list' || !values.complete)
    return createUnknown(at, refs)
  const parts = values.items.flatMap((item, index) =>
    index === 0 ? [item] : [createScalar(at, between), item],
  )
  return { ...concatenate(at, parts), refs }
}

const createTextFunction =
  (change: (text: string) => string): Apply =>
  ([value], at) => {
    const known = getText(value)
    return known === undefined
      ? createUnknown(at, value?.refs)
      : createScalar(at, change(known), value?.refs)
  }

export const TERRAFORM_FUNCTIONS: ReadonlyMap<string, Apply> = new Map([
  ['concat', concatLists],
  ['setunion', (values, at) => toSet([concatLists(values, at)], at)],
  ['flatten', flatten],
  ['format', format],
  ['formatlist', formatlist],
  ['join', join],
  ['lower', createTextFunction((value) => value.toLowerCase())],
  ['upper', createTextFunction((value) => value.toUpperCase())],
  ['tostring', createTextFunction((value) => value)],
  ['tolist', returnArgument],
  ['toset', toSet],
  ['distinct', createListSorter({ unique: true, sort: false })],
  ['sort', createListSorter({ unique: false, sort: true })],
  ['one', getOnlyMember],
  // An encoded document is read as its value.
  ['jsonencode', returnArgument],
  ['yamlencode', returnArgument],
  ['nonsensitive', returnArgument],
  ['sensitive', returnArgument],
])
