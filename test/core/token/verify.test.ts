import { constants, type KeyObject, sign } from 'node:crypto'
import t from 'tap'
import type { ImportedKey } from '../../../src/core/keys/jwk.ts'
import type { IssuerKeys, KeyLookup } from '../../../src/core/keys/remote-jwks.ts'
import { checkClaims } from '../../../src/core/token/claims.ts'
import { type Issuer, readToken, verifyToken } from '../../../src/core/token/verify.ts'
import {
  CLIENT,
  encode,
  ISSUER,
  KID,
  keyPair,
  machineClaims,
  machineToken,
  NOW,
  POOL,
} from '../../support/forge.ts'

const asked: string[] = []

/** An issuer with injected key lookups, which records them. */
function issuer(answer: (kid: string) => KeyLookup | Promise<KeyLookup>, name = ISSUER): Issuer {
  const find = (kid: string) => {
    asked.push(kid)
    return answer(kid)
  }
  const rules = {
    machinesOnly: true,
    audience: undefined,
    clientIds: new Set([CLIENT]),
    clockTolerance: 5,
  }
  const keys = { find } as unknown as IssuerKeys
  return { userPoolId: POOL, issuer: name, keys, rules, lookup: undefined }
}

function known(key: KeyObject): (kid: string) => KeyLookup {
  return (kid) => (kid === KID ? imported(key) : { kind: 'unknown' })
}

function imported(key: KeyObject): ImportedKey {
  return { kind: 'key', kid: KID, key, n: '', e: '' }
}

const ours = issuer(known(keyPair().publicKey))

/** All steps, as a guard takes them. */
async function verifyAll(token: string, issuers: ReadonlyMap<string, Issuer>, now: number) {
  const unverified = readToken(token, issuers, new Map())
  if (unverified.kind === 'rejected') return unverified
  const { jws, issuer } = unverified
  return checkClaims(jws.claims, issuer.rules, now) ?? verifyToken(unverified)
}

async function verdict(token: string, issuers = [ours], now = NOW * 1000): Promise<unknown> {
  asked.length = 0
  const table = new Map(issuers.map((it) => [it.issuer, it]))
  const result = await verifyAll(token, table, now)
  if ('code' in result) return result.code
  return result.kind === 'verified' ? 'verified' : result.keys
}

t.test('verifies a good token and says whose it is', async (t) => {
  const result = await verifyAll(machineToken(), new Map([[ISSUER, ours]]), NOW * 1000)
  if ('code' in result || result.kind !== 'verified') throw new Error('not verified')
  t.equal(result.key.key, keyPair().publicKey)
  t.match(result.claims, { client_id: CLIENT, iss: ISSUER })
})

t.test('waits for a key that is being fetched', async (t) => {
  t.equal(
    await verdict(machineToken(), [issuer(async () => imported(keyPair().publicKey))]),
    'verified',
  )
})

t.test('rejects a token that is not a strict JWS', async (t) => {
  for (const token of ['', 'a.b.c', `${machineToken()}=`]) {
    t.equal(await verdict(token), 'ERR_TOKEN_INVALID')
  }
})

t.test('rejects an iss that is not a string', async (t) => {
  for (const iss of [undefined, null, 5, [ISSUER], {}]) {
    t.equal(await verdict(machineToken({ iss })), 'ERR_TOKEN_INVALID')
  }
})

t.test('rejects an iss that is not exactly an issuer of the pool', async (t) => {
  const near = [`${ISSUER}/`, ` ${ISSUER}`, ISSUER.toUpperCase(), ISSUER.slice(0, -1), `${ISSUER}#`]
  const table = ['', '__proto__', 'constructor', 'toString', ISSUER.replace('https', 'http')]
  for (const iss of [...near, ...table, ISSUER.replace('west', 'east')]) {
    t.equal(await verdict(machineToken({ iss })), 'ERR_TOKEN_ISSUER')
  }
})

t.test('rejects an unknown kid, and returns 503 if no keys are available', async (t) => {
  t.equal(await verdict(machineToken({}, { kid: 'other' })), 'ERR_KEY_UNKNOWN')
  const unavailable = { kind: 'unavailable' as const, retryAfter: 1000, cause: undefined }
  t.equal(await verdict(machineToken(), [issuer(() => unavailable)]), unavailable)
})

t.test('looks up no key before the claims are valid', async (t) => {
  for (const claims of [{ iss: 'x' }, { token_use: 'id' }, { exp: NOW - 6 }, { client_id: 'x' }]) {
    await verdict(machineToken(claims))
    t.strictSame(asked, [])
  }
  await verdict(machineToken())
  t.strictSame(asked, [KID])
})

t.test('rejects a signature by another key', async (t) => {
  t.equal(await verdict(machineToken({}, {}, keyPair('other'))), 'ERR_TOKEN_SIGNATURE')
})

t.test('rejects a signature over anything else', async (t) => {
  const [head, body, tail] = machineToken().split('.') as [string, string, string]
  const other = machineToken({ scope: 'admin/all' }).split('.') as [string, string, string]
  const unkept = encode({ alg: 'RS256', kid: KID, typ: 'JWT' })
  for (const token of [
    `${head}.${other[1]}.${tail}`,
    `${head}.${body}.${other[2]}`,
    `${unkept}.${body}.${tail}`,
    `${head}.${body}.${encode(Buffer.alloc(256))}`,
    `${head}.${body}.${encode(Buffer.alloc(256, 0xff))}`,
    `${head}.${body}.${encode(Buffer.alloc(1))}`,
    `${head}.${body}.${encode(Buffer.concat([Buffer.from(tail, 'base64url'), Buffer.alloc(1)]))}`,
    `${head}.${body}.${encode(Buffer.from(tail, 'base64url').subarray(0, 255))}`,
  ]) {
    t.equal(await verdict(token), 'ERR_TOKEN_SIGNATURE')
  }
})

t.test('rejects signatures of another algorithm under the name of RS256', async (t) => {
  const input = `${encode({ kid: KID, alg: 'RS256' })}.${encode(machineClaims())}`
  const { privateKey } = keyPair()
  const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING }
  const by = (hash: string, key: Parameters<typeof sign>[2]) =>
    `${input}.${encode(sign(hash, Buffer.from(input), key))}`
  t.equal(await verdict(by('sha256', privateKey)), 'verified')
  for (const token of [by('sha512', privateKey), by('sha1', privateKey), by('sha256', pss)]) {
    t.equal(await verdict(token), 'ERR_TOKEN_SIGNATURE')
  }
})

t.test("verifies with the key of the token's own issuer alone", async (t) => {
  const theirs = issuer(known(keyPair('theirs').publicKey), 'https://theirs.example')
  const both = [ours, theirs]
  const iss = 'https://theirs.example'
  t.equal(await verdict(machineToken({ iss }, {}, keyPair('theirs')), both), 'verified')
  t.equal(await verdict(machineToken(), both), 'verified')
  t.equal(await verdict(machineToken({}, {}, keyPair('theirs')), both), 'ERR_TOKEN_SIGNATURE')
  t.equal(await verdict(machineToken({ iss }), both), 'ERR_TOKEN_SIGNATURE')
})

t.test('reads the clock for each token', async (t) => {
  const end = (NOW + 3605) * 1000
  t.equal(await verdict(machineToken(), [ours], end - 1), 'verified')
  t.equal(await verdict(machineToken(), [ours], end), 'ERR_TOKEN_EXPIRED')
  t.equal(await verdict(machineToken(), [ours], Number.NaN), 'ERR_TOKEN_EXPIRED')
})
