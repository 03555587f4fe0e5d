/** Writes CloudFormation's YAML: block style, intrinsic functions in their short form, comments. */

/**
 * What cannot be seen, and what turns the order of what can be seen, is written as its number: whoever
 * reviews a template sees every character of it.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export const quotedText = (text: string): string => JSON.stringify(text).replace(UNSEEN, numbered)

function numbered(character: string): string {
  const number = character.codePointAt(0) as number
  const digits = number.toString(16)
  return number > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`
}

export type Yaml = string | number | boolean | Call | Commented | readonly Yaml[] | YamlMap
export interface YamlMap {
  readonly [key: string]: Yaml
}

/** An intrinsic function: `!Ref Name`, `!Select [1, …]`. */
class Call {
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

export const call = (name: string, argument: string | readonly Yaml[]): Yaml =>
  new Call(name, argument)
export const commented = (note: string | undefined, value: Yaml): Yaml =>
  note === undefined ? value : new Commented(note, value)
export const ref = (id: string): Yaml => call('Ref', id)
export const attribute = (id: string, name: string): Yaml => call('GetAtt', `${id}.${name}`)

/** What no version of YAML takes for anything but a text. */
const PLAIN = /^[A-Za-z/$][\w./:$-]*$/
const NOT_PLAIN = /^(?:y|n|yes|no|on|off|true|false|null)$|:$/i

const text = (value: string): string =>
  PLAIN.test(value) && !NOT_PLAIN.test(value) ? value : quotedText(value)

/** On one line; maps do not stand there. */
function flow(value: Yaml): string {
  if (value instanceof Call) return `!${value.name} ${flow(value.argument)}`
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  return typeof value === 'string' ? text(value) : String(value)
}

const isList = (value: Yaml): value is readonly Yaml[] => Array.isArray(value)
const isMap = (value: Yaml): value is YamlMap =>
  typeof value === 'object' &&
  !isList(value) &&
  !(value instanceof Call || value instanceof Commented)

/** What follows a key. */
function block(value: Yaml, indent: string): string {
  if (isList(value) && value.length > 0) {
    const items = value.map((item) => `${indent}- ${block(item, `${indent}  `).trimStart()}`)
    return `\n${items.join('')}`
  }
  if (!isMap(value)) return ` ${flow(value)}\n`
  return `\n${Object.entries(value)
    .map(([key, member]) => entry(key, member, indent))
    .join('')}`
}

function entry(key: string, value: Yaml, indent: string): string {
  if (value instanceof Commented)
    return `${indent}# ${value.note}\n${entry(key, value.value, indent)}`
  return `${indent}${text(key)}:${block(value, `${indent}  `)}`
}

/** A template: a blank line before each section and between its members. */
export const yamlDocument = (sections: YamlMap): string =>
  Object.entries(sections)
    .map(([key, value]) => {
      if (!isMap(value)) return entry(key, value, '')
      const members = Object.entries(value).map(([id, member]) => entry(id, member, '  '))
      return `\n${key}:\n${members.join('\n')}`
    })
    .join('')
