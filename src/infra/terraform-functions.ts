/** Terraform's functions that scopes and names are composed with; none of them reads anything. */
import type { Position } from './template-error.ts'
import { concatenated, list, refsOf, scalar, textOf, unknown, type Value } from './value.ts'

type Apply = (values: readonly Value[], at: Position) => Value

/** Members of several lists; open where one of them is not known. */
const together: Apply = (values, at) => {
  const items = values.flatMap((value) => (value.kind === 'list' ? value.items : []))
  const complete = values.every((value) => value.kind === 'list' && value.complete)
  return list(at, items, complete, refsOf(values))
}

/** What changes the order or the number of members, not what they are. */
const sameMembers: Apply = ([value], at) => (value === undefined ? unknown(at) : { ...value, at })

const flatten: Apply = ([value], at) => {
  if (value?.kind !== 'list') return unknown(at, value?.refs)
  const nested = value.items.map((item) => (item.kind === 'list' ? item : list(item.at, [item])))
  const flat = together(nested, at)
  return flat.kind === 'list' ? { ...flat, complete: flat.complete && value.complete } : flat
}

const format: Apply = ([pattern, ...given], at) => {
  const text = textOf(pattern)
  if (text === undefined) return unknown(at, refsOf([...given, pattern]))
  const parts: Value[] = []
  let next = 0
  for (const [part] of text.matchAll(/%%|%[^%a-zA-Z]*[a-zA-Z]|[^%]+|%/g)) {
    if (part === '%%') parts.push(scalar(at, '%'))
    else if (!part.startsWith('%')) parts.push(scalar(at, part))
    else {
      const value = given[next++]
      // Widths and number formats are not worth computing here.
      const plain = part === '%s' || part === '%d' || part === '%v'
      parts.push(plain && value !== undefined ? value : unknown(at, value?.refs))
    }
  }
  const refs = refsOf(given)
  return parts.length === 0 ? scalar(at, '', refs) : { ...concatenated(at, parts), refs }
}

const formatlist: Apply = ([pattern, values, ...more], at) => {
  const refs = refsOf([pattern, values, ...more])
  if (pattern === undefined || values?.kind !== 'list' || more.length > 0) return unknown(at, refs)
  const items = values.items.map((item) => format([pattern, item], at))
  return list(at, items, values.complete, refs)
}

const join: Apply = ([separator, values], at) => {
  const refs = refsOf([separator, values])
  const between = textOf(separator)
  if (between === undefined || values?.kind !== 'list' || !values.complete) return unknown(at, refs)
  const texts = values.items.map((item) => textOf(item))
  return texts.includes(undefined) ? unknown(at, refs) : scalar(at, texts.join(between), refs)
}

const text =
  (change: (text: string) => string): Apply =>
  ([value], at) => {
    const known = textOf(value)
    return known === undefined ? unknown(at, value?.refs) : scalar(at, change(known), value?.refs)
  }

export const TERRAFORM_FUNCTIONS: ReadonlyMap<string, Apply> = new Map([
  ['concat', together],
  ['setunion', together],
  ['flatten', flatten],
  ['format', format],
  ['formatlist', formatlist],
  ['join', join],
  ['lower', text((value) => value.toLowerCase())],
  ['upper', text((value) => value.toUpperCase())],
  ['tostring', text((value) => value)],
  ['tolist', sameMembers],
  ['toset', sameMembers],
  ['distinct', sameMembers],
  ['sort', sameMembers],
  ['nonsensitive', sameMembers],
  ['sensitive', sameMembers],
])
