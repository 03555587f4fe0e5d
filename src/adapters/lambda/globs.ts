/** Patterns in which `*` stands for any text, slashes and nothing included: IAM's idea of it. */

/** Whether some text matches both patterns. */
export function overlap(one: string, other: string): boolean {
  const known = new Map<number, boolean>()
  const from = (at: number, against: number): boolean => {
    const place = at * (other.length + 1) + against
    const before = known.get(place)
    if (before !== undefined) return before
    known.set(place, false)
    const [left, right] = [one[at], other[against]]
    let found: boolean
    if (left === '*') {
      found = from(at + 1, against) || (right !== undefined && from(at, against + 1))
    } else if (right === '*') {
      found = from(at, against + 1) || (left !== undefined && from(at + 1, against))
    } else {
      found = left === right && (left === undefined || from(at + 1, against + 1))
    }
    known.set(place, found)
    return found
  }
  return from(0, 0)
}

/** Whether everything that matches `inner` matches `outer`: its `*` is text only a `*` takes. */
export function contains(outer: string, inner: string): boolean {
  const parts = outer.split('*')
  const first = parts[0] as string
  const last = parts.at(-1) as string
  if (parts.length === 1) return outer === inner
  if (!inner.startsWith(first) || !inner.slice(first.length).endsWith(last)) return false
  let rest = inner.slice(first.length, inner.length - last.length)
  for (const part of parts.slice(1, -1)) {
    const at = rest.indexOf(part)
    if (at === -1) return false
    rest = rest.slice(at + part.length)
  }
  return true
}
