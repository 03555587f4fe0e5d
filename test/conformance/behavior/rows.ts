/** Every row of the table of decisions: what was sent, and the answer to the letter. */
import type { AccessRequirement, AuthErrorCode } from '../../../src/index.ts'
import { anyOf } from '../../../src/index.ts'
import {
  type Changes,
  CLIENT,
  jwk,
  keyPair,
  machineToken,
  NOW,
  POOL,
  signed,
  userClaims,
} from '../../support/forge.ts'

/** What a row changes of an API that any client of the pool may call with any valid token. */
export interface Row {
  readonly name: string
  readonly authorization: string | readonly string[] | undefined
  readonly requirement?: AccessRequirement
  readonly options?: Changes
  /** Undefined: the handler is reached. */
  readonly code?: AuthErrorCode
  /** Reached without a token. */
  readonly anonymous?: true
  readonly challenge?: string
}

const bearer = (claims: Changes = {}, header: Changes = {}) =>
  `Bearer ${machineToken(claims, header)}`
const good = bearer()
const idToken = `Bearer ${machineToken({ token_use: 'id', client_id: undefined, aud: CLIENT })}`
const userToken = `Bearer ${signed({ kid: 'sYt/5pKc+0aVhQ==', alg: 'RS256' }, userClaims())}`
const API = 'https://api.example/orders'
const boundToken = `Bearer ${signed({ kid: 'sYt/5pKc+0aVhQ==', alg: 'RS256' }, userClaims({ aud: [API] }))}`
const unsigned = `Bearer ${signed({ alg: 'none' }, {}).replace(/[^.]+$/, '')}`
const forged = `Bearer ${machineToken({}, {}, keyPair('other'))}`

const missing = 'Bearer realm="api"'
const error = (code: string, description: string) =>
  `Bearer realm="api", error="${code}", error_description="${description}"`
const invalid = (description: string) => error('invalid_token', description)
const request = error(
  'invalid_request',
  'The request must carry exactly one Authorization header with one bearer token',
)
const malformed = invalid('The access token is malformed')
const use = invalid('The token is not an access token of the kind required here')
const scope = (scopes: string) =>
  `${error('insufficient_scope', 'The access token lacks a scope required here')}, scope="${scopes}"`
const later = { name: 'not active', code: 'ERR_TOKEN_NOT_ACTIVE' } as const
const inactive = invalid('The access token is not active yet')
const never = () => Promise.reject(new Error('secret'))

const OTHER_POOL = 'us-east-1_OtherPool'
/** Instead of the one pool: the same, and another one. */
const SEVERAL: Changes = {
  userPoolId: undefined,
  clientId: undefined,
  jwks: undefined,
  userPools: [POOL, OTHER_POOL].map((userPoolId) => {
    return { userPoolId, clientId: null, jwks: { keys: [jwk()] } }
  }),
}

const refused: readonly Row[] = [
  ...[
    ['no header', undefined],
    ['another scheme', 'Basic YTpi'],
    ['an empty header', ''],
    ['a scheme that begins alike', `Bearerx ${good.slice(7)}`],
  ].map(
    ([name, authorization]) =>
      ({ name, authorization, code: 'ERR_TOKEN_MISSING', challenge: missing }) as Row,
  ),
  ...[
    ['two credentials', [good, good]],
    ['a good and another one', [good, 'Basic YTpi']],
    ['a scheme without a token', 'Bearer'],
    ['a scheme with more than a token', `${good} x`],
    ['two in one line', `${good}, ${good}`],
  ].map(
    ([name, authorization]) =>
      ({ name, authorization, code: 'ERR_REQUEST_INVALID', challenge: request }) as Row,
  ),
  ...[
    ['too long', `Bearer ${'a'.repeat(8193)}`],
    ['no JWS', 'Bearer abc'],
    ['unsigned', unsigned],
    ['a header that is not allowed', bearer({}, { crit: ['exp'] })],
    ['a claim of the wrong type', bearer({ exp: String(NOW + 60) })],
    ['no exp', bearer({ exp: undefined })],
  ].map(
    ([name, authorization]) =>
      ({ name, authorization, code: 'ERR_TOKEN_INVALID', challenge: malformed }) as Row,
  ),
  {
    name: 'another pool',
    authorization: bearer({
      iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0000',
    }),
    code: 'ERR_TOKEN_ISSUER',
    challenge: invalid('The access token was issued by another user pool'),
  },
  { name: 'an ID token', authorization: idToken, code: 'ERR_TOKEN_USE', challenge: use },
  { name: 'a user', authorization: userToken, code: 'ERR_TOKEN_USE', challenge: use },
  ...(
    [
      ["a machine's for another audience", bearer({ aud: API }), {}],
      ["a user's for another audience", boundToken, { subjects: 'any', audience: `${API}/` }],
      ["a user's without an audience", userToken, { subjects: 'any', audience: API }],
      ["a user's bound where no audience is set", boundToken, { subjects: 'any' }],
    ] as const
  ).map(
    ([name, authorization, options]): Row => ({
      name,
      authorization,
      options,
      code: 'ERR_TOKEN_AUDIENCE',
      challenge: invalid('The access token was issued for another audience'),
    }),
  ),
  {
    name: 'expired',
    authorization: bearer({ exp: NOW - 5 }),
    code: 'ERR_TOKEN_EXPIRED',
    challenge: invalid('The access token expired'),
  },
  { ...later, authorization: bearer({ nbf: NOW + 6 }), challenge: inactive },
  {
    ...later,
    name: 'issued ahead',
    authorization: bearer({ iat: NOW + 301 }),
    challenge: inactive,
  },
  {
    name: 'an unknown key',
    authorization: bearer({}, { kid: 'other' }),
    code: 'ERR_KEY_UNKNOWN',
    challenge: invalid('The access token is signed with an unknown key'),
  },
  {
    name: 'a bad signature',
    authorization: forged,
    code: 'ERR_TOKEN_SIGNATURE',
    challenge: invalid('The access token has an invalid signature'),
  },
  ...[
    ['not on the list', ['other']],
    ['refused by the lookup', () => false],
    ['a truthy lookup', () => 'yes'],
  ].map(
    ([name, clientId]) =>
      ({
        name,
        authorization: good,
        options: { clientId },
        code: 'ERR_CLIENT_NOT_ALLOWED',
        challenge: missing,
      }) as Row,
  ),
  ...(
    [
      ['without the scope', 'orders/admin', 'orders/admin'],
      ['without one of all', ['orders/read', 'orders/admin'], 'orders/read orders/admin'],
      ['without any', anyOf('orders/admin', 'reports/run'), 'orders/admin reports/run'],
    ] as const
  ).map(
    ([name, scopes, asked]): Row => ({
      name,
      authorization: good,
      requirement: { scopes },
      code: 'ERR_SCOPE_INSUFFICIENT',
      challenge: scope(asked),
    }),
  ),
  ...(
    [
      ["not the route's client", { clientId: ['other'] }, {}],
      ['refused by the route check', { check: () => false }, {}],
      ['a truthy route check', { check: () => 1 as never }, {}],
      ["not the route's user pool", { userPoolId: OTHER_POOL }, { ...SEVERAL }],
      ['refused by the server check', {}, { check: async () => false }],
    ] as const
  ).map(
    ([name, requirement, options]): Row => ({
      name,
      authorization: good,
      requirement,
      options,
      code: 'ERR_ACCESS_DENIED',
      challenge: missing,
    }),
  ),
  {
    name: 'keys that cannot be had',
    authorization: good,
    options: { jwks: undefined, fetch: never },
    code: 'ERR_KEYS_UNAVAILABLE',
  },
  ...(
    [
      ['a lookup that rejects', {}, { clientId: never }],
      ['a server check that rejects', {}, { check: never }],
      ['a route check that rejects', { check: never }, {}],
    ] as const
  ).map(
    ([name, requirement, options]): Row => ({
      name,
      authorization: good,
      requirement,
      options,
      code: 'ERR_CHECK_UNAVAILABLE',
    }),
  ),
]

const admitted: readonly Row[] = [
  ...(
    [
      ['nothing asked', {}],
      ['one scope', { scopes: 'orders/read' }],
      ['all scopes', { scopes: ['orders/read', 'orders/write'] }],
      ['any scope', { scopes: anyOf('reports/run', 'orders/write') }],
      ["the route's client", { clientId: CLIENT }],
      ["the route's user pool", { userPoolId: [POOL] }],
      ['a check that says true', { check: async () => true }],
      ['optional, with a token', { optional: true }],
      ['all of them', { scopes: 'orders/read', clientId: [CLIENT], check: () => true }],
    ] as const
  ).map(([name, requirement]): Row => ({ name, authorization: good, requirement })),
  { name: 'no requirement', authorization: good },
  { name: 'within the tolerance', authorization: bearer({ exp: NOW - 4, nbf: NOW + 5 }) },
  { name: 'another case of the scheme', authorization: good.replace('Bearer', 'bEARER') },
  { name: 'unknown claims', authorization: bearer({ tenant: { deep: [1] }, aud: CLIENT }) },
  {
    name: "a user's for this audience",
    authorization: boundToken,
    options: { subjects: 'any', audience: ['urn:other', API] },
  },
  { name: 'users let in', authorization: userToken, options: { subjects: 'any' } },
  {
    name: 'optional, without a token',
    authorization: undefined,
    requirement: { optional: true, scopes: 'orders/admin', check: () => false },
    anonymous: true,
  },
]

const optional: readonly Row[] = refused
  .filter(({ code, requirement }) => code !== 'ERR_TOKEN_MISSING' && requirement === undefined)
  .map((row) => ({ ...row, name: `optional: ${row.name}`, requirement: { optional: true } }))

export const rows: readonly Row[] = [...refused, ...optional, ...admitted]
