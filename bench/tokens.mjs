/** The tokens of the benchmarks: one generated pool, and ways to be refused that cost no signing. */
import { randomBytes, randomUUID } from 'node:crypto'
import { createTestUserPool } from '../dist/testing/index.js'

/** The default of the option `maxTokenLength`. */
export const MAX_TOKEN_LENGTH = 8192

export const clients = Array.from({ length: 50 }, (_, index) => ({
  clientId: `client${String(index).padStart(20, '0')}`,
  scopes: ['orders/read', 'orders/write'],
}))

export const pool = createTestUserPool({ clients })

const sample = pool.accessToken().split('.')
const header = JSON.parse(Buffer.from(sample[0], 'base64url').toString())
const claims = JSON.parse(Buffer.from(sample[1], 'base64url').toString())

export function encode(text) {
  return Buffer.from(text).toString('base64url')
}

/** Claims as Cognito orders them, with a `jti` of their own. */
function payload(changes) {
  return JSON.stringify({ ...claims, jti: randomUUID(), ...changes })
}

/**
 * A token whose signature is of the right length and no more. It is below the modulus: above it,
 * OpenSSL answers without the RSA operation, which would flatter a bad signature.
 */
export function unsigned(text = payload({}), headerChanges = {}) {
  const signature = randomBytes(256)
  signature[0] = 0
  const head = encode(JSON.stringify({ ...header, ...headerChanges }))
  return `${head}.${encode(text)}.${signature.toString('base64url')}`
}

/** Good claims of this pool, `changes` applied. */
export function withClaims(changes, headerChanges) {
  return unsigned(payload(changes), headerChanges)
}

/** Bytes a payload may have in a token of the greatest length that is looked at. */
const ROOM = Math.floor(((MAX_TOKEN_LENGTH - sample[0].length - 344) * 3) / 4)

/**
 * The greatest token that is looked at: its claims, then a member `x` filled with `unit` repeated.
 *
 * @param unit Text of one part of the filling; `#` becomes a number that occurs once.
 */
export function filled({ open, unit, close, changes = {} }) {
  const start = `${payload(changes).slice(0, -1)},"x":${open}`
  let text = ''
  for (let index = 0; ; index += 1) {
    const next = unit.replaceAll('#', index.toString(36))
    if (start.length + text.length + next.length + close.length + 1 > ROOM) break
    text += next
  }
  // Parts are separated by the comma they end with.
  return unsigned(`${start}${text.replace(/,$/, '')}${close}}`)
}

/** Brackets within brackets as far as they fit. */
export function deep() {
  const start = `${payload({}).slice(0, -1)},"x":`
  const depth = Math.floor((ROOM - start.length - 1) / 2)
  return unsigned(`${start}${'['.repeat(depth)}${']'.repeat(depth)}}`)
}

/** Characters of base64url without any meaning, the dots of a JWS among them or not. */
export function noise(length, dots = false) {
  const text = randomBytes(Math.ceil((length * 3) / 4))
    .toString('base64url')
    .slice(0, length)
  if (!dots) return text
  const third = Math.floor(length / 12) * 4
  return `${text.slice(0, third)}.${text.slice(0, third)}.${text.slice(0, third - 2)}`
}
