/** Every way to be refused that is measured, with what it may cost. */
import { deep, filled, MAX_TOKEN_LENGTH, noise, pool, unsigned, withClaims } from './tokens.mjs'

/** In cold verifications: where a signature is checked, where none is, and for the longest tokens accepted. */
const CHECKED = 1.1
const UNCHECKED = 0.2
const HOSTILE = 2

const FOREIGN = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AAAAAAAAA'
const hour = () => Math.floor(Date.now() / 1000) - 3600
const members = { open: '{', unit: '"#":0,', close: '}' }
const objects = { open: '[', unit: '{},', close: ']' }
const escapes = { open: '{', unit: '"\\u0061#":0,', close: '}' }
const text = { open: '"', unit: 'abcdefgh', close: '"' }
const numbers = { open: '[', unit: '0,', close: ']' }
const foreign = { changes: { iss: FOREIGN } }

/** What verifying a token that was never seen costs: the unit of all others. */
export const cold = {
  name: 'valid token (cold verification)',
  code: undefined,
  limit: undefined,
  token: () => pool.accessToken(),
}

const ordinary = [
  ['bad signature', CHECKED, 'ERR_TOKEN_SIGNATURE', () => withClaims({})],
  ['insufficient scope', CHECKED, 'ERR_SCOPE_INSUFFICIENT', () => readOnly()],
  ['unknown kid', UNCHECKED, 'ERR_KEY_UNKNOWN', () => withClaims({}, { kid: noise(43) })],
  ['expired', UNCHECKED, 'ERR_TOKEN_EXPIRED', () => withClaims({ exp: hour() })],
  ['foreign issuer', UNCHECKED, 'ERR_TOKEN_ISSUER', () => withClaims({ iss: FOREIGN })],
  ['wrong token_use', UNCHECKED, 'ERR_TOKEN_USE', () => withClaims({ token_use: 'id' })],
  ["a user's token", UNCHECKED, 'ERR_TOKEN_USE', () => withClaims({ username: 'somebody' })],
  ['client not on the list', UNCHECKED, 'ERR_CLIENT_NOT_ALLOWED', () => stranger()],
  ['alg none', UNCHECKED, 'ERR_TOKEN_INVALID', () => withClaims({}, { alg: 'none' })],
  ['garbage', UNCHECKED, 'ERR_TOKEN_INVALID', () => noise(40)],
  ['padded base64', UNCHECKED, 'ERR_TOKEN_INVALID', () => `${withClaims({})}==`],
]

const large = [
  // For comparison: a longer token costs more to verify, too.
  ['8 KiB, valid', undefined, undefined, () => longest()],
  ['8 KiB of base64url', HOSTILE, 'ERR_TOKEN_INVALID', () => noise(MAX_TOKEN_LENGTH)],
  ['8 KiB of base64url, dots', HOSTILE, 'ERR_TOKEN_INVALID', () => noise(MAX_TOKEN_LENGTH, true)],
  ['8 KiB, JSON cut short', HOSTILE, 'ERR_TOKEN_INVALID', () => cut()],
  ['8 KiB, deep JSON', HOSTILE, 'ERR_TOKEN_INVALID', () => deep()],
  ['8 KiB, one text', HOSTILE, 'ERR_TOKEN_ISSUER', () => filled({ ...text, ...foreign })],
  ['8 KiB, numbers', HOSTILE, 'ERR_TOKEN_ISSUER', () => filled({ ...numbers, ...foreign })],
  ['8 KiB, members', HOSTILE, 'ERR_TOKEN_INVALID', () => filled({ ...members, ...foreign })],
  [
    '8 KiB, escaped members',
    HOSTILE,
    'ERR_TOKEN_INVALID',
    () => filled({ ...escapes, ...foreign }),
  ],
  ['8 KiB, empty objects', HOSTILE, 'ERR_TOKEN_INVALID', () => filled({ ...objects, ...foreign })],
  ['8 KiB, one text, bad signature', HOSTILE, 'ERR_TOKEN_SIGNATURE', () => filled(text)],
]

const undecoded = [
  ['no header', UNCHECKED, 'ERR_TOKEN_MISSING', () => undefined],
  ['two lines', UNCHECKED, 'ERR_REQUEST_INVALID', () => [noise(900), noise(900)]],
  ['8 KiB and one character', UNCHECKED, 'ERR_TOKEN_INVALID', () => noise(MAX_TOKEN_LENGTH + 1)],
  // A whole token in front: everything about it could be decoded.
  ['1 MB', UNCHECKED, 'ERR_TOKEN_INVALID', () => `${withClaims({})}${noise(1_000_000)}`],
]

/** Signed, so the unit's whole work is done before the scope is found missing. */
function readOnly() {
  return pool.accessToken({ scopes: 'orders/read' })
}

function longest() {
  return pool.accessToken({ claims: { x: 'a'.repeat(5400) } })
}

function stranger() {
  return withClaims({ client_id: 'stranger', sub: 'stranger' })
}

/** Decodes well and fails at its last character, which JSON.parse has to walk to. */
function cut() {
  const [, body] = filled(members).split('.')
  return unsigned(Buffer.from(body, 'base64url').toString().slice(0, -1))
}

export const refusals = [...ordinary, ...large, ...undecoded].map(([name, limit, code, token]) => ({
  name,
  limit,
  code,
  token,
}))
