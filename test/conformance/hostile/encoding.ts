/** Other spellings of the same bytes, and bytes that are no text: signed as they stand. */
import { encode, label, machineClaims } from '../../support/forge.ts'
import {
  type Entry,
  GOOD,
  GOOD_HEADER,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  signedParts,
  tokens,
  withHeader,
  withPayload,
} from './hostile-case.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const PARTS = ['header', 'payload', 'signature'] as const
type Part = (typeof PARTS)[number]

/** A token whose one part is respelt; the signature covers the new spelling. */
function respelt(part: Part, respell: (text: string) => string, length = 0): string {
  const header = partOf({ ...HEADER, text: '~~~???>>>' }, length)
  const payload = partOf({ ...machineClaims(), text: '~~~???>>>' }, length)
  if (part === 'header') return signedParts(respell(header), payload)
  if (part === 'payload') return signedParts(header, respell(payload))
  const token = signedParts(header, payload)
  const [signature = ''] = token.split('.').slice(-1)
  return `${token.slice(0, -signature.length)}${respell(signature)}`
}

/** Filled up until so many characters remain of the last four. */
function partOf(object: object, rest: number): string {
  const texts = ['', 'x', 'xx', 'xxx'].map((filler) => encode({ ...object, filler }))
  return texts.find((text) => text.length % 4 === rest) as string
}

function each(field: (part: Part) => Entry[], code: HostileCase['code'], clause: string) {
  return PARTS.flatMap((part) => tokens({ clause, field: part, code }, field(part)))
}

function next(text: string, by: number): string {
  return `${text.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(text.slice(-1)) + by]}`
}

function alphabetCases(): HostileCase[] {
  const skipped = ['*', '~', '!', '%', '$', '@', ':', ';', '"', "'", '\\', '(', '{', '+', '/', '=']
  const controls = ['\0', '\x01', '\x08', '\x1b', '\x7f', '\u00e9', '\u00ad', '\uff21', '\u{1f600}']
  const blanks = [' ', '\t', '\n', '\r\n', '\v', '\f', '\u00a0', '\u2028', '\u3000', '\ufeff', ',']
  const around = (part: Part, characters: readonly string[]) =>
    characters.flatMap((character): Entry[] => [
      [
        `${label(character)} inside`,
        respelt(part, (it) => `${it.slice(0, 8)}${character}${it.slice(8)}`),
      ],
      [`${label(character)} behind`, respelt(part, (it) => `${it}${character}`)],
    ])
  return [
    ...each(
      (part) => around(part, [...skipped, ...controls]),
      'ERR_TOKEN_INVALID',
      'RFC 4648 §3.3',
    ),
    // A blank or comma ends the credential before anything is decoded.
    ...each((part) => around(part, blanks), 'ERR_REQUEST_INVALID', 'RFC 6750 §2.1'),
  ]
}

/** Characters left of the last four: a signature of 256 bytes always leaves two. */
function restsOf(part: Part): readonly number[] {
  return part === 'signature' ? [2] : [2, 3]
}

function spellingCases(): HostileCase[] {
  const standard = (text: string) => text.replace(/-/g, '+').replace(/_/g, '/')
  const invalid = 'ERR_TOKEN_INVALID'
  return [
    ...each(
      (part) => [
        ...restsOf(part).flatMap((rest): Entry[] => [
          [
            `padded to four after ${rest}`,
            respelt(part, (it) => it.padEnd(it.length + 4 - (it.length % 4), '='), rest),
          ],
          [`%3D after ${rest}`, respelt(part, (it) => `${it}%3D`, rest)],
          [`too much padding after ${rest}`, respelt(part, (it) => `${it}====`, rest)],
        ]),
      ],
      invalid,
      'RFC 7515 §2',
    ),
    ...each((part) => [['standard alphabet', respelt(part, standard)]], invalid, 'RFC 4648 §5'),
    ...each(
      (part) => [
        ['hex', respelt(part, (it) => `${Buffer.from(it, 'base64url').toString('hex')}!`)],
        [
          'one character too many',
          respelt(part, (it) => `${it}${it.length % 4 === 0 ? 'A' : 'AAA'}`),
        ],
        ['a single character', respelt(part, () => 'A')],
      ],
      invalid,
      'RFC 4648 §4',
    ),
    ...each(
      (part) =>
        restsOf(part).flatMap((rest) =>
          (rest === 2 ? [1, 2, 3, 7, 15] : [1, 2, 3]).map((by): Entry => {
            return [`unused bits ${by} after ${rest}`, respelt(part, (it) => next(it, by), rest)]
          }),
        ),
      invalid,
      'RFC 4648 §3.5',
    ),
  ]
}

/** Byte sequences that are not UTF-8; lenient decoders read U+FFFD, or what the attacker meant. */
const NO_UTF8 = [
  ...['c080', 'c0af', 'c1bf', 'e080af', 'e09fbf', 'f08080af', 'f08fbfbf', 'eda080', 'edbfbf'],
  ...['eda0bdedb880', '80', 'bf', '80bf80', 'c3', 'e282', 'f09f98', 'fe', 'ff', 'fefeffff'],
  ...['f4908080', 'f5808080', 'f888808080', 'fc8480808080', 'e9', 'c328', 'e228a1'],
]

function textCases(): HostileCase[] {
  const invalid = 'ERR_TOKEN_INVALID'
  const objects = [
    ['header', HEADER, withHeader] as const,
    ['payload', machineClaims(), withPayload] as const,
  ]
  return objects.flatMap(([field, object, make]) => {
    const json = JSON.stringify(object)
    const around = (before: string, hex: string, after: string) =>
      make(Buffer.concat([Buffer.from(before), Buffer.from(hex, 'hex'), Buffer.from(after)]))
    const tail = json.slice(1)
    return [
      ...tokens({ clause: 'RFC 7515 §5.2', field, code: invalid }, [
        ...NO_UTF8.map((hex): Entry => [`${hex} in a value`, around('{"x":"', hex, `",${tail}`)]),
        ...NO_UTF8.map((hex): Entry => [`${hex} in a name`, around('{"x', hex, `":"x",${tail}`)]),
        ['ff behind the object', around(json, 'ff', '')],
      ]),
      ...tokens({ clause: 'RFC 8259 §8.1', field, code: invalid }, [
        ['UTF-8 byte order mark', make(`\ufeff${json}`)],
        ['byte order mark inside', make(json.replace('{', '{\ufeff'))],
        ['UTF-16LE', make(Buffer.from(json, 'utf16le'))],
        ['UTF-16LE with its mark', make(Buffer.from(`\ufeff${json}`, 'utf16le'))],
        ['UTF-16BE', make(Buffer.from(json, 'utf16le').swap16())],
        ['UTF-16BE with its mark', make(Buffer.from(`\ufeff${json}`, 'utf16le').swap16())],
        ['UTF-32LE', make(Buffer.from(json.replace(/./g, '$&\0\0\0'), 'latin1'))],
        ['UTF-7', make(json.replace('{', '+AHs-'))],
      ]),
    ]
  })
}

export function encodingCases(): HostileCase[] {
  const whole = { clause: 'RFC 7515 §7.1', field: 'token', code: 'ERR_TOKEN_INVALID' } as const
  return [
    ...tokens(whole, [
      ['encoded once more', encode(GOOD)],
      ['percent-encoded dots', GOOD.replace(/\./g, '%2E')],
      ['full-width dots', GOOD.replace(/\./g, '\uff0e')],
      ['ideographic dots', GOOD.replace(/\./g, '\u3002')],
      [
        'JSON as it stands',
        `${JSON.stringify({ alg: 'RS256' })}.${GOOD_PAYLOAD}.${GOOD_SIGNATURE}`,
      ],
      ['other case', GOOD.toLowerCase()],
      ['reversed', [...GOOD].reverse().join('')],
      ['URL', `https://api.example/${GOOD_HEADER}.${GOOD_PAYLOAD}`],
    ]),
    ...alphabetCases(),
    ...spellingCases(),
    ...textCases(),
  ]
}
