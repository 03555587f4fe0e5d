/** Everything that can be wrong with a request, in the order the contract checks it. */
import type { AccessRequirement, AuthErrorCode, CognitoAuthOptions } from '../../../src/index.ts'
import { type Changes, CLIENT, jwk, keyPair, machineToken, NOW, POOL } from '../../support/forge.ts'

/** One thing that is wrong with a request, in the order the contract checks them. */
export interface Fault {
  readonly name: string
  readonly code: AuthErrorCode
  readonly claims?: Changes
  readonly header?: Changes
  readonly options?: Changes
  readonly requirement?: Changes
  /** What becomes of the header value at the end. */
  readonly send?: (authorization: string) => string | string[]
}

/** The hooks that were called, in order. */
export const called: string[] = []
const says = (name: string, answer: unknown) => () => {
  called.push(name)
  if (answer instanceof Error) throw answer
  return answer
}
const MAX = 1100

export const faults: readonly Fault[] = [
  { name: 'two credentials', code: 'ERR_REQUEST_INVALID', send: (it) => [it, it] },
  { name: 'too long', code: 'ERR_TOKEN_INVALID', claims: { filler: 'x'.repeat(MAX) } },
  { name: 'more than a token', code: 'ERR_REQUEST_INVALID', send: (it) => `${it} x` },
  { name: 'crit', code: 'ERR_TOKEN_INVALID', header: { crit: ['exp'] } },
  { name: 'another issuer', code: 'ERR_TOKEN_ISSUER', claims: { iss: 'https://id.example' } },
  { name: 'an ID token', code: 'ERR_TOKEN_USE', claims: { token_use: 'id' } },
  { name: 'a scope of the wrong type', code: 'ERR_TOKEN_INVALID', claims: { scope: ['a/x'] } },
  { name: 'a user', code: 'ERR_TOKEN_USE', claims: { username: 'a-user' } },
  { name: 'for another audience', code: 'ERR_TOKEN_AUDIENCE', claims: { aud: 'https://other' } },
  { name: 'expired', code: 'ERR_TOKEN_EXPIRED', claims: { exp: NOW - 60 } },
  { name: 'not active', code: 'ERR_TOKEN_NOT_ACTIVE', claims: { nbf: NOW + 60 } },
  { name: 'not on the list', code: 'ERR_CLIENT_NOT_ALLOWED', options: { clientId: 'other' } },
  { name: 'an unknown kid', code: 'ERR_KEY_UNKNOWN', header: { kid: 'other' } },
  { name: 'a bad signature', code: 'ERR_TOKEN_SIGNATURE' },
  {
    name: 'refused by the lookup',
    code: 'ERR_CLIENT_NOT_ALLOWED',
    options: { clientId: says('lookup', false) },
  },
  {
    name: 'without the scope',
    code: 'ERR_SCOPE_INSUFFICIENT',
    requirement: { scopes: 'orders/admin' },
  },
  {
    name: "not the route's client",
    code: 'ERR_ACCESS_DENIED',
    requirement: { clientId: 'other' },
  },
  {
    name: 'without a decision of the server check',
    code: 'ERR_CHECK_UNAVAILABLE',
    options: { check: says('server check', new Error('down')) },
  },
  {
    name: 'refused by the route check',
    code: 'ERR_ACCESS_DENIED',
    requirement: { check: says('route check', false) },
  },
]
/** Up to here no hook is called. */
export const SIGNATURE = faults.findIndex(({ name }) => name === 'a bad signature')

/** One API and one request, with these faults. All hooks allow otherwise. */
export interface Faulty {
  readonly options: CognitoAuthOptions
  readonly requirement: AccessRequirement
  readonly authorization: string | readonly string[]
}

export function withFaults(...present: readonly Fault[]): Faulty {
  const merged = (part: 'claims' | 'header' | 'options' | 'requirement'): Changes =>
    Object.assign({}, ...present.map((fault) => fault[part]))
  const pair = keyPair(present.some(({ name }) => name === 'a bad signature') ? 'other' : 'access')
  const options = {
    userPoolId: POOL,
    clientId: says('lookup', true),
    check: says('server check', true),
    jwks: { keys: [jwk()] },
    now: () => NOW * 1000,
    maxTokenLength: MAX,
    ...merged('options'),
  } as CognitoAuthOptions
  const requirement = {
    scopes: 'orders/read',
    clientId: CLIENT,
    check: says('route check', true),
    ...merged('requirement'),
  } as AccessRequirement
  let authorization: string | string[] =
    `Bearer ${machineToken(merged('claims'), merged('header'), pair)}`
  for (const { send } of [...present].reverse()) {
    if (send !== undefined) authorization = send(authorization as string)
  }
  return { options, requirement, authorization }
}
