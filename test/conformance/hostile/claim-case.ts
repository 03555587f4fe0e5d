/** How cases of claims are made: one claim changed, the clause it breaks. */
import { machineClaims } from '../../support/forge.ts'
import { type Entry, type HostileCase, withPayload } from './hostile-case.ts'
import { lookAlikes } from './look-alikes.ts'

const JWT = { iss: '§4.1.1', sub: '§4.1.2', aud: '§4.1.3', exp: '§4.1.4', nbf: '§4.1.5' } as const
const CLAUSES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries({ ...JWT, iat: '§4.1.6', jti: '§4.1.7' }).map(rfc7519)),
  scope: 'RFC 6749 §3.3',
}

function rfc7519([claim, section]: [string, string]): [string, string] {
  return [claim, `RFC 7519 ${section}`]
}

type Code = HostileCase['code']
export const claimTheme = (field: string, code: Code) => {
  return { clause: CLAUSES[field] ?? 'Cognito: access token', field, code }
}

/** The pool's token for a machine with these claims changed. */
export const having = (changes: object) => withPayload(machineClaims({ ...changes }))

/** Similar values of a claim, each as a token. */
export const alike = (good: string, make: (value: string) => string): Entry[] =>
  lookAlikes(good).map(([how, value]) => [how, make(value)])

/** Where the empty value has another answer. */
export const alikeNonEmpty = (good: string, make: (value: string) => string): Entry[] =>
  alike(good, make).filter(([how]) => how !== 'empty')

/** For `filter`: each value once. */
export function once(value: unknown, index: number, all: readonly unknown[]): boolean {
  return all.indexOf(value) === index
}
