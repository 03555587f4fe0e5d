/** The keys of one generated pool: which ones sign, which ones are published, and their rotation. */
import { createKeys, type PoolKey } from './key-material.ts'

/** All keys that a pool publishes. */
export interface KeyRing {
  /** Signs ID tokens. */
  readonly id: PoolKey
  /** Signs access tokens. */
  readonly access: PoolKey
  /** Published, but no longer used for signing. */
  readonly old: readonly PoolKey[]
}

/** The keys of a pool, which all of its Regions share. A rotation replaces them. */
export interface SharedKeys {
  current: KeyRing
}

/** The keys of a new pool. */
export function createKeyRing(): KeyRing {
  return { ...createSigningKeys([]), old: [] }
}

/** Lists the keys in the order of the key set: ID key, access key, older keys. */
export function listPublishedKeys({ id, access, old }: KeyRing): readonly PoolKey[] {
  return [id, access, ...old]
}

/** Adds new keys before the old ones, or replaces them. */
export function rotateKeyRing(ring: KeyRing, { keepOld }: { readonly keepOld: boolean }): KeyRing {
  const previous = listPublishedKeys(ring)
  return { ...createSigningKeys(previous), old: keepOld ? previous : [] }
}

/** Uses no key pair of the previous keys, so that a rotation changes the keys. */
function createSigningKeys(previous: readonly PoolKey[]): Pick<KeyRing, 'id' | 'access'> {
  const [access, id] = createKeys(2, previous) as [PoolKey, PoolKey]
  return { access, id }
}
