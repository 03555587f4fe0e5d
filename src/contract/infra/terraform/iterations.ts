/** Iterations over known maps, lists and sets: `for_each`, `dynamic` blocks and `for` expressions. */
import { createScalar, createUnknown, getText, type Value } from '../resolve/value.ts'

/** One member of a `for_each` argument: `each.key` and `each.value`. */
export interface Member {
  readonly key: string
  readonly value: Value
}

/** One iteration of a `dynamic` block or a `for` expression. */
export interface Iteration {
  readonly key: Value
  readonly value: Value
}

/** Most members that become separate resources, blocks or items. */
const MAX_MEMBERS = 200

/** Lists the members of a map or set. Undefined for unknown or too many members. */
export function listMembers(value: Value): readonly Member[] | undefined {
  const members = toMembers(value)
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

/** Lists the iterations over a map or list. Undefined for unknown or too many members. */
export function listIterations(value: Value): readonly Iteration[] | undefined {
  if (value.kind === 'list' && value.complete && value.items.length <= MAX_MEMBERS)
    // The key is the index in a list, and the member in a set.
    return value.items.map((item) => ({ key: createUnknown(item.at), value: item }))
  if (value.kind !== 'map') return undefined
  return listMembers(value)?.map((member) => ({
    key: createScalar(member.value.at, member.key),
    value: member.value,
  }))
}
