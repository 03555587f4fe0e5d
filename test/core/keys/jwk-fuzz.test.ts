/**
 * Random malformed key sets: importing one never throws and never accepts a weak key.
 * FUZZ_SEED repeats a run.
 */
import { type KeyObject, randomInt, verify } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { importKeySet, type KeySet } from '../../../src/core/keys/jwk.ts'
import { jwk, keyPair, label } from '../../support/forge.ts'

const RUNS = 4000
const seed = Number(process.env['FUZZ_SEED'] || randomInt(2 ** 31))

const good = jwk({ kid: 'good' })
const { n: otherModulus } = jwk({}, keyPair('second'))

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const base64url = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength: 0, maxLength })
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((it) => Buffer.from(it).toString('base64url'))

/** Of any JSON type, and what only looks like text. */
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(undefined, NaN, Infinity, -1, 1e308, '', ' ', '=', '\u0000', '\ud800', '😀'),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

/** Mostly one of the values that pass, else one that is almost right, or junk. */
const member = (passing: fc.Arbitrary<unknown>, ...almost: fc.Arbitrary<unknown>[]) =>
  fc.oneof(
    { arbitrary: passing, weight: 15 },
    { arbitrary: fc.oneof(...almost), weight: 4 },
    { arbitrary: junk, weight: 1 },
  )
const among = (...values: unknown[]) => fc.constantFrom(...values)

const published = fc.record(
  {
    kid: member(among('a', 'b', 'c', 'good'), among('__proto__', 'constructor', '')),
    kty: member(among('RSA'), among('EC', 'oct', 'OKP', 'rsa')),
    alg: member(among(undefined, 'RS256'), among('RS512', 'PS256', 'none')),
    use: member(among(undefined, 'sig'), among('enc', 'SIG')),
    key_ops: member(among(undefined, ['verify'], ['sign', 'verify']), among([], ['sign'])),
    n: member(among(good.n, otherModulus), bytes(0, 300), bytes(255, 257), base64url(400)),
    e: member(among('AQAB', 'Aw'), among('AQ', 'AA', 'Ag'), bytes(0, 10)),
  },
  { requiredKeys: ['kid', 'kty', 'n', 'e'] },
)
const withPrivate = fc.tuple(published, junk).map(([key, d]) => ({ ...key, d }))
const entry = fc.oneof(
  { arbitrary: published, weight: 12 },
  { arbitrary: withPrivate, weight: 1 },
  { arbitrary: junk, weight: 2 },
)
const documents = fc.oneof(
  { arbitrary: fc.record({ keys: fc.array(entry, { maxLength: 5 }) }), weight: 9 },
  { arbitrary: junk, weight: 1 },
)

function isStrong(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return modulusLength >= 2048 && publicExponent >= 3n && publicExponent % 2n === 1n
}

/** What may be said of any imported set. */
function isSound(set: KeySet | undefined): boolean {
  if (set === undefined) return true
  const keys = [...set.usable.values()]
  return (
    keys.length > 0 &&
    keys.every(({ key }) => key.asymmetricKeyType === 'rsa' && isStrong(key)) &&
    [...set.unusable].every((kid) => !set.usable.has(kid))
  )
}

const SIGNATURE = Buffer.alloc(256, 1)

/** Whether each key answers yes or no about a signature: an exception would be a 500. */
function isCallable(set: KeySet | undefined): boolean {
  const keys = [...(set?.usable.values() ?? [])]
  return keys.every(({ key }) => !verify('sha256', Buffer.from('a.b'), key, SIGNATURE))
}

const properties = {
  'any document is imported or refused, never half': fc.property(documents, (document) => {
    const set = importKeySet(document)
    return isSound(set) && isCallable(set)
  }),
  'a good key stays, whatever stands around it': fc.property(
    fc.array(entry, { maxLength: 4 }),
    fc.array(entry, { maxLength: 4 }),
    (before, after) => {
      const named = (it: unknown): boolean => (it as { kid?: unknown } | null)?.kid === 'good'
      const keys = [...before.filter((it) => !named(it)), good, ...after]
      return importKeySet({ keys })?.usable.get('good')?.n === good.n
    },
  ),
  'a set replaces the one before it, as if that had never been': fc.property(
    documents,
    documents,
    (first, second) => {
      const fresh = importKeySet(second)
      const next = importKeySet(second, importKeySet(first))
      const numbers = (set: KeySet | undefined) =>
        JSON.stringify([...(set?.usable ?? [])].map(([kid, { n, e }]) => [kid, n, e]))
      return numbers(next) === numbers(fresh) && isSound(next)
    },
  ),
}

for (const [rule, property] of Object.entries(properties)) {
  t.test(rule, async (t) => {
    const details = fc.check(property as fc.IProperty<unknown>, { seed, numRuns: RUNS })
    const { counterexample, errorInstance } = details
    t.comment(`FUZZ_SEED=${seed}`)
    const how = `${label(counterexample)} ${String(errorInstance)}`
    t.notOk(details.failed, details.failed ? how : `${RUNS} times`)
  })
}

t.test('the generated keys reach every outcome', async (t) => {
  const sets = fc.sample(documents, { seed, numRuns: RUNS }).map((it) => importKeySet(it))
  const share = (which: (set: KeySet | undefined) => boolean) => sets.filter(which).length / RUNS
  const found = {
    refused: share((set) => set === undefined),
    several: share((set) => set !== undefined && set.usable.size > 1),
    mixed: share((set) => set !== undefined && set.unusable.size > 0),
  }
  for (const [kind, of] of Object.entries(found)) t.ok(of > 0.03, `${kind}: ${of}`)
})
