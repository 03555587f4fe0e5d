/** Listens to the sources that are attached, and to no other of the process. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DecisionEvent, TokenRequestEvent } from '../../core/diagnostics.ts'
import { AUTH_ERRORS } from '../../core/errors.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { OTHER, UNVERIFIED } from './store/types.ts'
import type { UsageSource, UsageSubject } from './types.ts'

/** Cognito's names are shorter; what is longer is none, and would fill a store. */
const LONGEST = 256

/** Subjects that are kept; then it begins anew. */
const REMEMBERED = 10_000

/** Injective, whatever stands in the names; `unverified` where one of them is missing. */
type SubjectOf = (userPoolId: unknown, clientId: unknown) => string

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

/** Counts one thing of a subject. */
export type Count = (kind: 'token' | 'request', subject: string, name: string) => void

const OUTCOMES = new Set<unknown>([
  'issued',
  'cached',
  'refused',
  'unavailable',
] satisfies TokenRequestEvent['outcome'][])

/** See above. */
export class Sources {
  readonly #count: Count
  readonly #subjectOf = rememberedSubjects()
  /** How often each instance is attached. */
  readonly #instances = new Map<number, number>()
  /** Local pools that are attached themselves, by instance. */
  readonly #pools = new Map<number, unknown>()
  #isListening = false

  constructor(count: Count) {
    this.#count = count
  }

  get size(): number {
    return this.#instances.size
  }

  attach(source: UsageSource): () => void {
    const { instance, userPoolId } = readStatus(source)
    this.#instances.set(instance, (this.#instances.get(instance) ?? 0) + 1)
    if (userPoolId !== undefined) this.#pools.set(instance, userPoolId)
    this.#listen(true)
    let isAttached = true
    return () => {
      if (isAttached) this.#detach(instance)
      isAttached = false
    }
  }

  close(): void {
    this.#instances.clear()
    this.#pools.clear()
    this.#listen(false)
  }

  #detach(instance: number): void {
    const left = (this.#instances.get(instance) ?? 1) - 1
    if (left > 0) this.#instances.set(instance, left)
    else {
      this.#instances.delete(instance)
      this.#pools.delete(instance)
    }
    this.#listen(this.#instances.size > 0)
  }

  #listen(isListening: boolean): void {
    if (isListening === this.#isListening) return
    this.#isListening = isListening
    const change = isListening ? subscribe : unsubscribe
    change('cognito-m2m:decision', this.#onDecision)
    change('cognito-m2m:token-request', this.#onToken)
  }

  readonly #onDecision = (message: unknown): void => {
    this.#hear(message, (event: DecisionEvent) => {
      const { userPoolId, clientId, code } = event
      const name = Object.hasOwn(AUTH_ERRORS, code ?? '') ? (code as string) : 'ERR_INTERNAL'
      this.#count(
        'request',
        this.#subjectOf(userPoolId, clientId),
        code === null ? 'accepted' : name,
      )
    })
  }

  readonly #onToken = (message: unknown): void => {
    this.#hear(message, (event: TokenRequestEvent) => {
      const { instance, userPoolId, clientId, outcome } = event
      if (!OUTCOMES.has(outcome)) return
      // A proxy in front of a pool that is attached itself tells of the same token.
      const isToldTwice =
        outcome === 'issued' &&
        !this.#pools.has(instance) &&
        [...this.#pools.values()].includes(userPoolId)
      if (!isToldTwice) this.#count('token', this.#subjectOf(userPoolId, clientId), outcome)
    })
  }

  /** Node makes an uncaught exception of what a listener throws, so this one throws nothing. */
  #hear<Event extends { readonly instance: number }>(
    message: unknown,
    count: (event: Event) => void,
  ): void {
    try {
      const event = message as Event
      if (this.#instances.has(event.instance)) count(event)
    } catch {
      // Counting is worth no request.
    }
  }
}

function readStatus(source: UsageSource): { instance: number; userPoolId?: unknown } {
  const status: unknown = typeof source?.status === 'function' ? source.status() : undefined
  const { instance } = (status ?? {}) as { instance?: unknown }
  // A token client has a status too, and would be attached in vain: what issued its tokens reports them.
  if (!Number.isSafeInteger(instance) || source.getToken !== undefined) {
    throw new OptionError(
      'source',
      `is ${describeValue(source)}: pass app.tokenProxy, app.cognito or a local user pool`,
    )
  }
  return status as { instance: number }
}
