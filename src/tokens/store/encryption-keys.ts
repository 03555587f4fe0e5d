/** The option `encryptionKeys`, and the keys derived from each of its keys: one per purpose. */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'

/**
 * A key that seals and names the entries of a shared store. Create it with `openssl rand -base64 32`, and store it as a
 * secret. All processes with the same store need the same keys.
 *
 * @see RFC 5869 (HKDF, which derives one key per purpose)
 */
export interface EncryptionKey {
  /** Name of the key, stored in plain text with each entry: 1 to 32 characters of `A-Z a-z 0-9 . _ -`. */
  readonly id: string
  /** 32 random bytes, or a string with their base64 or base64url. */
  readonly key: string | Uint8Array
}

/** The derived keys of one encryption key, by purpose. */
export interface StoreKey {
  readonly id: string
  readonly naming: KeyObject
  readonly grouping: KeyObject
  readonly sealing: KeyObject
}

const KEY_BYTES = 32
/** A rotation needs two. Each further key costs a command at every look-up. */
const MAX_KEYS = 4

/** Without `encryptionKeys`, names are derived from a random key of this process. All its stores share the names. */
const PROCESS_KEY = deriveStoreKey('process', randomBytes(KEY_BYTES))

/**
 * Reads `encryptionKeys` and derives the keys.
 *
 * @returns Never empty. The first key names and seals; all keys find and decrypt.
 * @throws {OptionError} `ERR_OPTION_INVALID`, without the key.
 */
export function readEncryptionKeys(value: unknown): readonly StoreKey[] {
  if (value === undefined) return [PROCESS_KEY]
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_KEYS) {
    const what = Array.isArray(value) ? `${value.length} keys` : describeKey(value)
    throw new OptionError(
      'encryptionKeys',
      `expected an array of 1 to ${MAX_KEYS} keys, got ${what}. Pass [{ id, key }].`,
    )
  }
  const ids = new Set<string>()
  return Array.from(value as unknown[], (item, index) => {
    const optionPath = `encryptionKeys[${index}]`
    if (typeof item === 'string') {
      throw new OptionError(optionPath, 'expected an object, got a string. Pass { id, key }.')
    }
    const { id, key } = readMembers(item, ['id', 'key'], optionPath)
    if (typeof id !== 'string' || !/^[\w.-]{1,32}$/.test(id)) {
      const what = typeof id === 'string' ? 'another string' : describeValue(id)
      throw new OptionError(
        `${optionPath}.id`,
        `expected 1 to 32 characters of A-Z a-z 0-9 . _ -, got ${what}. Change the id.`,
      )
    }
    if (ids.has(id))
      throw new OptionError(
        `${optionPath}.id`,
        `expected a unique id, got ${describeValue(id)} again. Rename one of the keys.`,
      )
    ids.add(id)
    return deriveStoreKey(id, readKey(key, `${optionPath}.key`))
  })
}

/** Errors describe the type or the length of a key, never its value. */
function readKey(value: unknown, optionPath: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : value
  if (!(bytes instanceof Uint8Array)) {
    throw new OptionError(
      optionPath,
      `expected ${KEY_BYTES} bytes or their base64, got ${describeKey(value)}. Run openssl rand -base64 32.`,
    )
  }
  if (bytes.byteLength !== KEY_BYTES) {
    throw new OptionError(
      optionPath,
      `expected ${KEY_BYTES} bytes, got ${bytes.byteLength}. Run openssl rand -base64 32.`,
    )
  }
  return bytes
}

/** Undefined for a string with other characters, which Node would skip. */
function fromBase64(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** Never shows a string: it may be the key in another encoding. */
function describeKey(value: unknown): string {
  return typeof value === 'string' ? 'a string that is not base64' : describeValue(value)
}

function deriveStoreKey(id: string, key: Uint8Array): StoreKey {
  const [naming, grouping] = [derive(key, 'naming'), derive(key, 'grouping')]
  return { id, naming, grouping, sealing: derive(key, 'sealing') }
}

/** HKDF (RFC 5869): a leaked key of one purpose does not reveal those of the others. */
function derive(key: Uint8Array, purpose: string): KeyObject {
  const info = `cognito-m2m token store ${purpose} 1`
  return createSecretKey(new Uint8Array(hkdfSync('sha256', key, '', info, KEY_BYTES)))
}
