/** Raw control over tokens and keys: what a hostile caller or a careless issuer could send. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import type {
  AnyAuthError,
  CognitoAuthOptions,
  JsonWebKey,
  ResourceServer,
} from '../../src/index.ts'
import { AuthError, createResourceServer } from '../../src/index.ts'
import { parseChallenges } from './challenge-parser.ts'

/** Epoch seconds at which every test happens. */
export const NOW = 1_700_000_000
export const POOL = 'eu-west-1_AbCdEfGhI'
export const ISSUER = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`
export const UPDATED_ISSUER = `https://issuer-cognito-idp.eu-west-1.amazonaws.com/${POOL}`
export const CLIENT = '5kek0i61pgkokoob4fsm9fo9it'
/** Cognito's kids are standard base64. */
export const KID = 'sYt/5pKc+0aVhQ=='

export type Changes = Readonly<Record<string, unknown>>

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const pairs = new Map<string, KeyPair>()

/**
 * Through PEM: exporting a new key can deadlock Node 20. Garbage collection of the job that generated
 * the key waits for the same key.
 */
export function makeKeyPair(modulusLength = 2048): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { publicKey: createPublicKey(publicKey), privateKey: createPrivateKey(privateKey) }
}

/** One pair per name and process: making one costs 100 ms. */
export function keyPair(name = 'access', modulusLength = 2048): KeyPair {
  const made = pairs.get(name) ?? makeKeyPair(modulusLength)
  pairs.set(name, made)
  return made
}

export function jwk(changes: Changes = {}, pair = keyPair()): JsonWebKey {
  const published = {
    kid: KID,
    alg: 'RS256',
    use: 'sig',
    ...pair.publicKey.export({ format: 'jwk' }),
  }
  return { ...published, ...changes }
}

/** Claims of a machine; a member changed to undefined is left out of the token. */
export function machineClaims(changes: Changes = {}): Record<string, unknown> {
  return {
    sub: CLIENT,
    token_use: 'access',
    scope: 'orders/read orders/write',
    auth_time: NOW - 10,
    iss: ISSUER,
    exp: NOW + 3600,
    iat: NOW - 10,
    version: 2,
    jti: '39cdbc77-8743-4e1e-9669-96e62b165f1c',
    client_id: CLIENT,
    ...changes,
  }
}

export function userClaims(changes: Changes = {}): Record<string, unknown> {
  return machineClaims({ sub: 'a-user', username: 'a-user', scope: 'openid', ...changes })
}

/** Base64url of JSON, of raw text, or of raw bytes. */
export function encode(value: unknown): string {
  const raw = typeof value === 'string' || Buffer.isBuffer(value)
  return Buffer.from(raw ? (value as string) : JSON.stringify(value)).toString('base64url')
}

/** Signs a header and a payload, each given as in {@link encodeJson}. */
export function signed(header: unknown, payload: unknown, key = keyPair().privateKey): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

export function machineToken(claims: Changes = {}, header: Changes = {}, pair = keyPair()): string {
  return signed({ kid: KID, alg: 'RS256', ...header }, machineClaims(claims), pair.privateKey)
}

/** A server for one pool with offline keys, at {@link READ_TIME}; an option that is undefined is left out. */
export function serve(changes: Changes = {}): ResourceServer {
  const pool = { userPoolId: POOL, clientId: CLIENT, jwks: { keys: [jwk()] } }
  const several = changes['userPools'] !== undefined
  const options = { ...(several ? {} : pool), now: () => NOW * 1000, ...changes }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return createResourceServer(Object.fromEntries(given) as unknown as CognitoAuthOptions)
}

type AnyGuard = (authorization: string | string[] | undefined, request?: unknown) => unknown

/** The refusal a guard throws; fails where it lets the request pass. */
export async function refusal(
  guard: AnyGuard,
  authorization: string | string[] | undefined,
  request?: unknown,
): Promise<AnyAuthError> {
  try {
    await guard(authorization, request)
  } catch (error) {
    if (error instanceof AuthError) return error as AnyAuthError
    throw error
  }
  throw new Error('the guard let the request pass')
}

/** `accepted`, `null`, or the code of the refusal. */
export async function outcome(
  guard: AnyGuard,
  authorization: string | string[] | undefined,
  request?: unknown,
): Promise<string> {
  try {
    return (await guard(authorization, request)) === null ? 'null' : 'accepted'
  } catch (error) {
    if (error instanceof AuthError) return error.code
    throw error
  }
}

/** The parameters of the one Bearer challenge there may be, in the characters RFC 6750 allows. */
export function parseChallenge(value: string | undefined): Record<string, string> {
  const [challenge, ...others] = parseChallenges(value ?? '')
  if (challenge?.scheme !== 'Bearer' || others.length > 0) throw new Error(`not one: ${value}`)
  for (const [name, text] of Object.entries(challenge.params)) {
    if (!/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/.test(text)) throw new Error(`${name} has ${text}`)
  }
  if (Object.keys(challenge.params).length === 0) throw new Error('no parameter')
  return { ...challenge.params }
}

/** Deterministic numbers from 0 to below `limit`, so that a failure repeats. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** One printable line for a test's name: TAP is read line by line. */
export function label(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  const printable = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[^\x20-\x7E]/g, printable).slice(0, 100)
}
