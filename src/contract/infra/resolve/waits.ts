/** Which resource servers a resource waits for through others. */
import { mergeRefs, type Resource } from './value.ts'

const SERVER = 'AWS::Cognito::UserPoolResourceServer'
/** Steps from resource to resource; a template of any use takes a few hundred. */
const MAX_STEPS = 1_000_000

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
  let left = MAX_STEPS
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
