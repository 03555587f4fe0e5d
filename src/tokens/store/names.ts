/** What entries and groups are called in a store: nothing can be read from it, or guessed. */
import { createHmac } from 'node:crypto'
import type { StoreKey } from './encryption-keys.ts'

/** Between the names one thing has under several keys: not a character of base64url. */
const SEPARATOR = '.'

/**
 * HMAC-SHA-256 under each key, the sealing one first: a rotating fleet finds what either name was
 * given. Without the key, nobody who reads the store can test guesses of a secret.
 */
export function nameOf(identity: Uint8Array, keys: readonly StoreKey[]): string {
  return joined(identity, keys, 'naming')
}

/**
 * The same for the group of an app client, under keys of their own: client ids are short and known to
 * many, so a plain hash would tell who has tokens in the store.
 */
export function groupOf(clientId: string, keys: readonly StoreKey[]): string {
  return joined(clientId, keys, 'grouping')
}

function joined(
  of: string | Uint8Array,
  keys: readonly StoreKey[],
  purpose: 'naming' | 'grouping',
): string {
  return keys
    .map((key) => createHmac('sha256', key[purpose]).update(of).digest('base64url'))
    .join(SEPARATOR)
}

/** The names that {@link nameOf} or {@link groupOf} joined. */
export function namesIn(name: string): readonly string[] {
  return name.split(SEPARATOR)
}
