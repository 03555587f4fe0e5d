/** Writes YAML for CloudFormation: block style, comments, and intrinsic functions in their short form. */

/** Invisible characters and bidirectional controls are escaped, so that a reviewer sees every character. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export const toQuotedText = (text: string): string =>
  JSON.stringify(text).replace(INVISIBLE, escapeCharacter)

function escapeCharacter(character: string): string {
  const number = character.codePointAt(0) as number
  const digits = number.toString(16)
  return number > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`
}

export type Yaml = string | number | boolean | IntrinsicCall | Commented | readonly Yaml[] | YamlMap
export interface YamlMap {
  readonly [key: string]: Yaml
}

/** An intrinsic function: `!Ref Name`, `!Select [1, …]`. */
class IntrinsicCall {
  readonly name: string
  readonly argument: string | readonly Yaml[]

  constructor(name: string, argument: string | readonly Yaml[]) {
    this.name = name
    this.argument = argument
  }
}

/** A member of a map with a comment above it. */
class Commented {
  readonly note: string
  readonly value: Yaml

  constructor(note: string, value: Yaml) {
    this.note = note
    this.value = value
  }
}

export const createCall = (name: string, argument: string | readonly Yaml[]): Yaml =>
  new IntrinsicCall(name, argument)
export const withComment = (note: string | undefined, value: Yaml): Yaml =>
  note === undefined ? value : new Commented(note, value)
export const createRef = (id: string): Yaml => createCall('Ref', id)
export const createGetAtt = (id: string, name: string): Yaml =>
  createCall('GetAtt', `${id}.${name}`)

/** Texts that are strings without quotes in every version of YAML. */
const PLAIN = /^[A-Za-z/$][\w./:$-]*$/
const NOT_PLAIN = /^(?:y|n|yes|no|on|off|true|false|null)$|:$/i

const writeText = (value: string): string =>
  PLAIN.test(value) && !NOT_PLAIN.test(value) ? value : toQuotedText(value)

/** Writes a value on one line. Maps are written as blocks only. */
function writeFlow(value: Yaml): string {
  if (value instanceof IntrinsicCall) return `!${value.name} ${writeFlow(value.argument)}`
  if (Array.isArray(value)) return `[${value.map(writeFlow).join(', ')}]`
  return typeof value === 'string' ? writeText(value) : String(value)
}

const isList = (value: Yaml): value is readonly Yaml[] => Array.isArray(value)
const isMap = (value: Yaml): value is YamlMap =>
  typeof value === 'object' &&
  !isList(value) &&
  !(value instanceof IntrinsicCall || value instanceof Commented)

/** Writes the value after a key. */
function writeBlock(value: Yaml, indent: string): string {
  if (isList(value) && value.length > 0) {
    const items = value.map((item) => `${indent}- ${writeBlock(item, `${indent}  `).trimStart()}`)
    return `\n${items.join('')}`
  }
  if (!isMap(value)) return ` ${writeFlow(value)}\n`
  return `\n${Object.entries(value)
    .map(([key, member]) => writeEntry(key, member, indent))
    .join('')}`
}

function writeEntry(key: string, value: Yaml, indent: string): string {
  if (value instanceof Commented)
    return `${indent}# ${value.note}\n${writeEntry(key, value.value, indent)}`
  return `${indent}${writeText(key)}:${writeBlock(value, `${indent}  `)}`
}

/** Writes a template, with a blank line before each section and between its members. */
export const writeYaml = (sections: YamlMap): string =>
  Object.entries(sections)
    .map(([key, value]) => {
      if (!isMap(value)) return writeEntry(key, value, '')
      const members = Object.entries(value).map(([id, member]) => writeEntry(id, member, '  '))
      return `\n${key}:\n${members.join('\n')}`
    })
    .join('')
