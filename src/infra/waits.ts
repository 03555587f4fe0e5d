/** What a resource waits for through others, which is deployed before it as well. */
import type { Resource } from './value.ts'

/** CloudFormation takes 500 resources; without an end, long chains of clients cost their square. */
const MAX_AWAITED = 1_000

/** `dependsOn` of a resource, those of what it waits for, and so on; nearest first. */
export function everythingAwaited(
  { dependsOn }: Resource,
  resources: ReadonlyMap<string, Resource>,
): readonly string[] {
  const awaited = new Set(dependsOn)
  // A set is walked to its end, wherever that moves to.
  for (const id of awaited) {
    if (awaited.size > MAX_AWAITED) break
    for (const further of resources.get(id)?.dependsOn ?? []) awaited.add(further)
  }
  return [...awaited]
}
