/** Names app clients: one string each for stores, and back. */
import type { UsageSubject } from './types.ts'
import { OTHER, UNVERIFIED } from './usage-store.ts'

/** Cognito's names are shorter; what is longer is none, and would fill a store. */
const LONGEST = 256

/** Injective, whatever stands in the names; `unverified` where one of them is missing. */
export function subjectOf(userPoolId: unknown, clientId: unknown): string {
  return isName(userPoolId) && isName(clientId)
    ? JSON.stringify([userPoolId, clientId])
    : UNVERIFIED
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
