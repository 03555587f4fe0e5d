/** Raw JSON near what is decided on: what members are changed to, and are named. */
import fc from 'fast-check'
import { CLIENT, ISSUER, KID, NOW, UPDATED_ISSUER } from '../../support/forge.ts'
import { OTHER_CLIENT } from './forging.ts'
import { escaped } from './json-text.ts'
import { OTHER_KID } from './signing.ts'
import type { JsonPart } from './variant.ts'

export type Text = fc.Arbitrary<string>

/** JSON of an unexpected type. */
export const odd: Text = fc.constantFrom(
  ...['null', 'true', '0', '""', '"x"', '[]', '{}', '5', '"\\u0000"', '"\\ud800"'],
  ...[`["${CLIENT}"]`, `["${CLIENT}","x"]`, `"${CLIENT}"`, '{"a":1,"a":2}', '{"__proto__":{}}'],
)

/** Whatever JSON can say: claims Cognito or a trigger may add. */
export const anything: Text = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value))

/** Seconds from now, on both sides of every border. */
const BORDERS = [-5.5, -5, -4.5, 5, 5.5, 6, 299.5, 300, 300.5, 301]
const time: Text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...BORDERS).map((offset) => `${NOW + offset}`) },
  fc.constantFrom(-1e9, -3600, 0, 3600, 1e9).map((offset) => `${NOW + offset}`),
  fc.integer({ min: -400, max: 400 }).map((offset) => `${NOW + offset}`),
  fc.constantFrom(
    ...[`${NOW}.0`, `${NOW}e0`, `${NOW}000E-3`, '17e8', '1e999', '-1e999', '1e308', '-0', '1e-400'],
    ...[`"${NOW}"`, `${NOW + 3600}.5`, '99999999999999999999'],
  ),
)
const scope: Text = fc
  .array(
    fc.constantFrom(
      ...['orders/read', 'orders/write', 'a', '', ' ', '\t', '"', '\\', '!', '~', '\u007f', 'é'],
      ...['\u00a0', '\n', '\0', '\ud83d\ude00'],
    ),
    { maxLength: 4 },
  )
  .chain((words) => fc.constantFrom(words.join(' '), words.join('')))
  .map((text) => JSON.stringify(text))

const client = quoted(CLIENT, OTHER_CLIENT, 'stranger', CLIENT.toUpperCase(), `${CLIENT} `, '')
const fieldsOf: Readonly<Record<JsonPart, Readonly<Record<string, Text>>>> = {
  claims: {
    exp: time,
    iat: time,
    nbf: time,
    auth_time: time,
    scope,
    sub: client,
    client_id: client,
    aud: client,
    iss: quoted(
      ...[ISSUER, UPDATED_ISSUER, `${ISSUER}/`, `${ISSUER}X`, ISSUER.replace('https', 'http')],
    ),
    jti: quoted('a', ''),
    token_use: quoted('access', 'id', 'Access', ''),
    username: quoted('a', ''),
    version: odd,
    'cognito:groups': odd,
  },
  header: {
    alg: quoted('RS256', 'rs256', 'none', 'HS256', 'RS512', 'PS256', ''),
    kid: quoted(KID, OTHER_KID, '', 'unknown', KID.slice(1)),
    typ: quoted('JWT', 'at+jwt', 'jwt'),
    cty: quoted('JWT', 'JWE'),
    zip: quoted('DEF'),
    b64: fc.constantFrom('true', 'false'),
    crit: fc.constantFrom('["b64"]', '["exp"]', '[]', '["b64","b64"]', '["alg"]'),
    jku: quoted('https://evil.example/jwks.json'),
    x5u: quoted('https://evil.example/cert.pem'),
    x5c: fc.constant('["MIIB"]'),
  },
}

function quoted(...texts: readonly string[]): Text {
  return spelled(fc.constantFrom(...texts))
}

/** A member that is there or could be, and a value for it, mostly of the right kind. */
export interface Field {
  readonly part: JsonPart
  readonly name: string
  readonly json: string
}

const choices = (part: JsonPart) =>
  Object.entries(fieldsOf[part]).map(([name, json]) =>
    fc.record({
      part: fc.constant(part),
      name: fc.constant(name),
      json: fc.oneof({ weight: 4, arbitrary: json }, odd),
    }),
  )

export const field: fc.Arbitrary<Field> = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(...choices('claims')) },
  fc.oneof(...choices('header')),
)

/** Names every object answers to. */
export const prototypeName: Text = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'isPrototypeOf', 'toString'],
  ...['toLocaleString', 'valueOf', 'propertyIsEnumerable', '__defineGetter__', '__defineSetter__'],
  ...['__lookupGetter__', '__lookupSetter__'],
)

/** The text as JSON, sometimes with a \u escape. */
export function spelled(name: Text): Text {
  return fc
    .tuple(name, fc.option(fc.nat(20), { freq: 2 }))
    .map(([text, at]) => (at === null ? JSON.stringify(text) : escaped(text, at)))
}
