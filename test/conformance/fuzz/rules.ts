/**
 * The rules by which core is stricter than both libraries, each with the code of its rejection. Rules that
 * one of the libraries has too (BOM, UTF-8, other algorithms, expiry, issuer …) are left out. They never
 * explain a disagreement.
 */
import { NOW } from '../../support/forge.ts'
import type { Reading } from './reading.ts'

export interface Rule {
  readonly name: string
  readonly code: string
  readonly refuses: (reading: Reading) => boolean
}

const PROTOTYPE_NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'isPrototypeOf', 'toString'],
  ...['toLocaleString', 'valueOf', 'propertyIsEnumerable', '__defineGetter__', '__defineSetter__'],
  ...['__lookupGetter__', '__lookupSetter__'],
]
const MAX_LENGTH = 8192
const MAX_DEPTH = 32
const MAX_MEMBERS = 256

/** In the order core looks: where several apply, the first gives the code. */
export const RULES: readonly Rule[] = [
  invalid('longer than 8192', ({ token }) => token.length > MAX_LENGTH),
  invalid('padded base64url', ({ parts }) => parts.some((part) => part.includes('='))),
  invalid('base64url with bits to spare', ({ parts }) =>
    parts.some((part) => {
      const bare = part.replaceAll('=', '')
      return Buffer.from(bare, 'base64url').toString('base64url') !== bare
    }),
  ),
  invalid('duplicate member', ({ walks }) => walks.some(({ duplicate }) => duplicate)),
  invalid('member named as the prototype has one', ({ walks }) =>
    walks.some(({ names }) => PROTOTYPE_NAMES.some((name) => names.has(name))),
  ),
  invalid('deeper than 32', ({ walks }) => walks.some(({ depth }) => depth > MAX_DEPTH)),
  invalid('more than 256 members of header and payload', ({ walks }) => {
    const members = walks.reduce((sum, it) => sum + it.members, 0)
    return members > MAX_MEMBERS || walks.some(({ opened }) => opened > MAX_MEMBERS)
  }),
  invalid('crit', ({ header }) => Object.hasOwn(header, 'crit')),
  invalid('no exp', ({ claims }) => !Object.hasOwn(claims, 'exp')),
  invalid('no iat', ({ claims }) => !Object.hasOwn(claims, 'iat')),
  invalid('no jti', ({ claims }) => !claims['jti']),
  invalid('no sub', ({ claims }) => !claims['sub']),
  invalid('scope not well-formed', ({ claims }) => {
    const { scope } = claims
    return typeof scope === 'string' && scope !== '' && !scope.split(' ').every(isScope)
  }),
  {
    name: 'username',
    code: 'ERR_TOKEN_USE',
    refuses: ({ claims }) => Object.hasOwn(claims, 'username'),
  },
  {
    name: 'sub other than the client',
    code: 'ERR_TOKEN_USE',
    refuses: ({ claims }) => claims['sub'] !== claims['client_id'],
  },
  {
    name: 'aud other than the client',
    code: 'ERR_TOKEN_AUDIENCE',
    refuses: ({ claims }) => {
      const audiences = listOf(claims['aud'])
      const others = audiences.filter((it) => it !== claims['client_id'])
      return Object.hasOwn(claims, 'aud') && (audiences.length === 0 || others.length > 0)
    },
  },
  {
    name: 'iat more than 300 s ahead',
    code: 'ERR_TOKEN_NOT_ACTIVE',
    refuses: ({ claims }) => (claims['iat'] as number) - NOW > 300,
  },
]

/** What is left where users are let in. */
export const RULES_FOR_USERS = RULES.filter(({ code }) => code !== 'ERR_TOKEN_USE')

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

function invalid(name: string, refuses: Rule['refuses']): Rule {
  return { name, code: 'ERR_TOKEN_INVALID', refuses }
}

/** RFC 6749 section 3.3: printable ASCII but for the blank, the quote and the backslash. */
function isScope(scope: string): boolean {
  const codes = [...scope].map((character) => character.codePointAt(0) as number)
  return scope !== '' && codes.every((it) => it > 0x20 && it < 0x7f && it !== 0x22 && it !== 0x5c)
}
