/** Values → the facts of the model. */

import type { Position } from '../position.ts'
import { list, type Resource, type Scalar, textOf, type Value } from '../resolve/value.ts'
import type { Fact, FactList, InfraResource } from './model.ts'

type Members = ReadonlyMap<string, Value>

/** A member of a map; undefined where it is not written, or is `AWS::NoValue`. */
export function member(value: Value | undefined, key: string): Value | undefined {
  const found = value?.kind === 'map' ? value.entries.get(key) : undefined
  return found?.kind === 'absent' ? undefined : found
}

/** Where a member of a map stands: at its name, else at what it is. */
export function placeOf(map: Value & { readonly kind: 'map' }, key: string): Position {
  return map.names.get(key) ?? (map.entries.get(key) as Value).at
}

export function property(members: Members, key: string): Value | undefined {
  const found = members.get(key)
  return found?.kind === 'absent' ? undefined : found
}

function fact<T>(value: Value, read: (scalar: Scalar) => T | undefined): Fact<T> {
  const known = value.kind === 'scalar' ? read(value.value) : undefined
  const { at, refs } = value
  if (value.kind !== 'unknown') return { at, value: known, source: {}, refs }
  const { source, pieces } = value
  return { at, value: known, source, ...(pieces && { pieces }), refs }
}

const asText = (value: Scalar): string | undefined => (value === null ? undefined : String(value))

/** Both dialects take `"true"` for `true` and `"5"` for `5`. */
const asBoolean = (value: Scalar): boolean | undefined =>
  new Map([
    ['true', true],
    ['false', false],
  ]).get(String(value).toLowerCase())

const asNumber = (value: Scalar): number | undefined => {
  const number =
    typeof value === 'boolean' || value === null || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}

const optional = <T>(value: Value | undefined, read: (scalar: Scalar) => T | undefined) =>
  value === undefined ? undefined : fact(value, read)

export const textFact = (value: Value | undefined): Fact<string> | undefined =>
  optional(value, asText)
export const booleanFact = (value: Value | undefined): Fact<boolean> | undefined =>
  optional(value, asBoolean)
export const numberFact = (value: Value | undefined): Fact<number> | undefined =>
  optional(value, asNumber)

/** One text counts as a list of one, as both dialects take it. */
export function textList(value: Value | undefined): FactList<string> | undefined {
  if (value === undefined) return undefined
  const { at } = value
  if (value.kind === 'scalar') return { at, items: [fact(value, asText)], complete: true }
  if (value.kind !== 'list') return { at, items: [], complete: false }
  const items = value.items.map((item) => fact(item, asText))
  return { at, items, complete: value.complete && items.every((item) => item.value !== undefined) }
}

/** A member that takes one value or several: what is unknown counts as one. */
export const oneOrMore = (value: Value | undefined): FactList<string> | undefined =>
  textList(value?.kind === 'unknown' ? list(value.at, [value]) : value)

const SECONDS: ReadonlyMap<string, number> = new Map([
  ['seconds', 1],
  ['minutes', 60],
  ['hours', 3600],
  ['days', 86_400],
])

/** Cognito counts hours where no unit is given. */
export function lifetime(members: Members): Fact<number> | undefined {
  const validity = numberFact(property(members, 'AccessTokenValidity'))
  if (validity === undefined) return undefined
  const units = property(members, 'TokenValidityUnits')
  const written = member(units, 'AccessToken')
  const unit = written === undefined ? (isOpen(units) ? undefined : 'hours') : textOf(written)
  const seconds = SECONDS.get(unit ?? '')
  const known = validity.value !== undefined && seconds !== undefined
  return {
    ...validity,
    value: known ? (validity.value as number) * (seconds as number) : undefined,
  }
}

/** Whether members may be there that are not written. */
export const isOpen = (value: Value | undefined): boolean =>
  value !== undefined && !(value.kind === 'map' && value.complete)

/** The resource a value is taken from. */
export const resourceOf = (value: Value | undefined): string | undefined =>
  value?.kind === 'unknown' ? value.source.resource : undefined

/** Leaves out what is undefined, so that facts that are not written are no members. */
export function written<T extends object>(members: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}

/** What every resource of the model has. */
export const common = ({ id, at, conditional, complete, dependsOn }: Resource): InfraResource => ({
  id,
  at,
  conditional,
  complete,
  dependsOn,
})
