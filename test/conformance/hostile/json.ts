/** Headers and payloads that are JSON to some reader only, each under the pool's own signature. */
import { KID, label, machineClaims } from '../../support/forge.ts'
import {
  type AcceptedCase,
  type Entry,
  HEADER,
  type HostileCase,
  headerText,
  passing,
  payloadText,
  tokens,
  withHeader,
  withPayload,
} from './hostile-case.ts'

/** Everything an object inherits: where it is a member's name, a lookup finds more than was sent. */
const INHERITED = ['prototype', ...Object.getOwnPropertyNames(Object.prototype)]

/** Both objects, their text, and how a token is made of another text. */
const OBJECTS = [
  { field: 'header', object: HEADER, text: headerText, make: withHeader },
  { field: 'payload', object: machineClaims(), text: payloadText, make: withPayload },
] as const

type Subject = (typeof OBJECTS)[number]

/** First letter as an escape: another text, the same name. */
function escaped(name: string): string {
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`
}

function duplicates({ object, text, make }: Subject): Entry[] {
  const inner = text.slice(1, -1)
  const perMember = Object.entries(object).flatMap(([name, value]): Entry[] => {
    const same = `"${name}":${JSON.stringify(value)}`
    return [
      [`${name}: the same again`, make(`{${inner},${same}}`)],
      [`${name}: another first`, make(`{"${name}":"other",${inner}}`)],
      [`${name}: another last`, make(`{${inner},"${name}":"other"}`)],
      [`${name}: null last`, make(`{${inner},"${name}":null}`)],
      [`${name}: escaped spelling last`, make(`{${inner},"${escaped(name)}":"other"}`)],
      [`${name}: escaped spelling first`, make(`{"${escaped(name)}":"other",${inner}}`)],
      [`${name}: with a blank before the colon`, make(`{${inner},"${name}" \t\r\n :"other"}`)],
    ]
  })
  const nested = ['{"a":1,"a":2}', '[{"a":1,"a":2}]', '{"b":{"a":1,"a":{}}}', '{"":1,"":2}'].map(
    (value): Entry => [`nested: ${value}`, make(`{${inner},"x":${value}}`)],
  )
  return [...perMember, ...nested, ['of no known name', make(`{${inner},"x":1,"x":1}`)]]
}

function inherited({ text, make }: Subject): Entry[] {
  const inner = text.slice(1, -1)
  return INHERITED.flatMap((name): Entry[] => [
    [name, make(`{${inner},"${name}":{}}`)],
    [`${name}, nested`, make(`{${inner},"x":[{"${name}":1}]}`)],
    [`${name}, escaped`, make(`{"${escaped(name)}":null,${inner}}`)],
  ])
}

/** Texts that JSON5, JavaScript, YAML or a forgiving parser reads as the same object. */
function noJson({ text, make }: Subject): Entry[] {
  const inner = text.slice(1, -1)
  const values = [
    ...['NaN', 'Infinity', '-Infinity', 'undefined', '01', '-01', '+1', '.5', '1.', '1.e1', '0x10'],
    ...['1e', '1e+', '1_000', '1n', "'x'", '`x`', 'x', 'True', 'None', 'new Date()', '/x/', '0b1'],
    ...['"\n"', '"\t"', '"\0"', '"\x1f"', '"\\x41"', '"\\u12"', '"\\u{41}"', '"\\v"', '"\\\'"'],
    ...[
      '"\\"',
      '"x',
      '[1,]',
      '[,1]',
      '[1 2]',
      '{"a":1,}',
      '{,}',
      '{"a" 1}',
      '{a:1}',
      '{"a"}',
      '[1}',
    ],
    ...['1 2', '1//x', '/*x*/1', '1#x', '"a""b"', '"a"+"b"', '\u22121', '\uff11', '--1', ''],
  ]
  const blanks = ['\0', '\v', '\f', '\u00a0', '\u2028', '\u2003', '\\n', '\x08']
  return [
    ...values.map((value): Entry => [`a value ${label(value)}`, make(`{${inner},"x":${value}}`)]),
    ...blanks.map((blank): Entry => [`blank ${label(blank)} in front`, make(`${blank}${text}`)]),
    ...blanks.map((blank): Entry => [`blank ${label(blank)} behind`, make(`${text}${blank}`)]),
    ['trailing comma', make(`{${inner},}`)],
    ['leading comma', make(`{,${inner}}`)],
    ['two commas', make(text.replace(',', ',,'))],
    ['semicolons', make(text.replace(/,"/g, ';"'))],
    ['equals signs', make(text.replace(/":/g, '"='))],
    ['single quotes', make(text.replace(/"/g, "'"))],
    ['no quotes around names', make(text.replace(/"([a-z_]+)":/g, '$1:'))],
    ['typographic quotes', make(text.replace(/"/g, '\u201d'))],
    ['line comment', make(`${text}//`)],
    ['comment in front', make(`/**/${text}`)],
    ['comment inside', make(text.replace('{', '{/* "alg":"none" */'))],
    ['hash comment', make(`# x\n${text}`)],
    ['another object behind', make(`${text}${text}`)],
    ['another object on the next line', make(`${text}\n${text}`)],
    ['a brace too many', make(`${text}}`)],
    ['a brace too few', make(text.slice(0, -1))],
    ['a bracket for the brace', make(`[${inner}]`)],
    ['JSONP', make(`f(${text})`)],
    ['an XSSI guard', make(`)]}',\n${text}`)],
    ['a text sequence', make(`\x1e${text}`)],
    ['parenthesised', make(`(${text})`)],
    ['YAML', make(`---\n${text}`)],
    ['XML', make('<alg>RS256</alg>')],
    ['URL-encoded', make(`alg=RS256&kid=${encodeURIComponent(KID)}`)],
  ]
}

function noObject({ text, make }: Subject): Entry[] {
  const texts = [
    ...['null', 'true', 'false', '0', '1', '-1', '1e9', '""', '"RS256"', '[]', '[[]]', '[null]'],
    ...['{}', '{"":""}', '{"0":{}}', ' ', '\n', '{', '}', '[', '"', ',', ':', 'alg'],
  ]
  return [
    ...texts.map((value): Entry => [label(value), make(value)]),
    ['an array of it', make(`[${text}]`)],
    ['a string of it', make(JSON.stringify(text))],
    ['inside another object', make(`{"value":${text}}`)],
    ['entries', make(JSON.stringify(Object.entries(JSON.parse(text) as object)))],
  ]
}

/** @param levels Besides the object itself. */
function nested(text: string, levels: number, [open, close]: readonly [string, string]): string {
  return `${text.slice(0, -1)},"x":${open.repeat(levels)}1${close.repeat(levels)}}`
}

const ARRAYS = ['[', ']'] as const
const MEMBERS = ['{"x":', '}'] as const

function tooDeep({ text, make }: Subject): Entry[] {
  return [32, 33, 64, 500].flatMap((levels): Entry[] => [
    [`${levels + 1} levels of arrays`, make(nested(text, levels, ARRAYS))],
    [`${levels + 1} levels of objects`, make(nested(text, levels, MEMBERS))],
  ])
}

export function jsonCases(): HostileCase[] {
  return OBJECTS.flatMap((subject) => {
    const { field, text, make } = subject
    const theme = { field, code: 'ERR_TOKEN_INVALID' } as const
    const deep = [1000, 10_000, 100_000].flatMap((levels): Entry[] => [
      [`${levels} levels of arrays`, make(nested(text, levels, ARRAYS))],
      [`${levels} levels of objects`, make(nested(text, levels, MEMBERS))],
      [`${levels} brackets never closed`, make('['.repeat(levels))],
    ])
    return [
      ...tokens({ ...theme, clause: 'RFC 8725 §2.4' }, noObject(subject)),
      ...tokens({ ...theme, clause: 'RFC 7515 §4' }, duplicates(subject)),
      ...tokens({ ...theme, clause: 'DESIGN strictness' }, inherited(subject)),
      ...tokens({ ...theme, clause: 'RFC 8259 §2' }, noJson(subject)),
      ...tokens({ ...theme, clause: 'RFC 8259 §9' }, tooDeep(subject)),
      ...tokens({ ...theme, clause: 'RFC 8259 §9', door: 'large' }, deep),
    ]
  })
}

export function acceptedJson(): AcceptedCase[] {
  return OBJECTS.flatMap(({ field, object, text, make }) => {
    const bearer = (json: string) => `Bearer ${make(json)}`
    const inner = text.slice(1, -1)
    return [
      ...passing({ clause: 'RFC 8259 §2', field }, [
        ['blanks anywhere', bearer(` \t\r\n${JSON.stringify(object, null, 2)}\n `)],
        ['one name at two levels', bearer(`{${inner},"x":{"alg":1,"x":2}}`)],
        ['a name as a value', bearer(`{${inner},"x":["alg","alg","__proto__"]}`)],
        ['an escaped name, once', bearer(text.replace('{"', '{"\\u0078":1,"'))],
        ['a lone surrogate, escaped', bearer(`{${inner},"x":"\\ud83d"}`)],
        ['text in many scripts', bearer(`{${inner},"x":"\u0436\u4e2d\u{1f600}"}`)],
      ]),
      ...passing({ clause: 'RFC 8259 §9', field }, [
        ['32 levels of arrays', bearer(nested(text, 31, ARRAYS))],
        ['32 levels of objects', bearer(nested(text, 31, MEMBERS))],
      ]),
    ]
  })
}
