/** Header parameters other than `alg` and `kid`: those that must refuse, and those that bring keys. */
import { createHash } from 'node:crypto'
import { encode, jwk, KID, label, machineClaims } from '../../support/forge.ts'
import { certificateOf } from './certificate.ts'
import {
  type AcceptedCase,
  attacker,
  type Entry,
  entries,
  GOOD_PAYLOAD,
  HEADER,
  type HostileCase,
  headerText,
  passing,
  signedParts,
  tokens,
  withHeader,
} from './hostile-case.ts'

const CRITS: readonly unknown[] = [
  ...[[], ['b64'], ['exp'], ['kid'], ['alg'], ['crit'], ['unknown'], ['https://example.com/x']],
  ...[[''], [null], [0], [[]], [['exp']], [{}], ['exp', 'exp'], ['exp', 'b64', 'unknown'], ['EXP']],
  ...[null, true, false, 0, 1, -1, '', 'exp', 'b64', '[]', {}, { 0: 'exp' }, { exp: true }],
]

/** The parameters src passes over, by where they are defined; each value is one that is meant to work. */
function parameters(site: number): [clause: string, name: string, values: readonly unknown[]][] {
  const { kid: _kid, ...key } = jwk({}, attacker())
  const der = certificateOf(attacker())
  const x5t = (digest: string) => createHash(digest).update(der).digest('base64url')
  const urls = (path: string) =>
    [`http://127.0.0.1:${site}`, `https://127.0.0.1:${site}`, `http://localhost:${site}`]
      .flatMap((origin) => [
        `${origin}${path}`,
        `${origin}/a/..${path}?kid=${encodeURIComponent(KID)}`,
      ])
      .concat(
        `//127.0.0.1:${site}${path}`,
        `http://cognito-idp.eu-west-1.amazonaws.com@127.0.0.1:${site}${path}`,
      )
  const epk = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }
  return [
    ['RFC 7515 §4.1.2', 'jku', urls('/.well-known/jwks.json')],
    [
      'RFC 7515 §4.1.3',
      'jwk',
      [key, { ...key, kid: KID }, { kty: 'oct', k: 'AA' }, JSON.stringify(key)],
    ],
    ['RFC 7515 §4.1.5', 'x5u', urls('/key.pem')],
    ['RFC 7515 §4.1.6', 'x5c', [[der.toString('base64')], der.toString('base64'), ['AA']]],
    ['RFC 7515 §4.1.7', 'x5t', [x5t('sha1'), 'AA']],
    ['RFC 7515 §4.1.8', 'x5t#S256', [x5t('sha256'), 'AA']],
    ['RFC 7515 §4.1.9', 'typ', ['JWT', 'at+jwt', 'application/at+jwt', 'JOSE', 'JOSE+JSON', '']],
    ['RFC 7515 §4.1.10', 'cty', ['JWT', 'application/json', '']],
    ['RFC 7516 §4.1.2', 'enc', ['A128GCM', 'A256GCM', 'A128CBC-HS256']],
    ['RFC 7516 §4.1.3', 'zip', ['DEF', 'GZ']],
    ['RFC 7518 §4.6.1.1', 'epk', [epk, key]],
    ['RFC 7518 §4.6.1.2', 'apu', ['QWxpY2U']],
    ['RFC 7518 §4.6.1.3', 'apv', ['Qm9i']],
    ['RFC 7518 §4.7.1.1', 'iv', ['AAAAAAAAAAAAAAAA']],
    ['RFC 7518 §4.7.1.2', 'tag', ['AAAAAAAAAAAAAAAAAAAAAA']],
    ['RFC 7518 §4.8.1.1', 'p2s', ['AAAAAAAAAAA']],
    ['RFC 7518 §4.8.1.2', 'p2c', [2_147_483_647, 1e308]],
    ['RFC 7797 §3', 'b64', [false, true]],
  ]
}

/** Of the wrong type for every parameter above. */
const JUNK: readonly unknown[] = [null, 5, [5], { a: 1 }, [[]]]

/** Signed by the attacker, who wants the parameter to be believed. */
function believed(site: number): HostileCase[] {
  const { privateKey } = attacker()
  const door = 'fetched'
  return parameters(site).flatMap(([clause, name, values]) => {
    const forged = (header: object) => signedParts(encode(header), GOOD_PAYLOAD, privateKey)
    const { alg } = HEADER
    const misplaced = encode(machineClaims({ [name]: values[0] }))
    return [
      ...tokens({ clause, field: name, code: 'ERR_TOKEN_SIGNATURE', door }, [
        ...entries([...values, ...JUNK], (value) => forged({ ...HEADER, [name]: value })),
        ['in the payload', signedParts(encode(HEADER), misplaced, privateKey)],
        ['in front of alg', forged({ [name]: values[0], ...HEADER })],
      ]),
      ...tokens({ clause, field: name, code: 'ERR_KEY_UNKNOWN', door }, [
        [`${label(values[0])} and its own kid`, forged({ alg, kid: 'evil', [name]: values[0] })],
      ]),
      ...tokens({ clause, field: name, code: 'ERR_TOKEN_INVALID', door }, [
        [`${label(values[0])} and no kid`, forged({ alg, [name]: values[0] })],
        [
          `${label(values[0])}, declared critical`,
          forged({ ...HEADER, [name]: values[0], crit: [name] }),
        ],
      ]),
    ]
  })
}

/** Every pointer at once, so that a verifier that prefers one of them is caught too. */
function allAtOnce(site: number): HostileCase[] {
  const all = Object.fromEntries(parameters(site).map(([, name, [value]]) => [name, value]))
  const theme = { clause: 'RFC 8725 §3.10', field: 'all', door: 'fetched' } as const
  const forged = (header: object) =>
    signedParts(encode(header), GOOD_PAYLOAD, attacker().privateKey)
  return [
    ...tokens({ ...theme, code: 'ERR_TOKEN_SIGNATURE' }, [
      ['every parameter that names a key', forged({ ...HEADER, ...all })],
    ]),
    ...tokens({ ...theme, code: 'ERR_KEY_UNKNOWN' }, [
      ['the same and a kid of its own', forged({ ...HEADER, ...all, kid: 'evil' })],
    ]),
  ]
}

export function headerCases(site: number): HostileCase[] {
  const crit = { clause: 'RFC 7515 §4.1.11', field: 'crit', code: 'ERR_TOKEN_INVALID' } as const
  return [
    ...tokens(crit, [
      ...entries(CRITS, (value) => withHeader({ ...HEADER, crit: value })),
      ['names what is there', withHeader({ ...HEADER, crit: ['x'], x: 1 })],
      ['escaped spelling', withHeader(headerText.replace('{', '{"cr\\u0069t":["x"],'))],
      ['in front of alg', withHeader({ crit: ['exp'], ...HEADER })],
    ]),
    ...tokens({ ...crit, clause: 'RFC 7797 §6', field: 'b64' }, [
      ['false, critical', withHeader({ ...HEADER, crit: ['b64'], b64: false })],
      ['true, critical', withHeader({ ...HEADER, crit: ['b64'], b64: true })],
      [
        'false, payload as it stands',
        signedParts(encode({ ...HEADER, b64: false, crit: ['b64'] }), '{}'),
      ],
    ]),
    ...believed(site),
    ...allAtOnce(site),
  ]
}

/** Unknown members of a token that is otherwise good are passed over, as RFC 7515 section 4 says. */
export function acceptedHeaders(site: number): AcceptedCase[] {
  const bearer = (header: unknown) => `Bearer ${withHeader(header)}`
  return [
    ...parameters(site).flatMap(([clause, name, values]) =>
      passing({ clause, field: name, door: 'fetched' }, [
        ...[...values, ...JUNK].map((value): Entry => {
          return [label(value), bearer({ ...HEADER, [name]: value })]
        }),
      ]),
    ),
    ...passing({ clause: 'RFC 7515 §4.1.11', field: 'crit' }, [
      ...['Crit', 'CRIT', 'crit ', 'cr\u0456t', 'critical'].map((name): Entry => {
        return [`as ${label(name)}`, bearer({ ...HEADER, [name]: ['x'] })]
      }),
      [
        'as a claim',
        `Bearer ${signedParts(encode(HEADER), encode(machineClaims({ crit: ['x'] })))}`,
      ],
    ]),
  ]
}
