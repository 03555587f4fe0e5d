/** Parses routes as API Gateway writes them (`GET /orders/{id}`), and matches requests to them. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { type CompiledRequirement, compileRequirement } from '../../core/requirement.ts'

/** Whether some text matches both patterns (dynamic programming over both positions). */
export function globsOverlap(one: string, other: string): boolean {
  const results = new Map<number, boolean>()
  const from = (at: number, against: number): boolean => {
    const key = at * (other.length + 1) + against
    const known = results.get(key)
    if (known !== undefined) return known
    results.set(key, false)
    const [left, right] = [one[at], other[against]]
    let found: boolean
    if (left === '*') {
      found = from(at + 1, against) || (right !== undefined && from(at, against + 1))
    } else if (right === '*') {
      found = from(at, against + 1) || (left !== undefined && from(at + 1, against))
    } else {
      found = left === right && (left === undefined || from(at + 1, against + 1))
    }
    results.set(key, found)
    return found
  }
  return from(0, 0)
}

/** Whether all text that matches `inner` matches `outer`: a `*` of `inner` matches only a `*` of `outer`. */
export function globContains(outer: string, inner: string): boolean {
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

/** `?` and `#` end the path for a backend that parses the decoded path again. */
const AMBIGUOUS = /%2f|%5c|%25|\/\/|\.\.|\/\.(?:\/|$)|[\\?#\p{Cc}]/iu

/** Checks the path both raw and decoded once: the kind of API decides whether an event's path is decoded. */
export function isAmbiguous(path: string): boolean {
  try {
    return AMBIGUOUS.test(path) || AMBIGUOUS.test(decodeURIComponent(path))
  } catch {
    return true
  }
}

/** The same texts for resources of a policy, where a literal `?` is written as a variable. */
const AMBIGUOUS_TEXTS = [
  ...['//', '..', '/./', '\\', '#', `$\{?}`],
  ...['%2F', '%2f', '%5C', '%5c', '%25', '%2E', '%2e', '%3F', '%3f', '%23'],
  // Lower-case letters and their neighbors: no client has to encode a letter.
  ...['%6', '%7'],
]

/**
 * Lists resources that deny ambiguous paths, and other spellings of the literal text of routes. API
 * Gateway compares a policy with the raw path, and a backend may decode the path first.
 *
 * @param literals The literal segments of the declared routes.
 */
export function listAmbiguousGlobs(literals: readonly string[]): readonly string[] {
  const texts = new Set(AMBIGUOUS_TEXTS)
  for (const [found] of literals.join('/').matchAll(/%..|[^a-z/]/g)) {
    const code = found.length > 1 ? found.slice(1) : found.charCodeAt(0).toString(16)
    for (const it of listHexSpellings(code)) if (it !== found) texts.add(it)
  }
  return [...texts].map((text) => `*${text}*`)
}

/** Each hexadecimal digit may be lower or upper case. */
function listHexSpellings(code: string): string[] {
  const [first, second] = [...code].map((digit) => [digit.toUpperCase(), digit.toLowerCase()])
  return (first as string[]).flatMap((one) => (second as string[]).map((two) => `%${one}${two}`))
}

const KEY = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) (\/\S*)$/
const PARAMETER = /^\{[\w.:-]+\}$/
const GREEDY = /^\{[\w.:-]+\+\}$/
/** RFC 3986 `pchar` without `*`, which is a wildcard in a policy. */
const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})+$/
/** A policy lists each method: a wildcard for the method would match the path behind it too. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** The template of every path. */
const ANY_PATH = '/{path+}'

interface Segment {
  readonly kind: 'literal' | 'parameter' | 'greedy'
  readonly text: string
  /** The literal text in a decoded path. */
  readonly decoded: string
}

/** The requirement of a route; `false` makes it public. */
export type RouteRequirement = CompiledRequirement | false

/** The requirement that no token satisfies: it denies routes that are not declared. */
export const DENY_ALL: CompiledRequirement = Object.freeze({
  ...compileRequirement({}, 'routes'),
  clientIds: new Set<string>(),
})

/** One declared route. */
export interface Route {
  readonly key: string
  readonly method: string
  readonly segments: readonly Segment[]
  readonly requirement: RouteRequirement
}

/** The declared routes, the most specific first, in the order of API Gateway's choice. */
export interface Routes {
  readonly list: readonly Route[]
  /**
   * Finds the route of a request by its path; undefined if none is declared for it.
   *
   * @param within A greedy template: only routes below it are candidates.
   */
  findByPath(method: string, path: string, within?: string): Route | undefined
  /** Finds the route with this template, whatever the names of its parameters. */
  findByTemplate(method: string, template: string): Route | undefined
}

/** Whether a template matches paths of any length. */
export function isGreedy(template: string): boolean {
  return GREEDY.test(splitPath(template).at(-1) ?? '')
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readRoutes(value: unknown): Routes {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const members = readMembers(value, keys, 'routes')
  const list = keys.map((key) => readRoute(key, members[key]))
  const shapes = new Map<string, string>()
  for (const { key, method, segments } of list) {
    const shape = `${method} ${toShape(segments)}`
    const other = shapes.get(shape)
    if (other !== undefined) {
      throw new OptionError(
        `routes[${describeValue(key)}]`,
        `expected different routes, got the same route as ${describeValue(other)}. Remove one of the two.`,
      )
    }
    shapes.set(shape, key)
  }
  list.sort(compareSpecificity)
  return {
    list,
    findByPath(method, path, within = ANY_PATH) {
      const parts = splitPath(path)
      const above = parseSegments(within).slice(0, -1)
      return list.find((route) => isBelow(route, above) && matchesPath(route, method, parts))
    },
    findByTemplate(method, template) {
      // An event without a route is not a request of the root.
      if (!template.startsWith('/')) return undefined
      const shape = toShape(parseSegments(template))
      const same = list.filter(({ segments }) => toShape(segments) === shape)
      return same.find((it) => it.method === method) ?? same.find((it) => it.method === 'ANY')
    },
  }
}

function readRoute(key: string, value: unknown): Route {
  const optionPath = `routes[${describeValue(key)}]`
  const [, method, path] = KEY.exec(key) ?? []
  if (method === undefined || path === undefined) {
    throw new OptionError(
      optionPath,
      `expected a method (or ANY) and a path, got ${describeValue(key)}. Write, for example, "GET /orders/{id}".`,
    )
  }
  const parts = splitPath(path)
  const segments = parts.map((text, index): Segment => {
    const segment = parseSegment(text)
    const isLast = index === parts.length - 1
    if (segment.kind === 'greedy' ? isLast : segment.kind !== 'literal' || LITERAL.test(text)) {
      return segment
    }
    throw new OptionError(
      optionPath,
      `expected segments of literal text, {name}, or {name+} at the end, got ${describeValue(text)}. Change the segment.`,
    )
  })
  return {
    key,
    method,
    segments,
    requirement: value === false ? false : compileRequirement(value, optionPath),
  }
}

function parseSegments(template: string): Segment[] {
  return splitPath(template).map(parseSegment)
}

function parseSegment(text: string): Segment {
  if (PARAMETER.test(text)) return { kind: 'parameter', text, decoded: text }
  return { kind: GREEDY.test(text) ? 'greedy' : 'literal', text, decoded: decodeSegment(text) }
}

function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** No literal text has braces. */
const SHAPES = { parameter: '{}', greedy: '{+}' } as const

function toShape(segments: readonly Segment[]): string {
  return segments.map(({ kind, text }) => `/${kind === 'literal' ? text : SHAPES[kind]}`).join('')
}

/** A path with one trailing slash is the same route. */
function splitPath(path: string): string[] {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(1, -1) : path.slice(1)
  return path.length < 2 ? [] : trimmed.split('/')
}

/** Whether a route is below some segments; at the root, the root itself counts too. */
function isBelow({ segments }: Route, above: readonly Segment[]): boolean {
  if (above.length > 0 && segments.length <= above.length) return false
  return above.every(({ kind, text }, index) => {
    const segment = segments[index] as Segment
    return kind === 'literal' ? segment.text === text : segment.kind !== 'greedy'
  })
}

function matchesPath(
  { method, segments }: Route,
  requestMethod: string,
  parts: readonly string[],
): boolean {
  if (method !== 'ANY' && method !== requestMethod) return false
  if (segments.at(-1)?.kind !== 'greedy' && segments.length !== parts.length) return false
  return segments.every(({ kind, text, decoded }, index) => {
    const part = parts[index]
    if (kind === 'greedy') return part !== undefined
    return kind === 'literal' ? part === text || part === decoded : part !== ''
  })
}

const RANK = { literal: 0, parameter: 1, greedy: 2 } as const

/** Segment by segment, literal text sorts before {name} and {name+}; then a method sorts before ANY. */
function compareSpecificity(one: Route, other: Route): number {
  for (const [index, { kind }] of one.segments.entries()) {
    const against = other.segments[index]
    if (against === undefined) break
    const order = RANK[kind] - RANK[against.kind]
    if (order !== 0) return order
  }
  // Routes of different lengths never compete, but sorting needs a total order.
  if (one.segments.length !== other.segments.length) {
    return other.segments.length - one.segments.length
  }
  return Number(one.method === 'ANY') - Number(other.method === 'ANY')
}
