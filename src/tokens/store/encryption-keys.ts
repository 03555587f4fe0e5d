/** The owner's keys, and one key per purpose made from each. */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'

/**
 * What seals and names entries of a shared store. Make one with `openssl rand -base64 32`, keep it
 * where secrets are kept, and give all processes of one store the same.
 */
export interface EncryptionKey {
  /** Stands in clear beside what it sealed: 1 to 32 characters of `A-Z a-z 0-9 . _ -`. */
  readonly id: string
  /** 32 random bytes; a string is base64 or base64url of them. */
  readonly key: string | Uint8Array
}

/** One of the owner's keys by purpose. */
export interface StoreKey {
  readonly id: string
  readonly naming: KeyObject
  readonly grouping: KeyObject
  readonly sealing: KeyObject
}

const KEY_BYTES = 32
/** A rotation takes two; more would be asked for in vain at every look-up. */
const MAX_KEYS = 4

/** What stays in this process is named by a key that does: two stores of one process share names. */
const PROCESS_KEY = deriveStoreKey('process', randomBytes(KEY_BYTES))

/**
 * @returns The first names and seals, all find and open. Never empty.
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

/** Says no more of a key than what it is not. */
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

/** Undefined where Node would leave out what it cannot read. */
function fromBase64(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** Never the value of a string: it may be the key in a form that cannot be read. */
function describeKey(value: unknown): string {
  return typeof value === 'string' ? 'a string that is not base64' : describeValue(value)
}

function deriveStoreKey(id: string, key: Uint8Array): StoreKey {
  const [naming, grouping] = [derive(key, 'naming'), derive(key, 'grouping')]
  return { id, naming, grouping, sealing: derive(key, 'sealing') }
}

/** HKDF (RFC 5869): what one purpose gives away says nothing of the other. */
function derive(key: Uint8Array, purpose: string): KeyObject {
  const info = `cognito-m2m token store ${purpose} 1`
  return createSecretKey(new Uint8Array(hkdfSync('sha256', key, '', info, KEY_BYTES)))
}
