/** What entries and groups are called in a store: nothing can be read from it, or guessed. */
import { createHash, createHmac } from 'node:crypto'
import type { StoreKey } from './encryption-keys.ts'

/** Between the names one thing has under several keys: not a character of base64url. */
const SEPARATOR = '.'

/**
 * HMAC-SHA-256 under each key, the sealing one first: a rotating fleet finds what either name was
 * given. Without the key, nobody who reads the store can test guesses of a secret.
 */
export function nameOf(identity: Uint8Array, keys: readonly StoreKey[]): string {
  return keys
    .map(({ naming }) => createHmac('sha256', naming).update(identity).digest('base64url'))
    .join(SEPARATOR)
}

/** The names that {@link nameOf} joined. */
export function namesIn(name: string): readonly string[] {
  return name.split(SEPARATOR)
}

/** Of one length whatever the id, and the same under all keys: an invalidation reaches everyone. */
export function groupOf(clientId: string): string {
  return createHash('sha256').update(clientId).digest('base64url')
}
