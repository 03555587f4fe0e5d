/** Content of a state file: issuer, private keys and generated secrets of a local pool. */
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { describeValue, type OptionError } from '../core/options/validate.ts'
import type { LocalHost } from './http/local-server.ts'
import { jsonPosition } from './json-file.ts'
import { importKey, isKeyId, type PoolKey } from './key-material.ts'
import { type KeyRing, listPublishedKeys } from './key-ring.ts'
import { createStateError, readStateFile } from './state-file.ts'

/** Content of a state file. */
export interface PoolState {
  readonly issuer: string
  readonly keys: KeyRing
  /** Generated secrets by client ID. */
  readonly clientSecrets: Readonly<Record<string, string>>
}

/** Content of a state file with the parts of its issuer. */
export interface SavedPoolState extends PoolState {
  /** Text of the file. */
  readonly text: string
  readonly host: LocalHost
  readonly port: number
  readonly userPoolId: string
}

const VERSION = 1
const ISSUER = /^http:\/\/(127\.0\.0\.1|\[::1\]):(\d{1,5})\/(xx-local-1_[A-Za-z0-9]+)$/
const KEY_MEMBERS = ['kid', 'kty', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi']
const DELETE_FILE = 'Delete the file to start with new keys.'

/** Formats the text of a state file. */
export function formatPoolState({ issuer, keys, clientSecrets }: PoolState): string {
  const { id, access, old } = keys
  const content = {
    version: VERSION,
    issuer,
    keys: { id: exportKey(id), access: exportKey(access), old: old.map(exportKey) },
    clientSecrets,
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

function exportKey({ kid, pair }: PoolKey): object {
  return { kid, ...pair.privateKey.export({ format: 'jwk' }) }
}

/**
 * Reads a state file.
 *
 * @returns Undefined if there is no file.
 * @throws {OptionError} for a file that others can read, and with the position for a malformed file.
 */
export function readPoolState(path: string): SavedPoolState | undefined {
  const text = readStateFile(path)
  return text === undefined ? undefined : new StateReader(path).read(text)
}

/** Reads the content of one file. Messages name positions and types, never a value. */
class StateReader {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  read(text: string): SavedPoolState {
    const members = ['version', 'issuer', 'keys', 'clientSecrets']
    const content = this.#object(this.#parse(text), 'the file', members)
    if (content['version'] !== VERSION) {
      throw this.#malformed('version', String(VERSION), content['version'])
    }
    const issuer = String(content['issuer'])
    const [, host, port, userPoolId] = ISSUER.exec(issuer) ?? []
    if (host === undefined || Number(port) > 65_535) {
      throw this.#malformed('issuer', 'the issuer of a local pool', content['issuer'])
    }
    return {
      text,
      issuer,
      port: Number(port),
      userPoolId: userPoolId as string,
      host: host === '[::1]' ? '::1' : '127.0.0.1',
      keys: this.#keys(content['keys']),
      clientSecrets: this.#secrets(content['clientSecrets']),
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      const position = jsonPosition(text, error as Error)
      const at = position === undefined ? '' : `:${position}`
      throw createStateError(this.#path, `${at}: expected JSON, got a syntax error. ${DELETE_FILE}`)
    }
  }

  #keys(value: unknown): KeyRing {
    const { id, access, old } = this.#object(value, 'keys', ['id', 'access', 'old'])
    if (!Array.isArray(old)) throw this.#malformed('keys.old', 'an array', old)
    const keys = {
      id: this.#key(id, 'keys.id'),
      access: this.#key(access, 'keys.access'),
      old: old.map((key, index) => this.#key(key, `keys.old[${index}]`)),
    }
    const published = listPublishedKeys(keys)
    if (new Set(published.map(({ kid }) => kid)).size < published.length) {
      throw this.#malformed('keys', 'a different kid for each key', value)
    }
    return keys
  }

  #key(value: unknown, position: string): PoolKey {
    const { kid, ...jwk } = this.#object(value, position, KEY_MEMBERS)
    if (!isKeyId(kid)) throw this.#malformed(`${position}.kid`, '44 characters of base64', kid)
    let privateKey: KeyObject | undefined
    try {
      privateKey = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
    } catch {
      // The error of node:crypto may quote the key.
    }
    const key = privateKey && importKey(kid, privateKey)
    if (key === undefined) throw this.#malformed(position, 'a private RSA key of 2048 bits', value)
    return key
  }

  #secrets(value: unknown): Readonly<Record<string, string>> {
    const secrets = this.#object(value, 'clientSecrets')
    for (const [id, secret] of Object.entries(secrets)) {
      if (typeof secret === 'string' && /^[a-z0-9]{51}$/.test(secret)) continue
      throw this.#malformed(`clientSecrets[${describeValue(id)}]`, 'a generated secret', secret)
    }
    return secrets as Record<string, string>
  }

  /** @param members The exact set of members; undefined to skip that check. */
  #object(value: unknown, position: string, members?: readonly string[]): Record<string, unknown> {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject) throw this.#malformed(position, 'an object', value)
    const names = Object.keys(value)
    const hasAll = members?.every((name) => names.includes(name)) ?? true
    if (hasAll && names.length === (members?.length ?? names.length)) {
      return value as Record<string, unknown>
    }
    throw this.#malformed(position, `the members ${members?.join(', ')}`, value)
  }

  #malformed(position: string, expected: string, value: unknown): OptionError {
    const type = value === null ? 'null' : typeof value
    const problem = `expected ${expected}, got a value of type ${type}`
    return createStateError(this.#path, `: ${position}: ${problem}. ${DELETE_FILE}`)
  }
}
