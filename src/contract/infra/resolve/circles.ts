/** Resources that wait for each other can never be deployed. */
import { toPrintable } from '../../../core/util/text.ts'
import { TemplateError } from '../position.ts'
import type { Resource } from './value.ts'

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
