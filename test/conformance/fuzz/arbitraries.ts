/**
 * Variants of a good token: structure-aware, and mostly signed again, since random bytes would all
 * end at the signature.
 */
import fc from 'fast-check'
import { anything, field, odd, prototypeName, spelled } from './values.ts'
import type { Edit, EncodingEdit, JsonEdit, JsonPart, Part, TokenEdit, Variant } from './variant.ts'

const jsonPart = fc.constantFrom<JsonPart>('claims', 'header')
const part = fc.constantFrom<Part>('header', 'claims', 'signature')
const is = <const Kind extends string>(kind: Kind) => fc.constant(kind)

const members: fc.Arbitrary<JsonEdit> = fc.oneof(
  weighed(
    24,
    field.map<JsonEdit>((it) => ({ edit: 'set', ...it })),
  ),
  weighed(
    5,
    field.map<JsonEdit>(({ part, name }) => ({ edit: 'drop', part, name })),
  ),
  weighed(
    3,
    fc
      .tuple(field, fc.nat(20))
      .map<JsonEdit>(([{ part, name }, at]) => ({ edit: 'escape', part, name, at })),
  ),
  weighed(1, fc.record({ edit: is('own key') })),
)

const name = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))
const added = (spelled: fc.Arbitrary<string>, json: fc.Arbitrary<string>) =>
  fc.record({ edit: is('add'), part: jsonPart, spelled, json, front: fc.boolean() })
const additions: fc.Arbitrary<JsonEdit> = fc.oneof(
  // A second member of the same name, before or after: duplicates with equal, different or escaped text.
  weighed(
    5,
    field.chain(({ part, name, json }) =>
      added(spelled(fc.constant(name)), fc.constant(json)).map((it) => ({ ...it, part })),
    ),
  ),
  weighed(2, added(spelled(prototypeName), odd)),
  weighed(7, added(spelled(name), anything)),
)

const texts: fc.Arbitrary<JsonEdit> = fc.oneof(
  fc.record({
    edit: is('nest'),
    part: jsonPart,
    of: fc.constantFrom('arrays', 'objects'),
    depth: fc.oneof(fc.integer({ min: 28, max: 34 }), fc.nat(60), fc.constant(500)),
  }),
  fc.record({
    edit: is('fill'),
    part: jsonPart,
    of: fc.constantFrom('arrays', 'members'),
    // About the maximum number of members, in addition to the dozen that a token has.
    count: fc.oneof(fc.integer({ min: 240, max: 260 }), fc.nat(300)),
  }),
  fc.record({
    edit: is('grow'),
    part: jsonPart,
    // In the middle, around the longest token that is read.
    by: fc.oneof(fc.nat(3), fc.integer({ min: 5510, max: 5518 }), fc.constantFrom(1000, 9000)),
  }),
  fc.record({
    edit: is('blank'),
    part: jsonPart,
    text: fc.constantFrom(' ', '\n', '\t\r\n ', '\u00a0', '\f'),
  }),
  fc.record({
    edit: is('wrap'),
    part: jsonPart,
    before: fc.constantFrom('', ' ', '\n', '\ufeff', '[', '//', '\u2028', '\0'),
    after: fc.constantFrom('', ' ', '\n', '\ufeff', ']', ',', '}', '\0', '{}'),
  }),
  fc.record({
    edit: is('byte'),
    part: jsonPart,
    at: fc.nat(400),
    byte: fc.constantFrom(0, 0x0a, 0x20, 0x22, 0x30, 0x5c, 0x61, 0x7b, 0x7f, 0x80, 0xc0, 0xff),
  }),
)

const strange = fc.constantFrom('A', 'w', '_', '=', '.', ' ', '\n', '\0', '+', '/', 'é', ',', '%')
const at = fc.oneof(fc.nat(400), fc.constantFrom(0, 1, 340, 341, 342))
const encodings: fc.Arbitrary<EncodingEdit> = fc.oneof(
  weighed(3, fc.record({ edit: is('pad duly'), part })),
  weighed(1, fc.record({ edit: is('pad'), part, text: fc.constantFrom('=', '==', '===', '%3D') })),
  weighed(4, fc.record({ edit: is('spare bits'), part, bits: fc.integer({ min: 1, max: 15 }) })),
  weighed(1, fc.record({ edit: is('standard alphabet'), part })),
  weighed(1, fc.record({ edit: is('insert'), part, at, text: strange })),
  weighed(1, fc.record({ edit: is('overwrite'), part, at, text: strange })),
  weighed(1, fc.record({ edit: is('cut'), part, at })),
)

const around = fc.constantFrom('', ' ', '.', '.A', '\n', ',a', '\ufeff')
const wholes: fc.Arbitrary<TokenEdit> = fc.oneof(
  fc.record({ edit: is('swap'), one: part, other: part }),
  fc.record({ edit: is('surround'), before: around, after: around }),
  fc.record({ edit: is('truncate'), at: fc.nat(900) }),
)

const edit: fc.Arbitrary<Edit> = fc.oneof(
  weighed(12, members),
  weighed(6, additions),
  weighed(4, texts),
  weighed(6, encodings),
  weighed(1, wholes),
)

/** jose reads `crit` only where the member it names is there. */
const critical: fc.Arbitrary<Edit[]> = fc.constantFrom('true', 'false').map((b64) => [
  { edit: 'set', part: 'header', name: 'crit', json: '["b64"]' },
  { edit: 'set', part: 'header', name: 'b64', json: b64 },
])

export const variants: fc.Arbitrary<Variant> = fc.record({
  base: fc.oneof(
    weighed(12, is('machine')),
    weighed(4, is('other machine')),
    weighed(1, fc.constantFrom('unlisted machine', 'user', 'id token')),
  ),
  edits: fc.oneof(weighed(50, fc.array(edit, { maxLength: 3 })), weighed(1, critical)),
  signature: fc.oneof(
    weighed(12, is('right')),
    weighed(2, is('left')),
    weighed(
      1,
      fc.constantFrom(
        ...(['other published key', 'stranger', 'RS512', 'PS256'] as const),
        ...(['HS256 with the public key', 'empty'] as const),
      ),
    ),
  ),
})

function weighed<T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> {
  return { weight, arbitrary }
}
