/** Keys and names of subjects. */
import type { createClientLookup, KnownClient } from '../history/clients.ts'
import type { UsageSubject } from '../types.ts'
import type { NamedSubject } from './view.ts'

/** Finds name, team and tags of an app client. */
export type ClientLookup = ReturnType<typeof createClientLookup>

/** A subject in the rows of a report or a history. */
interface AnySubject extends Pick<UsageSubject, 'userPoolId' | 'clientId'> {
  /** A store has no unattributed requests, and a row of a client has a kind. */
  readonly kind: UsageSubject['kind'] | 'unattributed' | null
}

/** JSON, because ids can contain any separator. */
export function getSubjectKey({ kind, userPoolId, clientId }: AnySubject): string {
  return JSON.stringify([kind, userPoolId, clientId])
}

const UNKNOWN: KnownClient = { name: null, team: null, tags: {}, resourceServers: [] }

export function findClient(
  { userPoolId, clientId }: AnySubject,
  lookUp: ClientLookup,
): KnownClient {
  return clientId === null ? UNKNOWN : lookUp({ userPoolId, clientId })
}

export function nameSubject(subject: AnySubject, lookUp: ClientLookup): NamedSubject {
  const { kind, userPoolId, clientId } = subject
  const { name } = findClient(subject, lookUp)
  return { kind: kind as UsageSubject['kind'], userPoolId, clientId, name }
}
