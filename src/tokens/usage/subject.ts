/** Names app clients: one string each for stores, and back. */

import { OTHER, UNVERIFIED } from './store/types.ts'
import type { UsageSubject } from './types.ts'

/** Cognito's names are shorter; what is longer is none, and would fill a store. */
const LONGEST = 256

/** Subjects that are kept; then it begins anew. */
const REMEMBERED = 10_000

/** Injective, whatever stands in the names; `unverified` where one of them is missing. */
export type SubjectOf = (userPoolId: unknown, clientId: unknown) => string

/** Names the same client with the same string: making one takes longer than counting. */
export function rememberedSubjects(): SubjectOf {
  const pools = new Map<unknown, Map<unknown, string>>()
  let size = 0
  return (userPoolId, clientId) => {
    const known = pools.get(userPoolId)?.get(clientId)
    if (known !== undefined) return known
    if (!isName(userPoolId) || !isName(clientId)) return UNVERIFIED
    if (size >= REMEMBERED) {
      pools.clear()
      size = 0
    }
    const subject = JSON.stringify([userPoolId, clientId])
    const clients = pools.get(userPoolId) ?? new Map<unknown, string>()
    pools.set(userPoolId, clients.set(clientId, subject))
    size += 1
    return subject
  }
}

export function readSubject(subject: string): UsageSubject {
  if (subject === OTHER || subject === UNVERIFIED) {
    return { kind: subject, userPoolId: null, clientId: null }
  }
  const [userPoolId, clientId] = JSON.parse(subject) as [string, string]
  return { kind: 'client', userPoolId, clientId }
}

const ORDER = { client: 0, other: 1, unverified: 2 }

/** By user pool and client, the shared ones last. */
export function inOrder(left: UsageSubject, right: UsageSubject): number {
  return (
    ORDER[left.kind] - ORDER[right.kind] ||
    compare(left.userPoolId, right.userPoolId) ||
    compare(left.clientId, right.clientId)
  )
}

/** By code unit: the same everywhere, whatever the locale. */
function compare(left: string | null, right: string | null): number {
  if (left === right) return 0
  return (left as string) < (right as string) ? -1 : 1
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= LONGEST
}
