/** From the description of a token to the token. */
import {
  CLIENT,
  ISSUER,
  KID,
  machineClaims,
  UPDATED_ISSUER,
  userClaims,
} from '../../support/forge.ts'
import { editedJson, partOf } from './json-text.ts'
import { foreignKey, signature } from './signing.ts'
import type { Base, EncodingEdit, JsonEdit, Part, TokenEdit, Variant } from './variant.ts'

/** The second client on the pool's list. */
export const OTHER_CLIENT = '1example23456789other'

const HEADER = { kid: KID, alg: 'RS256' }
const BASES: Readonly<Record<Base, Readonly<Record<string, unknown>>>> = {
  machine: machineClaims(),
  'other machine': machineClaims({
    iss: UPDATED_ISSUER,
    sub: OTHER_CLIENT,
    client_id: OTHER_CLIENT,
    scope: undefined,
  }),
  'unlisted machine': machineClaims({ sub: 'unlisted', client_id: 'unlisted' }),
  user: userClaims(),
  'id token': machineClaims({ iss: ISSUER, token_use: 'id', aud: CLIENT, sub: 'a-user' }),
}

const JSON_EDITS: ReadonlySet<string> = new Set<JsonEdit['edit']>([
  ...(['set', 'drop', 'add', 'escape', 'grow', 'nest', 'fill', 'own key'] as const),
  ...(['blank', 'wrap', 'byte'] as const),
])
const TOKEN_EDITS: ReadonlySet<string> = new Set<TokenEdit['edit']>([
  ...(['swap', 'surround', 'truncate'] as const),
])

/** The same description gives the same token, within one process. */
export function forge({ base, edits, signature: kind }: Variant): string {
  const inJson = edits.filter((it): it is JsonEdit => JSON_EDITS.has(it.edit))
  const inToken = edits.filter((it): it is TokenEdit => TOKEN_EDITS.has(it.edit))
  const inEncoding = edits.filter(
    (it): it is EncodingEdit => !JSON_EDITS.has(it.edit) && !TOKEN_EDITS.has(it.edit),
  )
  const good = { header: HEADER, claims: definedOnly(BASES[base]) }
  const encoded = (part: 'header' | 'claims', changes: readonly JsonEdit[]) =>
    editedJson(
      good[part],
      changes.filter((it) => partOf(it) === part),
      foreignKey,
    ).toString('base64url')
  const header = encodingEdited('header', encoded('header', inJson), inEncoding)
  const claims = encodingEdited('claims', encoded('claims', inJson), inEncoding)
  const made =
    kind === 'left'
      ? signature('right', `${encoded('header', [])}.${encoded('claims', [])}`)
      : signature(kind, `${header}.${claims}`)
  return tokenEdited(
    { header, claims, signature: encodingEdited('signature', made, inEncoding) },
    inToken,
  )
}

function definedOnly(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

function encodingEdited(part: Part, text: string, edits: readonly EncodingEdit[]): string {
  return edits.filter((it) => it.part === part).reduce(encodingEdit, text)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function encodingEdit(text: string, edit: EncodingEdit): string {
  const at = 'at' in edit ? edit.at % (text.length + 1) : 0
  switch (edit.edit) {
    case 'pad':
      return text + edit.text
    case 'pad duly':
      return text + '='.repeat((4 - (text.length % 4)) % 4)
    case 'spare bits': {
      const spare = { 2: 0b1111, 3: 0b11 }[text.length % 4] ?? 0
      const last = ALPHABET.indexOf(text.slice(-1))
      return last === -1 ? text : text.slice(0, -1) + ALPHABET.charAt(last | (edit.bits & spare))
    }
    case 'standard alphabet':
      return text.replaceAll('-', '+').replaceAll('_', '/')
    case 'insert':
      return text.slice(0, at) + edit.text + text.slice(at)
    case 'overwrite':
      return text.slice(0, at) + edit.text + text.slice(at + edit.text.length)
    case 'cut':
      return text.slice(0, at)
  }
}

function tokenEdited(parts: Record<Part, string>, edits: readonly TokenEdit[]): string {
  for (const edit of edits) {
    if (edit.edit !== 'swap') continue
    const { one, other } = edit
    ;[parts[one], parts[other]] = [parts[other], parts[one]]
  }
  return edits.reduce(wholeEdit, `${parts.header}.${parts.claims}.${parts.signature}`)
}

function wholeEdit(token: string, edit: TokenEdit): string {
  if (edit.edit === 'surround') return edit.before + token + edit.after
  return edit.edit === 'truncate' ? token.slice(0, edit.at % (token.length + 1)) : token
}
