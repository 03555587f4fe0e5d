/** Tokens of the pool's own key whose claims are not a machine's for this API. */
import {
  CLIENT,
  encode,
  ISSUER,
  label,
  machineClaims,
  NOW,
  POOL,
  UPDATED_ISSUER,
  userClaims,
} from '../../support/forge.ts'
import { alike, alikeNonEmpty, claimTheme, having } from './claim-case.ts'
import {
  type AcceptedCase,
  type Entry,
  entries,
  HEADER,
  type HostileCase,
  mistyped,
  passing,
  signedParts,
  tokens,
  withPayload,
} from './hostile-case.ts'

/** A claim that has to be there, left out, misnamed or of another type. */
function required(): HostileCase[] {
  const claims = machineClaims()
  return ['iss', 'sub', 'client_id', 'token_use', 'exp', 'iat', 'jti'].flatMap((field) => {
    const value = claims[field]
    const { [field]: _left, ...others } = claims
    const number = typeof value === 'number'
    const types = mistyped(value).filter((it) => !number || typeof it !== 'number')
    const inHeader = { ...HEADER, [field]: value }
    const asName = (name: string): Entry => [
      `as ${label(name)}`,
      withPayload({ ...others, [name]: value }),
    ]
    return tokens(claimTheme(field, 'ERR_TOKEN_INVALID'), [
      ['missing', withPayload(others)],
      ['in the header instead', signedParts(encode(inHeader), encode(others))],
      ...[field.toUpperCase(), ` ${field}`, `${field} `, `${field}\0`, `\u200b${field}`].map(
        asName,
      ),
      ...entries(types, (it) => having({ [field]: it })),
      ...(number
        ? entries([String(value), `${value}n`, '', 'never'], (it) => having({ [field]: it }))
        : []),
    ])
  })
}

/** RFC 7519 lets `aud` be one. */
const isListOfStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((it) => typeof it === 'string')

/** A claim that may be missing, but not be of another type. */
function optional(): HostileCase[] {
  const types: [string, readonly unknown[]][] = [
    ['scope', mistyped('orders/read')],
    ['nbf', [...mistyped(NOW).filter((it) => typeof it !== 'number'), String(NOW), '', 'now']],
    ['aud', mistyped(CLIENT).filter((it) => !isListOfStrings(it))],
  ]
  const audiences = ['', 'other', ISSUER, POOL, 'https://api.example', [CLIENT, 'other'], ['*'], []]
  return [
    ...types.flatMap(([field, values]) =>
      tokens(
        claimTheme(field, 'ERR_TOKEN_INVALID'),
        entries(values, (it) => having({ [field]: it })),
      ),
    ),
    ...tokens(claimTheme('aud', 'ERR_TOKEN_AUDIENCE'), [
      ...entries(audiences, (aud) => having({ aud })),
      ...alikeNonEmpty(CLIENT, (aud) => having({ aud })),
    ]),
    ...tokens(claimTheme('username', 'ERR_TOKEN_USE'), [
      ...entries(['a-user', '', ...mistyped(CLIENT), CLIENT], (username) => having({ username })),
    ]),
  ]
}

function identities(): HostileCase[] {
  const issuers = [
    ISSUER.replace('https', 'http'),
    ISSUER.replace('https', 'HTTPS'),
    ISSUER.replace('.com', '.com:443'),
    ISSUER.replace('.com', '.com.'),
    ISSUER.replace('.com', '.com.cn'),
    ISSUER.replace('.com/', '.com//'),
    ISSUER.replace('https://', 'https://evil.example/?'),
    ISSUER.replace('https://', 'https://evil.example#'),
    ISSUER.replace('https://', 'https://evil.example@'),
    ISSUER.replace('amazonaws.com', 'amazonaws.com@evil.example'),
    ISSUER.replace('eu-west-1.', 'eu-west-2.'),
    ISSUER.replace('/eu-', '/x/../eu-'),
    ISSUER.replace('_A', '_a'),
    ...[ISSUER.replace(POOL, ''), `${ISSUER}?`, `${ISSUER}/.well-known/jwks.json`, POOL, 'joe'],
    ...[UPDATED_ISSUER.replace('issuer-', 'issuer.'), `${ISSUER} ${ISSUER}`, `${ISSUER},${ISSUER}`],
    ...['__proto__', 'constructor', 'https://accounts.google.com', 'null', 'undefined'],
  ]
  const kinds = [
    'id',
    'refresh',
    'id_token',
    'access_token',
    'Bearer',
    'at+jwt',
    'access id',
    'user',
  ]
  const clients = ['other', '__proto__', 'constructor', 'null', 'undefined', '0', 'admin', POOL]
  const both = (client_id: string) => having({ client_id, sub: client_id })
  return [
    ...tokens(claimTheme('iss', 'ERR_TOKEN_ISSUER'), [
      ...alike(ISSUER, (iss) => having({ iss })),
      ...entries(issuers, (iss) => having({ iss })),
    ]),
    ...tokens(claimTheme('token_use', 'ERR_TOKEN_USE'), [
      ...alike('access', (token_use) => having({ token_use })),
      ...entries(kinds, (token_use) => having({ token_use })),
      ['an ID token', withPayload(userClaims({ token_use: 'id', aud: CLIENT }))],
    ]),
    ...tokens(claimTheme('sub', 'ERR_TOKEN_USE'), [
      ...alikeNonEmpty(CLIENT, (sub) => having({ sub })),
      ...entries([...clients, ISSUER], (sub) => having({ sub })),
      ["a user's access token", withPayload(userClaims())],
    ]),
    ...tokens(claimTheme('client_id', 'ERR_TOKEN_USE'), [
      ...alikeNonEmpty(CLIENT, (client_id) => having({ client_id })),
    ]),
    ...tokens(
      { ...claimTheme('client_id', 'ERR_CLIENT_NOT_ALLOWED'), clause: 'DESIGN strictness' },
      [...alikeNonEmpty(CLIENT, both), ...entries(clients, both)],
    ),
    ...['sub', 'client_id', 'jti'].flatMap((field) =>
      tokens(claimTheme(field, 'ERR_TOKEN_INVALID'), [['empty', having({ [field]: '' })]]),
    ),
  ]
}

export function claimCases(): HostileCase[] {
  return [...required(), ...optional(), ...identities()]
}

export function acceptedClaims(): AcceptedCase[] {
  const pass = (field: string, values: readonly unknown[]) =>
    passing(claimTheme(field, 'ERR_TOKEN_INVALID'), [
      ...values.map((value): Entry => [label(value), `Bearer ${having({ [field]: value })}`]),
    ])
  return [
    ...pass('exp', [NOW - 4, NOW - 4.999, NOW * 1000, Number.MAX_SAFE_INTEGER, 1e308]),
    ...pass('iat', [0, -1, NOW + 300, -1e308]),
    ...pass('nbf', [undefined, 0, -1, NOW + 5]),
    ...pass('aud', [CLIENT, [CLIENT], [CLIENT, CLIENT]]),
    ...pass('scope', [undefined, '', 'a', 'orders/read,orders/write', '!#[]^~']),
    ...pass('jti', ['0', ' ', '\u0436']),
    ...pass('name', [null, 5, {}, [], 'x']),
  ]
}
