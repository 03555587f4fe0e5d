/** Tokens of the pool's own key whose scopes are no list, or do not hold the one required. */
import { encode, label, machineClaims } from '../../support/forge.ts'
import { claimTheme, having } from './claim-case.ts'
import {
  type Entry,
  entries,
  HEADER,
  type HostileCase,
  signedParts,
  tokens,
} from './hostile-case.ts'
import { lookAlikes } from './look-alikes.ts'

/** Characters RFC 6749 allows in a list of scopes, one space between two. */
const SCOPE_LIST = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/

export function scopeCases(): HostileCase[] {
  const blanks = ['\t', '  ', '\n', '\r\n', '\0', '\v', '\u00a0', '\u2003', '\u3000', '\u200b']
  const separators = [...blanks, '"', '\\']
  const joined = [',', ';', '+', '|', '%20', '&', ':', '.', '']
  const list = (by: string) => having({ scope: `orders/read${by}orders/write` })
  const near = lookAlikes('orders/read').filter(([how]) => how !== 'empty')
  const wellFormed = near.filter(([, scope]) => SCOPE_LIST.test(scope))
  const malformed = near.filter(([, scope]) => !SCOPE_LIST.test(scope))
  const others = ['', 'orders', '/read', 'orders/', 'read', 'orders/*', '*/*']
  const more = ['orders//read', 'orders/./read', 'orders/write', 'openid']
  const insufficient = { ...claimTheme('scope', 'ERR_SCOPE_INSUFFICIENT'), door: 'scoped' } as const
  return [
    ...tokens(claimTheme('scope', 'ERR_TOKEN_INVALID'), [
      ...separators.map((by): Entry => [`separated by ${label(by)}`, list(by)]),
      ...malformed.map(([how, scope]): Entry => [how, having({ scope })]),
      ...entries([' ', '\t', 'orders/r\u00e9ad', 'a  b  c', '\u007f'], (scope) =>
        having({ scope }),
      ),
    ]),
    ...tokens(insufficient, [
      ['missing', having({ scope: undefined })],
      ...joined.map((by): Entry => [`separated by ${label(by)}`, list(by)]),
      ...wellFormed.map(([how, scope]): Entry => [how, having({ scope })]),
      ...entries([...others, ...more], (scope) => having({ scope })),
      [
        'as another claim',
        having({ scope: undefined, scp: 'orders/read', scopes: ['orders/read'] }),
      ],
      [
        'in the header',
        signedParts(
          encode({ ...HEADER, scope: 'orders/read' }),
          encode(machineClaims({ scope: '' })),
        ),
      ],
      ['as groups', having({ scope: '', 'cognito:groups': ['orders/read'] })],
    ]),
  ]
}
