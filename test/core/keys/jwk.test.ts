import { createPublicKey } from 'node:crypto'
import t from 'tap'
import { importKeySet, type KeySet } from '../../../src/core/keys/jwk.ts'
import { type Changes, jwk, keyPair } from '../../support/forge.ts'

const good = jwk({ kid: 'good' })

/** A modulus of this many bits. Importing does not check that it has two prime factors. */
function modulus(bits: number, zeros = 0): string {
  const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff)
  bytes[0] = 0xff >> ((8 - (bits % 8)) % 8)
  return Buffer.concat([Buffer.alloc(zeros), bytes]).toString('base64url')
}

/** Imports one key together with a valid one. */
function fate(key: unknown, kid = 'k'): string {
  const set = importKeySet({ keys: [key, good] }) as KeySet
  if (!set.usable.has('good')) return 'spoils the set'
  return set.usable.has(kid) ? 'usable' : set.unusable.has(kid) ? 'unusable' : 'skipped'
}

function judge(rule: string, expected: string, table: readonly Changes[]): void {
  t.test(rule, async (t) => {
    for (const changes of table) t.equal(fate(jwk({ kid: 'k', ...changes })), expected)
  })
}

t.test('imports the numbers that were published', async (t) => {
  const set = importKeySet({ keys: [good], more: 1 })
  const imported = set?.usable.get('good')
  t.ok(imported?.key.equals(keyPair().publicKey))
  t.match(imported, { n: good.n, e: good.e })
  t.strictSame([...(set?.unusable ?? [])], [])
})

judge('accepts a key with or without alg, use and key_ops', 'usable', [
  { alg: undefined, use: undefined },
  { alg: 'RS256', use: 'sig', key_ops: ['verify'] },
  { key_ops: ['sign', 'verify'] },
  { kid: 'k', x5c: ['AA'], x5t: 'AA', more: { a: 1 } },
])
judge('passes over every key type but RSA', 'skipped', [
  ...['EC', 'oct', 'OKP', 'rsa', 'RSA ', ''].map((kty) => ({ kty })),
])
judge('passes over a key for another algorithm', 'skipped', [
  ...['RS384', 'RS512', 'PS256', 'RSA-OAEP', 'rs256', ''].map((alg) => ({ alg })),
])
judge('passes over a key for another use', 'skipped', [
  ...['enc', 'Sig', ''].map((use) => ({ use })),
])
judge('passes over a key that does not offer to verify', 'skipped', [
  ...[[], ['sign'], ['encrypt']].map((key_ops) => ({ key_ops })),
])
judge('refuses a key whose declarations have another type', 'unusable', [
  ...[null, undefined, 5, ['RSA']].map((kty) => ({ kty })),
  ...[null, 5, ['RS256']].map((alg) => ({ alg })),
  ...[null, 5, ['sig']].map((use) => ({ use })),
  ...['verify', null, {}, { includes: 1 }, [5], ['sign', 5]].map((key_ops) => ({ key_ops })),
])
judge('refuses a key with private or secret members', 'unusable', [
  ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((member) => ({ [member]: 'AQAB' })),
  { d: undefined },
])

t.test('rejects a 1024-bit key', async (t) => {
  const pair = keyPair('weak', 1024)
  t.equal(fate(jwk({ kid: 'k' }, pair)), 'unusable')
})
judge('refuses a modulus of one bit too few', 'unusable', [
  { n: modulus(2047) },
  { n: modulus(2040, 1) },
  { n: modulus(1024, 128) },
  { n: 'AA' },
  { n: 'A' },
])
judge('accepts a modulus of 2048 bits and more', 'usable', [
  { n: modulus(2048) },
  { n: modulus(2048, 1) },
  { n: modulus(4096) },
  { n: modulus(16_384) },
])
judge('refuses a modulus beyond 16,384 bits before importing it', 'unusable', [
  { n: modulus(16_392) },
  { n: modulus(2048, 1793) },
  { n: modulus(8_000_000) },
])
judge('refuses exponent 1', 'unusable', [{ e: 'AQ' }, { e: 'AAE' }, { e: 'AAAB' }])
judge('refuses an even exponent', 'unusable', [
  { e: 'AA' },
  { e: 'Ag' },
  { e: 'AQAA' },
  { e: 'BA' },
])
judge('accepts odd exponents from 3 on', 'usable', [
  ...['Aw', 'BQ', 'EQ', 'AQAB', 'AAEAAQ', 'AAAAAAAAAAM', '__________8'].map((e) => ({ e })),
])
judge('refuses an exponent beyond 64 bits before importing it', 'unusable', [
  { e: 'AAAAAAAAAQAB' },
  { e: modulus(1_000_000) },
])
judge('refuses numbers that are no base64url', 'unusable', [
  ...[undefined, null, 5, '', [good.n], `${good.n}=`, `${good.n} `, ` ${good.n}`].map((n) => ({
    n,
  })),
  { n: `+${good.n?.slice(1)}` },
  ...[undefined, null, 65537, '', ['AQAB'], 'AQAB=', 'AQ AB', 'AQ+B', 'é'].map((e) => ({ e })),
])

t.test('ignores entries that are not keys or have no kid', async (t) => {
  for (const entry of [null, undefined, 5, 'x', true, [], {}, [good], jwk({ kid: undefined })]) {
    t.equal(fate(entry, 'x'), 'skipped')
  }
  for (const kid of [null, 5, ['k'], {}]) t.equal(fate(jwk({ kid }), kid as never), 'skipped')
})

t.test('a kid is any string, and only that string', async (t) => {
  for (const kid of ['', '__proto__', 'constructor', 'a/b+c==', '\n"', '😀']) {
    t.equal(fate(jwk({ kid }), kid), 'usable')
  }
  t.equal(importKeySet({ keys: [good] })?.usable.get('constructor'), undefined)
})

t.test('rejects a document without a usable key', async (t) => {
  const useless = [{ keys: [] }, { keys: [null] }, { keys: [jwk({ e: 'AQ' })] }]
  const noSets = [null, undefined, 5, 'keys', [], [good], {}, { keys: {} }, { keys: 'x' }, good]
  for (const document of [...useless, ...noSets]) t.equal(importKeySet(document), undefined)
})

t.test('of two keys under one kid the first usable one counts', async (t) => {
  const first = jwk({ kid: 'k' })
  const second = jwk({ kid: 'k' }, keyPair('second'))
  const junk = jwk({ kid: 'k', use: 'enc' })
  for (const keys of [
    [first, second],
    [junk, first, junk, second],
    [first, junk],
  ]) {
    const set = importKeySet({ keys }) as KeySet
    t.equal(set.usable.get('k')?.n, first.n)
    t.equal(set.unusable.has('k'), false)
  }
})

t.test('an unchanged key keeps its KeyObject, a changed one does not', async (t) => {
  const before = importKeySet({ keys: [good, jwk({ kid: 'k' })] }) as KeySet
  const object = before.usable.get('k')?.key
  const next = (key: unknown) => importKeySet({ keys: [good, key] }, before)?.usable.get('k')?.key
  t.equal(next(jwk({ kid: 'k' })), object)
  t.equal(next(jwk({ kid: 'k', alg: undefined, more: 1 })), object)
  const other = next(jwk({ kid: 'k' }, keyPair('second')))
  t.ok(other !== undefined && other !== object)
  t.ok(
    other?.equals(
      createPublicKey(keyPair('second').publicKey.export({ format: 'pem', type: 'spki' })),
    ),
  )
  const exponent = next(jwk({ kid: 'k', e: 'Aw' }))
  t.ok(exponent !== undefined && exponent !== object)
  t.equal(next(jwk({ kid: 'k', use: 'enc' })), undefined, 'known before, no longer offered')
  t.equal(next(jwk({ kid: 'k', use: null })), undefined, 'nor one whose use is none')
  t.equal(next(jwk({ kid: 'k', e: 'AQ' })), undefined)
})
