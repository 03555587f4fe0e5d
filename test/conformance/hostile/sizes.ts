import { encode, keyPair, machineClaims } from '../../support/forge.ts'
import {
  type AcceptedCase,
  attacker,
  type Entry,
  GOOD,
  HEADER,
  type HostileCase,
  lines,
  passing,
  signedParts,
  tokens,
} from './hostile-case.ts'

const INVALID = 'ERR_TOKEN_INVALID'
const SIGNATURE = 'ERR_TOKEN_SIGNATURE'

/** A validly signed token of exactly that length. */
function tokenOf(length: number, key = keyPair().privateKey): string {
  const make = (h: number, p: number) =>
    signedParts(
      encode({ ...HEADER, x: 'x'.repeat(h) }),
      encode({ ...machineClaims(), x: 'x'.repeat(p) }),
      key,
    )
  const start = Math.floor(((length - make(0, 0).length) * 3) / 4)
  // Three bytes make four characters, so the two fillers together reach every length.
  for (let p = start - 3; p <= start + 1; p += 1) {
    for (let h = 0; h < 3; h += 1) {
      const token = make(h, p)
      if (token.length === length) return token
    }
  }
  throw new Error(`no token of ${length} characters`)
}

const LARGE = [16_384, 65_536, 262_144, 1_048_576]

export function sizeCases(): HostileCase[] {
  const theme = { clause: 'DESIGN strictness', field: 'length', code: INVALID } as const
  const garbage = (length: number): Entry => [`${length} characters`, 'A'.repeat(length)]
  const dotted = (length: number): Entry => [`${length} dots`, '.'.repeat(length)]
  const lengths = [1, 100, 8191, 8192, 8193, ...LARGE]
  const blanks = (count: number): Entry => [
    `${count} blanks in front`,
    `Bearer ${' '.repeat(count)}${GOOD}`,
  ]
  return [
    ...lines({ ...theme, code: 'ERR_REQUEST_INVALID' }, [['0 characters', 'Bearer ']]),
    ...tokens(theme, [...lengths.map(garbage), ...[100, 8192, 16_384].map(dotted)]),
    ...tokens(
      theme,
      [8193, 8194, 10_000, ...LARGE].map((it) => [`well signed, ${it} characters`, tokenOf(it)]),
    ),
    ...lines(theme, [8192, 10_000, 65_536].map(blanks)),
    ...tokens({ ...theme, door: 'large' }, [
      ...[...lengths, 1_048_577].map(garbage),
      ...LARGE.map(dotted),
      ['well signed, 1048577 characters', tokenOf(1_048_577)],
    ]),
    ...tokens(
      { ...theme, door: 'large', code: SIGNATURE, clause: 'RFC 7515 §5.2' },
      [8192, ...LARGE].map((it) => [
        `of another key, ${it} characters`,
        tokenOf(it, attacker().privateKey),
      ]),
    ),
  ]
}

export function acceptedSizes(): AcceptedCase[] {
  const sized = (length: number): Entry => [`${length} characters`, `Bearer ${tokenOf(length)}`]
  const theme = { clause: 'DESIGN strictness', field: 'length' }
  return [
    ...passing(theme, [8190, 8191, 8192].map(sized)),
    ...passing({ ...theme, door: 'large' }, [8193, ...LARGE].map(sized)),
  ]
}
