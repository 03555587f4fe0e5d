/**
 * Variants with a recorded verdict, replayed before the random ones: past findings of the campaign
 * (pasted as printed), and both sides of every limit.
 */
import { CLIENT, ISSUER, NOW } from '../../support/forge.ts'
import type { Verdicts } from './compare-verdicts.ts'
import type { Edit, JsonPart, Variant } from './variant.ts'

export interface PastFinding extends Variant {
  readonly why: string
  readonly verdicts: Verdicts
}

const all: Verdicts = { core: 'accepted', aws: true, jose: true }
/** Core alone refuses. */
const stricter = (core: string): Verdicts => ({ core, aws: true, jose: true })
const invalid = stricter('ERR_TOKEN_INVALID')
const none = (core: string): Verdicts => ({ core, aws: false, jose: false })

function finding(why: string, verdicts: Verdicts, ...edits: readonly Edit[]): PastFinding {
  return { why, verdicts, base: 'machine', edits, signature: 'right' }
}

const set = (name: string, json: string, part: JsonPart = 'claims'): Edit => ({
  edit: 'set',
  part,
  name,
  json,
})
const drop = (name: string): Edit => ({ edit: 'drop', part: 'claims', name })
const add = (spelled: string, json: string, part: JsonPart = 'claims'): Edit => ({
  edit: 'add',
  part,
  spelled,
  json,
  front: true,
})

const SHAPES: readonly PastFinding[] = [
  finding('the good token', all),
  { ...finding('of the other client', all), base: 'other machine' },
  finding('8192 characters', all, { edit: 'grow', part: 'claims', by: 5514 }),
  finding('8193 characters', invalid, { edit: 'grow', part: 'claims', by: 5515 }),
  finding('a signature padded as base64 asks', invalid, { edit: 'pad duly', part: 'signature' }),
  finding('a padded payload, signed as it is', invalid, { edit: 'pad duly', part: 'claims' }),
  finding('a padded header, signed as it is', invalid, { edit: 'pad duly', part: 'header' }),
  finding('padding where none belongs', none('ERR_TOKEN_INVALID'), {
    edit: 'pad',
    part: 'signature',
    text: '===',
  }),
  finding('a second spelling of the signature', invalid, {
    edit: 'spare bits',
    part: 'signature',
    bits: 1,
  }),
  finding('a second spelling of the payload', invalid, {
    edit: 'spare bits',
    part: 'claims',
    bits: 1,
  }),
  finding('blanks and line ends in the JSON', all, {
    edit: 'blank',
    part: 'claims',
    text: '\t\r\n ',
  }),
  finding('a known member spelt with an escape', all, {
    edit: 'escape',
    part: 'claims',
    name: 'exp',
    at: 0,
  }),
  finding('32 deep', all, { edit: 'nest', part: 'claims', of: 'arrays', depth: 31 }),
  finding('33 deep', invalid, { edit: 'nest', part: 'claims', of: 'arrays', depth: 32 }),
  finding('33 deep in the header', invalid, {
    edit: 'nest',
    part: 'header',
    of: 'objects',
    depth: 32,
  }),
  finding('as many arrays as are read', all, {
    edit: 'fill',
    part: 'claims',
    of: 'arrays',
    count: 254,
  }),
  finding('one array more', invalid, { edit: 'fill', part: 'claims', of: 'arrays', count: 255 }),
  finding('more members than are read', invalid, {
    edit: 'fill',
    part: 'header',
    of: 'members',
    count: 254,
  }),
  finding('a duplicate that says the same', invalid, add('"client_id"', `"${CLIENT}"`)),
  finding('a duplicate spelt apart', invalid, add('"\\u0065xp"', '1')),
  finding('a duplicate deep inside', invalid, set('tenant', '[{"a":{"b":1,"b":2}}]')),
  finding('a duplicate in the header', invalid, add('"alg"', '"none"', 'header')),
  finding('one name in two objects', all, set('tenant', '{"exp":1,"a":{"exp":2}}')),
  finding('__proto__ with the claims wanted', invalid, add('"__proto__"', '{"username":"a"}')),
  finding('__proto__ spelt with an escape', invalid, add('"__prot\\u006f__"', 'null')),
  finding('a prototype name deep inside', invalid, set('tenant', '[{"valueOf":1}]')),
  finding('a prototype name as a value', all, set('tenant', '["__proto__","constructor"]')),
  finding('member names that are JSON', all, add('"\\"a\\":{[,"', '"]}\\\\"')),
  finding(
    'BOM',
    { core: 'ERR_TOKEN_INVALID', aws: false, jose: true },
    {
      edit: 'wrap',
      part: 'claims',
      before: '\ufeff',
      after: '',
    },
  ),
  finding(
    'no UTF-8',
    { core: 'ERR_TOKEN_INVALID', aws: true, jose: false },
    {
      edit: 'byte',
      part: 'claims',
      at: 8,
      byte: 0xff,
    },
  ),
]

const HEADERS: readonly PastFinding[] = [
  finding(
    'crit that jose understands',
    invalid,
    {
      ...(set('crit', '["b64"]', 'header') as Edit),
    },
    set('b64', 'true', 'header'),
  ),
  finding('b64 without crit', all, set('b64', 'false', 'header')),
  finding('a key of its own in the header', all, { edit: 'own key' }),
  {
    ...finding('verified with it', none('ERR_TOKEN_SIGNATURE'), { edit: 'own key' }),
    signature: 'stranger',
  },
  {
    ...finding('signed with another published key', none('ERR_TOKEN_SIGNATURE')),
    signature: 'other published key',
  },
  {
    ...finding(
      'the public key as HMAC secret',
      none('ERR_TOKEN_INVALID'),
      set('alg', '"HS256"', 'header'),
    ),
    signature: 'HS256 with the public key',
  },
  { ...finding('PSS instead of PKCS #1', none('ERR_TOKEN_SIGNATURE')), signature: 'PS256' },
  { ...finding('no signature', none('ERR_TOKEN_INVALID')), signature: 'empty' },
  finding('a kid of nobody', none('ERR_KEY_UNKNOWN'), set('kid', '"unknown"', 'header')),
]

const CLAIMS: readonly PastFinding[] = [
  {
    ...finding('of a client not on the list', {
      core: 'ERR_CLIENT_NOT_ALLOWED',
      aws: false,
      jose: true,
    }),
    base: 'unlisted machine',
  },
  { ...finding('a token of a user', stricter('ERR_TOKEN_USE')), base: 'user' },
  {
    ...finding('an ID token', { core: 'ERR_TOKEN_USE', aws: false, jose: true }),
    base: 'id token',
  },
  finding('username beside a machine', stricter('ERR_TOKEN_USE'), set('username', 'null')),
  finding('another subject', stricter('ERR_TOKEN_USE'), set('sub', '"a"')),
  finding('no subject', invalid, drop('sub')),
  finding('no exp', invalid, drop('exp')),
  finding(
    'an infinite exp',
    { core: 'ERR_TOKEN_INVALID', aws: false, jose: true },
    set('exp', '1e999'),
  ),
  finding('the last moment', all, set('exp', `${NOW - 4.5}`)),
  finding(
    'exactly expired',
    { core: 'ERR_TOKEN_EXPIRED', aws: true, jose: false },
    set('exp', `${NOW - 5}`),
  ),
  finding('no iat', invalid, drop('iat')),
  finding('iat 300 s ahead', all, set('iat', `${NOW + 300}`)),
  finding('iat 300.5 s ahead', stricter('ERR_TOKEN_NOT_ACTIVE'), set('iat', `${NOW + 300.5}`)),
  finding('nbf at the tolerance', all, set('nbf', `${NOW + 5}`)),
  finding('nbf beyond it', none('ERR_TOKEN_NOT_ACTIVE'), set('nbf', `${NOW + 5.5}`)),
  finding('an empty jti', invalid, set('jti', '""')),
  finding('aud the client', all, set('aud', `"${CLIENT}"`)),
  finding('aud a list of the client', all, set('aud', `["${CLIENT}"]`)),
  finding('aud an empty list', stricter('ERR_TOKEN_AUDIENCE'), set('aud', '[]')),
  finding(
    'aud a list with another',
    stricter('ERR_TOKEN_AUDIENCE'),
    set('aud', `["${CLIENT}","x"]`),
  ),
  finding('aud another', stricter('ERR_TOKEN_AUDIENCE'), set('aud', '"x"')),
  finding(
    'aud a list with a number',
    { core: 'ERR_TOKEN_INVALID', aws: false, jose: true },
    set('aud', `["${CLIENT}",5]`),
  ),
  finding('an empty scope', all, set('scope', '""')),
  finding('two blanks between scopes', invalid, set('scope', '"a  b"')),
  finding('a tab between scopes', invalid, set('scope', '"a\\tb"')),
  finding('an issuer longer by a character', none('ERR_TOKEN_ISSUER'), set('iss', `"${ISSUER}/"`)),
]

export const PAST_FINDINGS: readonly PastFinding[] = [...SHAPES, ...HEADERS, ...CLAIMS]
