/** The keys of one generated pool: which ones sign, which ones are published, and their rotation. */
import { createKeys, type PoolKey } from './key-material.ts'

/** All keys that a pool publishes. */
export interface KeyRing {
  /** Signs ID tokens. */
  readonly id: PoolKey
  /** Signs access tokens. */
  readonly access: PoolKey
  /** Published, but signing no more. */
  readonly old: readonly PoolKey[]
}

/** The keys of a new pool. */
export function createKeyRing(): KeyRing {
  return { ...createSigningKeys([]), old: [] }
}

/** In the order of the key set: the ID key first, the access key second, older ones behind. */
export function listPublishedKeys({ id, access, old }: KeyRing): readonly PoolKey[] {
  return [id, access, ...old]
}

/** New keys in front of the old ones, or in place of them. */
export function rotateKeyRing(ring: KeyRing, { keepOld }: { readonly keepOld: boolean }): KeyRing {
  const before = listPublishedKeys(ring)
  return { ...createSigningKeys(before), old: keepOld ? before : [] }
}

/** Material that was published before is not used again at once: a rotation changes the keys. */
function createSigningKeys(before: readonly PoolKey[]): Pick<KeyRing, 'id' | 'access'> {
  const [access, id] = createKeys(2, before) as [PoolKey, PoolKey]
  return { access, id }
}
