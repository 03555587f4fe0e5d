/** Seals values for a store that others can read: AES-256-GCM, bound to entry and expiry. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { StoreKey } from './encryption-keys.ts'

/** Separates the names of an entry under several keys. Not a character of base64url. */
const SEPARATOR = '.'

/**
 * Derives a name: HMAC-SHA-256 under each key, the sealing key first. During a rotation, processes find entries under
 * both names. Without the key, a reader of the store cannot test guesses of a secret.
 */
export function deriveName(identity: Uint8Array, keys: readonly StoreKey[]): string {
  return deriveJoined(identity, keys, 'naming')
}

/**
 * Derives the name of an app client's group, under separate keys. Client ids are short and often known. A plain hash
 * would show which clients have tokens in the store.
 */
export function deriveGroup(clientId: string, keys: readonly StoreKey[]): string {
  return deriveJoined(clientId, keys, 'grouping')
}

function deriveJoined(
  identity: string | Uint8Array,
  keys: readonly StoreKey[],
  purpose: 'naming' | 'grouping',
): string {
  return keys
    .map((key) => createHmac('sha256', key[purpose]).update(identity).digest('base64url'))
    .join(SEPARATOR)
}

/** The names that {@link deriveName} or {@link deriveGroup} joined. */
export function splitNames(name: string): readonly string[] {
  return name.split(SEPARATOR)
}

const CIPHER = 'aes-256-gcm'
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const EXPIRY_BYTES = 8

/** A value before sealing. */
export interface UnsealedValue {
  readonly value: Uint8Array
  /** Milliseconds since 1970 by the store's clock if it has one. */
  readonly expiresAt: number
}

/**
 * Seals a value. Format: version, length of the key's id, id, expiry, nonce, ciphertext, tag. The bytes before the nonce
 * and the entry's name are associated data. So an entry that was moved to another name, or has a changed expiry, cannot
 * be decrypted. Random nonces suffice for 2^32 values under one key (NIST SP 800-38D, section 8.3).
 */
export function seal(unsealed: UnsealedValue, name: string, { id, sealing }: StoreKey): Uint8Array {
  const header = Buffer.alloc(2 + id.length + EXPIRY_BYTES)
  header.writeUInt8(VERSION, 0)
  header.writeUInt8(id.length, 1)
  header.write(id, 2, 'latin1')
  header.writeDoubleBE(unsealed.expiresAt, 2 + id.length)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, sealing, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(createAssociatedData(header, name))
  const sealed = [cipher.update(unsealed.value), cipher.final()]
  return Buffer.concat([header, nonce, ...sealed, cipher.getAuthTag()])
}

/** @returns Undefined unless one of the keys sealed this value for this name. */
export function unseal(
  sealed: Uint8Array,
  name: string,
  keys: readonly StoreKey[],
): UnsealedValue | undefined {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const idLength = bytes.length > 1 ? bytes.readUInt8(1) : 0
  const headerLength = 2 + idLength + EXPIRY_BYTES
  if (bytes.length < headerLength + NONCE_BYTES + TAG_BYTES) return undefined
  const id = bytes.toString('latin1', 2, 2 + idLength)
  const key = keys.find((candidate) => candidate.id === id)
  if (bytes.readUInt8(0) !== VERSION || key === undefined) return undefined
  const header = bytes.subarray(0, headerLength)
  const nonce = bytes.subarray(headerLength, headerLength + NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key.sealing, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(createAssociatedData(header, name))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const ciphertext = bytes.subarray(headerLength + NONCE_BYTES, -TAG_BYTES)
    const value = Buffer.concat([decipher.update(ciphertext), decipher.final()])
    return { value, expiresAt: header.readDoubleBE(2 + idLength) }
  } catch {
    return undefined
  }
}

function createAssociatedData(header: Buffer, name: string): Buffer {
  return Buffer.concat([header, Buffer.from(name)])
}
