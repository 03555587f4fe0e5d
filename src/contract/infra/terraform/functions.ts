/** The Terraform functions that compose scopes and names. None of them reads files or state. */
import type { Position } from '../position.ts'
import {
  collectRefs,
  concatenate,
  createList,
  createScalar,
  createUnknown,
  createUnknownMember,
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
  if (only !== undefined && more.length === 0) return { ...only, at }
  return value === undefined ? createUnknown(at) : createUnknownMember(value, 'one', at)
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

/** Applies a function to texts. Unknown if one of them is. */
const createTextFunction =
  (change: (text: string, ...more: string[]) => string): Apply =>
  (values, at) => {
    const texts = values.map(getText)
    const refs = collectRefs(values)
    const [text, ...more] = texts
    return text === undefined || texts.includes(undefined)
      ? createUnknown(at, refs)
      : createScalar(at, change(text, ...(more as string[])), refs)
  }

const replace: Apply = (values, at) => {
  // A regular expression in slashes is not supported.
  const isPlain = !/^\/.*\/$/s.test(getText(values[1]) ?? '/x/')
  const apply = createTextFunction((text, from = '', to = '') => text.replaceAll(from, () => to))
  return isPlain && values.length === 3 ? apply(values, at) : createUnknown(at, collectRefs(values))
}

/** Returns a member of a map, or else the default. */
const lookup: Apply = ([map, key, defaultValue], at) => {
  const name = getText(key)
  if (map?.kind !== 'map' || name === undefined) return createUnknown(at, collectRefs([map, key]))
  const fallback = map.complete ? defaultValue : undefined
  return map.entries.get(name) ?? fallback ?? createUnknown(at, map.refs)
}

/** Merges maps. Unknown if one of them is, because it may override any member. */
const merge: Apply = (values, at) => {
  const refs = collectRefs(values)
  const entries = new Map<string, Value>()
  for (const value of values) {
    if (value.kind === 'absent') continue
    if (value.kind !== 'map' || !value.complete) return createUnknown(at, refs)
    for (const [key, member] of value.entries) entries.set(key, member)
  }
  return { kind: 'map', at, refs, entries, names: new Map(), complete: true }
}

/** Lists the keys or values of a map, sorted by key. */
const createMapLister =
  (list: (key: string, member: Value) => Value): Apply =>
  ([map], at) => {
    if (map?.kind !== 'map' || !map.complete) return createUnknown(at, map?.refs)
    const entries = [...map.entries].sort(([a], [b]) => (a < b ? -1 : 1))
    return createList(
      at,
      entries.map(([key, member]) => list(key, member)),
      true,
      map.refs,
    )
  }

/** Returns the first argument if it is a known value. An unknown one may fail, or be empty. */
const createChooser =
  (isChosen: (value: Value) => boolean): Apply =>
  (values, at) => {
    const [first] = values
    return first !== undefined && first.kind !== 'unknown' && isChosen(first)
      ? { ...first, at }
      : createUnknown(at, collectRefs(values))
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
  ['trimspace', createTextFunction((value) => value.trim())],
  ['replace', replace],
  ['lookup', lookup],
  ['merge', merge],
  ['keys', createMapLister((key, { at }) => createScalar(at, key))],
  ['values', createMapLister((_, member) => member)],
  // A reference to a resource fails if `count` is 0.
  ['try', createChooser(({ refs }) => refs.length === 0)],
  ['coalesce', createChooser((value) => (getText(value) ?? '') !== '')],
  ['tomap', returnArgument],
  ['tonumber', returnArgument],
  ['tobool', returnArgument],
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
