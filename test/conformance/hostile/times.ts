/** Tokens of the pool's own key that are over, not begun, or of no time at all. */
import { machineClaims, NOW } from '../../support/forge.ts'
import { claimTheme, having, once } from './claim-case.ts'
import {
  type Entry,
  entries,
  type HostileCase,
  jsonWith,
  tokens,
  withPayload,
} from './hostile-case.ts'

export function timeCases(): HostileCase[] {
  const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number
  const text = (claim: string, value: string): Entry => {
    return [value, withPayload(jsonWith(machineClaims(), claim, value))]
  }
  const past = [0, -1, 1, 0.5, NOW - 5, NOW - 5.5, NOW - 6, NOW - 3600, NOW / 1000, least, -1e308]
  const ahead = (tolerance: number) => [tolerance, 3600, 86_400].map((seconds) => NOW + seconds)
  const never = [NOW * 1000, most, 1e308, Number.MAX_VALUE, 2 ** 31 + NOW]
  return [
    ...tokens(claimTheme('exp', 'ERR_TOKEN_EXPIRED'), [
      ...entries(past, (exp) => having({ exp })),
      ...['-0', '-0.0', '1e-400', '0e999', '17e7', '1699999995.0'].map((it) => text('exp', it)),
    ]),
    ...['exp', 'iat', 'nbf'].flatMap((claim) =>
      tokens(
        claimTheme(claim, 'ERR_TOKEN_INVALID'),
        ['1e999', '-1e999', `${'9'.repeat(400)}`, '"Infinity"', '"NaN"'].map((it) =>
          text(claim, it),
        ),
      ),
    ),
    ...tokens(claimTheme('iat', 'ERR_TOKEN_NOT_ACTIVE'), [
      ...entries([...ahead(301), ...ahead(300.5), ...never].filter(once), (iat) => having({ iat })),
    ]),
    ...tokens(claimTheme('nbf', 'ERR_TOKEN_NOT_ACTIVE'), [
      ...entries([...ahead(6), ...ahead(5.5), ...never].filter(once), (nbf) => having({ nbf })),
    ]),
  ]
}
