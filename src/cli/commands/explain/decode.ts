/** Extracts a token from pasted text, and decodes it. */
import type { AuthErrorCode } from '../../../core/errors.ts'
import { classifyMalformed } from '../../../core/token/bearer.ts'
import { decodeJws, type Jws } from '../../../core/token/jws.ts'
import { type JsonObject, MAX_MEMBERS, parseStrictObject } from '../../../core/token/strict-json.ts'

/** Default limit of the middleware for tokens, in characters. */
const MAX_LENGTH = 8192
/** Header and payload are accepted alone, but not together. */
const TOO_MANY_MEMBERS = `its header and payload have more than ${MAX_MEMBERS} members together; remove custom claims`

/** Parts of a token. Invalid tokens have as many parts as can be decoded. */
export interface DecodedToken {
  /** The token as the middleware decodes it. Undefined for an invalid form. */
  readonly jws: Jws | undefined
  /** Undefined if it is not JSON, or is ambiguous. */
  readonly header: JsonObject | undefined
  readonly claims: JsonObject | undefined
  /** Error code of the middleware for the form. Undefined for a valid form. */
  readonly code: AuthErrorCode | undefined
  /** Messages, one for each error of the form. */
  readonly problems: readonly string[]
}

export function decodeToken(token: string): DecodedToken {
  const jws = decodeJws(token, new Map())
  const [header, payload] = token.split('.', 2).map(parsePart)
  const isLong = token.length > MAX_LENGTH
  const faults = jws === undefined ? listProblems(token, header, payload) : []
  const code = isLong
    ? 'ERR_TOKEN_INVALID'
    : jws === undefined
      ? classifyMalformed(token)
      : undefined
  const long = `it has ${token.length} characters, but the API decodes at most ${MAX_LENGTH}; its option maxTokenLength raises the limit`
  return { jws, header, claims: payload, code, problems: isLong ? [long, ...faults] : faults }
}

function parsePart(part: string): JsonObject | undefined {
  return parseStrictObject(Buffer.from(part, 'base64url'))
}

/** Lists the errors of a token that the middleware cannot decode. There is at least one. */
function listProblems(
  token: string,
  header: JsonObject | undefined,
  payload: JsonObject | undefined,
): readonly string[] {
  const parts = token.split('.')
  const names = ['header', 'payload', 'signature']
  const problems = [
    /[\s,]/.test(token) ? 'it contains a space or a comma, so the text has more than a token' : [],
    parts.length === 3 ? [] : describePartCount(parts.length),
    parts.length === 3 ? parts.flatMap((part, index) => listPartProblems(part, names[index])) : [],
    header === undefined
      ? 'its header is not an unambiguous JSON object'
      : listHeaderProblems(header),
    payload === undefined ? 'its payload is not an unambiguous JSON object' : [],
  ].flat()
  return problems.length > 0 ? problems : [TOO_MANY_MEMBERS]
}

function describePartCount(count: number): string {
  const what = `it has ${count === 1 ? 'one part' : `${count} parts`} between dots, but a token has 3`
  return count === 5 ? `${what}: it is encrypted, and Cognito does not encrypt tokens` : what
}

function listPartProblems(part: string, name: string | undefined): readonly string[] {
  if (part === '') return [`its ${name} is empty`]
  if (!/^[\w-]+$/.test(part)) return [`its ${name} has characters outside base64url`]
  const isCanonical = Buffer.from(part, 'base64url').toString('base64url') === part
  return isCanonical ? [] : [`its ${name} is not canonical base64url: it was truncated or changed`]
}

function listHeaderProblems(header: JsonObject): readonly string[] {
  const { alg, kid } = header
  return [
    alg === 'RS256' ? [] : 'its alg is not RS256, the only algorithm of Cognito',
    typeof kid === 'string' ? [] : 'its header has no key ID (kid)',
    'crit' in header ? 'its header requires extensions (crit), which are not supported' : [],
  ].flat()
}

/** The token, with notes about removed text. */
export interface ExtractedToken {
  readonly token: string
  readonly notes: readonly string[]
}

/** Text around a token, outermost first. Patterns repeat, because quotes may surround a header. */
const WRAPPERS: readonly (readonly [pattern: RegExp, note: string])[] = [
  [/^(["'`])(.*)\1$/s, 'the quotes around the token were removed'],
  [/^()authorization:(.*)$/is, 'the header name before the token was removed'],
  [/^()bearer\s(.*)$/is, 'the scheme Bearer before the token was removed'],
]

/** Extracts the token. Spaces get no note, because shells and editors add them. */
export function extractToken(text: string): ExtractedToken {
  const notes = new Set<string>()
  let token = text.trim()
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false
    for (const [pattern, note] of WRAPPERS) {
      const match = pattern.exec(token)
      if (match === null) continue
      token = (match[2] as string).trim()
      notes.add(note)
      hasChanged = true
    }
  }
  return { token, notes: [...notes] }
}
