/** The keys of one generated pool: which ones sign, which ones are published, and their rotation. */
import { newKeys, type PoolKey } from './key-material.ts'

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
export function newKeyRing(): KeyRing {
  return { ...newPair([]), old: [] }
}

/** In the order of the key set: the ID key first, the access key second, older ones behind. */
export function publishedKeys({ id, access, old }: KeyRing): readonly PoolKey[] {
  return [id, access, ...old]
}

/** New keys in front of the old ones, or in place of them. */
export function rotateKeyRing(ring: KeyRing, { keepOld }: { readonly keepOld: boolean }): KeyRing {
  const before = publishedKeys(ring)
  return { ...newPair(before), old: keepOld ? before : [] }
}

/** Material that was published before is not used again at once: a rotation changes the keys. */
function newPair(before: readonly PoolKey[]): Pick<KeyRing, 'id' | 'access'> {
  const [access, id] = newKeys(2, before) as [PoolKey, PoolKey]
  return { access, id }
}
