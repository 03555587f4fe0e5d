/** Listens to the events of attached sources. Events of other instances in the process are ignored. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DecisionEvent, TokenRequestEvent } from '../../core/diagnostics.ts'
import { AUTH_ERRORS } from '../../core/errors.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { OTHER, UNVERIFIED } from './store/types.ts'
import type { UsageSource, UsageSubject } from './types.ts'

/** Characters. Cognito's names are shorter. A longer name would fill the store and counts as `unverified`. */
const MAX_NAME_LENGTH = 256

/** Cached subjects. The cache is cleared once it is full. */
const MAX_SUBJECTS = 10_000

/** Injective for any names. Returns `unverified` if a name is missing. */
type GetSubject = (userPoolId: unknown, clientId: unknown) => string

/** Caches the subject of a client: building the string costs more than counting. */
export function createSubjectCache(): GetSubject {
  const pools = new Map<unknown, Map<unknown, string>>()
  let size = 0
  return (userPoolId, clientId) => {
    const cached = pools.get(userPoolId)?.get(clientId)
    if (cached !== undefined) return cached
    if (!isValidName(userPoolId) || !isValidName(clientId)) return UNVERIFIED
    if (size >= MAX_SUBJECTS) {
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

export function parseSubject(subject: string): UsageSubject {
  if (subject === OTHER || subject === UNVERIFIED) {
    return { kind: subject, userPoolId: null, clientId: null }
  }
  const [userPoolId, clientId] = JSON.parse(subject) as [string, string]
  return { kind: 'client', userPoolId, clientId }
}

const ORDER = { client: 0, other: 1, unverified: 2 }

/** Orders by user pool and client, shared subjects last. */
export function compareSubjects(left: UsageSubject, right: UsageSubject): number {
  return (
    ORDER[left.kind] - ORDER[right.kind] ||
    compare(left.userPoolId, right.userPoolId) ||
    compare(left.clientId, right.clientId)
  )
}

/** Compares by code unit, so that the order does not depend on the locale. */
function compare(left: string | null, right: string | null): number {
  if (left === right) return 0
  return (left as string) < (right as string) ? -1 : 1
}

function isValidName(name: unknown): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME_LENGTH
}

/** Counts one token or request of a subject. */
export type CountUse = (kind: 'token' | 'request', subject: string, name: string) => void

const OUTCOMES = new Set<unknown>([
  'issued',
  'cached',
  'refused',
  'unavailable',
] satisfies TokenRequestEvent['outcome'][])

/** Counts the events of attached sources. It subscribes to the channels while at least one is attached. */
export class UsageSources {
  readonly #count: CountUse
  readonly #getSubject = createSubjectCache()
  /** How often each instance is attached. */
  readonly #instances = new Map<number, number>()
  /** Attached local pools, by instance. */
  readonly #pools = new Map<number, unknown>()
  #isListening = false

  constructor(count: CountUse) {
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
    const attached = (this.#instances.get(instance) ?? 1) - 1
    if (attached > 0) this.#instances.set(instance, attached)
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
    this.#handle(message, (event: DecisionEvent) => {
      const { userPoolId, clientId, code } = event
      const name = Object.hasOwn(AUTH_ERRORS, code ?? '') ? (code as string) : 'ERR_INTERNAL'
      this.#count(
        'request',
        this.#getSubject(userPoolId, clientId),
        code === null ? 'accepted' : name,
      )
    })
  }

  readonly #onToken = (message: unknown): void => {
    this.#handle(message, (event: TokenRequestEvent) => {
      const { instance, userPoolId, clientId, outcome } = event
      if (!OUTCOMES.has(outcome)) return
      // A proxy in front of an attached local pool publishes the same token.
      const isDuplicate =
        outcome === 'issued' &&
        !this.#pools.has(instance) &&
        [...this.#pools.values()].includes(userPoolId)
      if (!isDuplicate) this.#count('token', this.#getSubject(userPoolId, clientId), outcome)
    })
  }

  /** Never throws: Node turns an error of a listener into an uncaught exception. */
  #handle<Event extends { readonly instance: number }>(
    message: unknown,
    count: (event: Event) => void,
  ): void {
    try {
      const event = message as Event
      if (this.#instances.has(event.instance)) count(event)
    } catch {
      // A failed count must not fail a request.
    }
  }
}

function readStatus(source: UsageSource): { instance: number; userPoolId?: unknown } {
  const status: unknown = typeof source?.status === 'function' ? source.status() : undefined
  const { instance } = (status ?? {}) as { instance?: unknown }
  // A token client has a status too. Its tokens are reported by the proxy or pool that issued them.
  if (!Number.isSafeInteger(instance) || source.getToken !== undefined) {
    throw new OptionError(
      'source',
      `expected a token proxy, a resource server or a local user pool, got ${describeValue(source)}. Pass app.tokenProxy, app.cognito or a local user pool.`,
    )
  }
  return status as { instance: number }
}
