/** References by name: resolves them, finds cycles, and collects indirect dependencies. */
import { toPrintable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import { mergeRefs, type Resource, type Value } from './value.ts'

/** Longest way from a name to a value; each step is a part of the stack. */
const MAX_REFERENCE_DEPTH = 100

export class Names {
  readonly #known = new Map<string, Value>()
  readonly #open: string[] = []

  /** @throws {TemplateError} where `name` leads back to itself. */
  resolve(key: string, name: string, at: Position, read: () => Value): Value {
    const known = this.#known.get(key)
    // Once: names that mention others twice double the work with every step.
    if (known !== undefined) return known
    const before = this.#open.indexOf(key)
    if (before >= 0 || this.#open.length === MAX_REFERENCE_DEPTH) {
      const way =
        before < 0 ? `through more than ${MAX_REFERENCE_DEPTH} names` : 'to itself in a circle'
      throw new TemplateError(at, `${toPrintable(name)} refers ${way}`)
    }
    this.#open.push(key)
    const value = read()
    this.#open.pop()
    this.#known.set(key, value)
    return value
  }
}

const SERVER = 'AWS::Cognito::UserPoolResourceServer'
/** Steps from resource to resource; a template of any use takes a few hundred. */
const MAX_DEPENDENCY_STEPS = 1_000_000

/** Each resource with the resource servers that anything it waits for waits for. */
export function waitingThrough(resources: readonly Resource[]): readonly Resource[] {
  const followers = new Map<string, string[]>()
  for (const { id, dependsOn } of resources) {
    for (const name of dependsOn) {
      const list = followers.get(name)
      if (list === undefined) followers.set(name, [id])
      else list.push(id)
    }
  }
  const servers = new Map<string, string[]>()
  let left = MAX_DEPENDENCY_STEPS
  for (const { id: server } of resources.filter(({ type }) => type === SERVER)) {
    const reached = new Set([server])
    for (const id of reached) {
      for (const follower of followers.get(id) ?? []) {
        left -= 1
        if (left > 0) reached.add(follower)
      }
    }
    reached.delete(server)
    for (const id of reached) {
      const list = servers.get(id)
      if (list === undefined) servers.set(id, [server])
      else list.push(server)
    }
  }
  return resources.map((resource) => ({
    ...resource,
    dependsOn: mergeRefs(resource.dependsOn, servers.get(resource.id) ?? []),
  }))
}

/** @throws {TemplateError} at a resource that waits for itself. */
export function refuseCircles(resources: readonly Resource[]): void {
  // What SAM's resources become refers to each other in other ways than they do.
  const plain = resources.filter(({ type }) => !type.startsWith('AWS::Serverless::'))
  const byId = new Map(plain.map((resource) => [resource.id, resource]))
  const waiting = new Map(plain.map(({ id }) => [id, 0]))
  const followers = new Map<string, string[]>()
  for (const { id, dependsOn } of plain) {
    for (const name of dependsOn) {
      if (!byId.has(name)) continue
      waiting.set(id, (waiting.get(id) as number) + 1)
      const list = followers.get(name)
      if (list === undefined) followers.set(name, [id])
      else list.push(id)
    }
  }
  const ready = plain.filter(({ id }) => waiting.get(id) === 0).map(({ id }) => id)
  for (const id of ready) {
    for (const follower of followers.get(id) ?? []) {
      const left = (waiting.get(follower) as number) - 1
      waiting.set(follower, left)
      if (left === 0) ready.push(follower)
    }
  }
  const done = new Set(ready)
  const stuck = plain.filter(({ id }) => !done.has(id))
  const [first] = stuck
  if (first === undefined) return
  // One that only follows a circle is stuck as well: those in it are followed by another one.
  const circle = stuck.filter(
    ({ id }) => followers.get(id)?.some((name) => !done.has(name)) === true,
  )
  const names = circle.slice(0, 5).map(({ id }) => toPrintable(id))
  throw new TemplateError(
    (circle[0] as Resource).at,
    `waits for itself in a circle: ${names.join(', ')} refer to each other`,
  )
}
