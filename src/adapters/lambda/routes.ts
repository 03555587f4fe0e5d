/** Routes as API Gateway writes them (`GET /orders/{id}`), and which one a request is. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { type CompiledRequirement, compileRequirement } from '../../core/requirement.ts'

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

/** `?` and `#` end the path for a backend that parses the decoded one again. */
const AMBIGUOUS = /%2f|%5c|%25|\/\/|\.\.|\/\.(?:\/|$)|[\\?#\p{Cc}]/iu

/** Read as it is and after one decoding: what an event has is decoded or not, by the kind of API. */
export function isAmbiguous(path: string): boolean {
  try {
    return AMBIGUOUS.test(path) || AMBIGUOUS.test(decodeURIComponent(path))
  } catch {
    return true
  }
}

/** The same as resources of a policy, which spells a literal `?` as a variable. */
const GLOBS = [
  ...['//', '..', '/./', '\\', '#', `$\{?}`],
  ...['%2F', '%2f', '%5C', '%5c', '%25', '%2E', '%2e', '%3F', '%3f', '%23'],
  // Small letters and what is near them: nobody has to encode a letter.
  ...['%6', '%7'],
]

/**
 * Resources that deny ambiguous paths, and those that spell plain text of a route in another way: a
 * policy is compared with the path as it is, and a backend may decode it first.
 *
 * @param literals Plain text of the declared routes.
 */
export function ambiguousGlobs(literals: readonly string[]): readonly string[] {
  const texts = new Set(GLOBS)
  for (const [found] of literals.join('/').matchAll(/%..|[^a-z/]/g)) {
    const code = found.length > 1 ? found.slice(1) : found.charCodeAt(0).toString(16)
    for (const it of spellingsOf(code)) if (it !== found) texts.add(it)
  }
  return [...texts].map((text) => `*${text}*`)
}

/** Hexadecimal digits may be small or capital letters, each on its own. */
function spellingsOf(code: string): string[] {
  const [first, second] = [...code].map((digit) => [digit.toUpperCase(), digit.toLowerCase()])
  return (first as string[]).flatMap((one) => (second as string[]).map((two) => `%${one}${two}`))
}

const KEY = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) (\/\S*)$/
const PARAMETER = /^\{[\w.:-]+\}$/
const GREEDY = /^\{[\w.:-]+\+\}$/
/** RFC 3986 `pchar` without `*`, which is a wildcard in a policy. */
const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})+$/
/** Named one by one in a policy: a wildcard for the method would match the path behind it too. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** The template of every path. */
const ANY_PATH = '/{path+}'

interface Segment {
  readonly kind: 'literal' | 'parameter' | 'greedy'
  readonly text: string
  /** Of plain text, how a path spells it that is decoded. */
  readonly decoded: string
}

/** What a route needs; `false` is open. */
export type Need = CompiledRequirement | false

/** What no token meets: routes that nobody declared. */
export const DENIED: CompiledRequirement = Object.freeze({
  ...compileRequirement({}, 'routes'),
  clientIds: new Set<string>(),
})

/** One declared route. */
export interface Route {
  readonly key: string
  readonly method: string
  readonly segments: readonly Segment[]
  readonly need: Need
}

/** The declared routes, the most specific first: as API Gateway picks them. */
export interface Routes {
  readonly list: readonly Route[]
  /**
   * The route of a request by its path; undefined where none was declared for it.
   *
   * @param within A greedy template: only routes that it takes requests of are candidates.
   */
  match(method: string, path: string, within?: string): Route | undefined
  /** The route of this shape, whatever its parameters are called. */
  named(method: string, template: string): Route | undefined
}

/** Whether a template takes paths of any length. */
export function isGreedy(template: string): boolean {
  return GREEDY.test(partsOf(template).at(-1) ?? '')
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readRoutes(value: unknown): Routes {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const members = readMembers(value, keys, 'routes')
  const list = keys.map((key) => readRoute(key, members[key]))
  const shapes = new Map<string, string>()
  for (const { key, method, segments } of list) {
    const shape = `${method} ${shapeOf(segments)}`
    const other = shapes.get(shape)
    if (other !== undefined) {
      throw new OptionError(
        `routes[${describeValue(key)}]`,
        `is the same route as ${describeValue(other)}: keep one`,
      )
    }
    shapes.set(shape, key)
  }
  list.sort(bySpecificity)
  return {
    list,
    match(method, path, within = ANY_PATH) {
      const parts = partsOf(path)
      const above = segmentsOf(within).slice(0, -1)
      return list.find((route) => isBelow(route, above) && isOf(route, method, parts))
    },
    named(method, template) {
      // An event that names no route is not one of the root.
      if (!template.startsWith('/')) return undefined
      const shape = shapeOf(segmentsOf(template))
      const same = list.filter(({ segments }) => shapeOf(segments) === shape)
      return same.find((it) => it.method === method) ?? same.find((it) => it.method === 'ANY')
    },
  }
}

function readRoute(key: string, value: unknown): Route {
  const place = `routes[${describeValue(key)}]`
  const [, method, path] = KEY.exec(key) ?? []
  if (method === undefined || path === undefined) {
    throw new OptionError(
      place,
      'is no route: write a method (or ANY) and a path, for example "GET /orders/{id}"',
    )
  }
  const parts = partsOf(path)
  const segments = parts.map((text, index): Segment => {
    const segment = segmentOf(text)
    const isLast = index === parts.length - 1
    if (segment.kind === 'greedy' ? isLast : segment.kind !== 'literal' || LITERAL.test(text)) {
      return segment
    }
    throw new OptionError(
      place,
      `has the segment ${describeValue(text)}: use plain text, {name}, or {name+} at the end`,
    )
  })
  return { key, method, segments, need: value === false ? false : compileRequirement(value, place) }
}

function segmentsOf(template: string): Segment[] {
  return partsOf(template).map(segmentOf)
}

function segmentOf(text: string): Segment {
  if (PARAMETER.test(text)) return { kind: 'parameter', text, decoded: text }
  return { kind: GREEDY.test(text) ? 'greedy' : 'literal', text, decoded: decode(text) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** No plain text has braces. */
const SHAPES = { parameter: '{}', greedy: '{+}' } as const

function shapeOf(segments: readonly Segment[]): string {
  return segments.map(({ kind, text }) => `/${kind === 'literal' ? text : SHAPES[kind]}`).join('')
}

/** A single slash at the end makes no other route. */
function partsOf(path: string): string[] {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(1, -1) : path.slice(1)
  return path.length < 2 ? [] : trimmed.split('/')
}

/** Whether a route is one of those below some segments; at the root, the root itself too. */
function isBelow({ segments }: Route, above: readonly Segment[]): boolean {
  if (above.length > 0 && segments.length <= above.length) return false
  return above.every(({ kind, text }, index) => {
    const segment = segments[index] as Segment
    return kind === 'literal' ? segment.text === text : segment.kind !== 'greedy'
  })
}

function isOf({ method, segments }: Route, asked: string, parts: readonly string[]): boolean {
  if (method !== 'ANY' && method !== asked) return false
  if (segments.at(-1)?.kind !== 'greedy' && segments.length !== parts.length) return false
  return segments.every(({ kind, text, decoded }, index) => {
    const part = parts[index]
    if (kind === 'greedy') return part !== undefined
    return kind === 'literal' ? part === text || part === decoded : part !== ''
  })
}

const RANK = { literal: 0, parameter: 1, greedy: 2 } as const

/** Segment by segment plain text comes before {name} before {name+}, then the method before ANY. */
function bySpecificity(one: Route, other: Route): number {
  for (const [index, { kind }] of one.segments.entries()) {
    const against = other.segments[index]
    if (against === undefined) break
    const order = RANK[kind] - RANK[against.kind]
    if (order !== 0) return order
  }
  // Routes of different lengths never compete; an order of all of them is what sorting needs.
  if (one.segments.length !== other.segments.length) {
    return other.segments.length - one.segments.length
  }
  return Number(one.method === 'ANY') - Number(other.method === 'ANY')
}
