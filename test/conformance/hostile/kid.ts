/** Tokens of the pool's own key whose `kid` names none, or tries to be more than a name. */
import { createHmac } from 'node:crypto'
import { encode, KID, label, machineClaims } from '../../support/forge.ts'
import {
  attacker,
  type Entry,
  entries,
  GOOD_PAYLOAD,
  HEADER,
  type HostileCase,
  jsonWith,
  mistyped,
  signedParts,
  tokens,
  withHeader,
} from './hostile-case.ts'
import { lookAlikes } from './look-alikes.ts'

const bytes = Buffer.from(KID, 'base64')

/** Other spellings of the same bytes. */
const SPELLINGS = [
  ...[bytes.toString('base64url'), KID.replace(/=/g, ''), KID.slice(0, -1), `${KID}=`],
  ...[bytes.toString('hex'), bytes.toString('latin1'), encode(KID), KID.replace('+', ' ')],
  ...[KID.replace('/', '\\/'), KID.replace('Q==', 'R=='), encodeURIComponent(KID), `./${KID}`],
]

/** What a kid becomes where it reaches a file system, a database, a shell, a template or an object. */
const INJECTIONS = [
  ...['../../../../dev/null', '/dev/null', '..\\..\\nul', 'file:///dev/null', '/proc/self/environ'],
  ...['..%2f..%2fdev%2fnull', '....//....//etc/passwd', 'keys/../../jwks.json', '\0', 'key\0.pem'],
  ...[
    "' OR '1'='1",
    "x' UNION SELECT 'secret' --",
    '1; DROP TABLE keys',
    '%',
    '_',
    '.*',
    '*)(kid=*',
  ],
  ...['{"$ne":null}', '$where', '| id', '; id', '`id`', '$(id)', '%{jndi:ldap://127.0.0.1/x}'],
  ...['{{7*7}}', '<script>alert(1)</script>', 'a\r\nSet-Cookie: a=b', 'http://127.0.0.1:1/jwks'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length'],
  ...[
    'undefined',
    'null',
    'NaN',
    'true',
    'false',
    '0',
    '1',
    '-1',
    '[object Object]',
    ' ',
    '\ud83d',
  ],
]

export function kidCases(): HostileCase[] {
  const clause = 'RFC 7515 §4.1.4'
  const invalid = { clause, field: 'kid', code: 'ERR_TOKEN_INVALID' } as const
  const unknown = { clause, field: 'kid', code: 'ERR_KEY_UNKNOWN' } as const
  const naming = (kid: unknown) => withHeader({ ...HEADER, kid })
  const long = [100, 1000, 5000].map(
    (length): Entry => [`${length} long`, naming('k'.repeat(length))],
  )
  const devNull = `${encode({ alg: 'HS256', kid: '../../dev/null' })}.${GOOD_PAYLOAD}`
  return [
    ...tokens(invalid, [
      ['missing', withHeader({ alg: 'RS256' })],
      [
        'in the payload instead',
        signedParts(encode({ alg: 'RS256' }), encode(machineClaims({ kid: KID }))),
      ],
      ...['KID', 'Kid', 'kid ', ' kid', 'k\u0456d', 'kid\0', 'key_id'].map((name): Entry => {
        return [`as ${label(name)}`, withHeader({ alg: 'RS256', [name]: KID })]
      }),
      ...entries(mistyped(KID), naming),
      ...['-0', '1e5', '12345678901234567890'].map((text): Entry => {
        return [`number ${text}`, withHeader(jsonWith(HEADER, 'kid', text))]
      }),
      ['/dev/null, HS256 with an empty secret', `${devNull}.${hmacOf(devNull)}`],
    ]),
    ...tokens(unknown, [
      ...lookAlikes(KID).map(([how, kid]): Entry => [how, naming(kid)]),
      ...SPELLINGS.filter((kid) => !['', KID, KID.slice(0, -1)].includes(kid)).map((kid): Entry => {
        return [`spelt ${label(kid)}`, naming(kid)]
      }),
      ...entries(INJECTIONS, naming),
      ...long,
    ]),
    ...tokens({ ...unknown, field: 'kid of the attacker' }, [
      ['signed by its key', signedParts(encode({ ...HEADER, kid: 'evil' }), GOOD_PAYLOAD, key())],
    ]),
    ...tokens({ ...invalid, code: 'ERR_TOKEN_SIGNATURE', clause: 'RFC 7515 §5.2' }, [
      ["the pool's, signed by another key", signedParts(encode(HEADER), GOOD_PAYLOAD, key())],
    ]),
  ]
}

const key = () => attacker().privateKey

function hmacOf(input: string): string {
  return createHmac('sha256', '').update(input).digest('base64url')
}
