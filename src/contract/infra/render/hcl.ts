/** Writes HCL in the format of `terraform fmt`. */
import { toQuotedText } from './yaml.ts'

/** An expression, a list of expressions, or an object. */
type HclValue = string | readonly string[] | { readonly members: readonly HclAttribute[] }
export type HclAttribute = readonly [name: string, value: HclValue]

export interface HclBlock {
  /** `resource "aws_ssm_parameter" "main"`. */
  readonly header: string
  /** A comment above it. */
  readonly note?: string | undefined
  readonly body: readonly (HclAttribute | HclBlock)[]
}

/** Escapes of JSON that HCL lacks. An escaped backslash is matched first and stays. */
const JSON_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\b', '\\u0008'],
  ['\\f', '\\u000c'],
])

/** Escapes a text for an HCL string, so that HCL evaluates no template in it. */
export const toHclLiteral = (text: string): string =>
  toQuotedText(text)
    .slice(1, -1)
    .replace(/\\(?:\\|b|f)/g, (mark) => JSON_ESCAPES.get(mark) ?? mark)
    .replace(/[$%]+\{?/g, (run) => {
      if (!run.endsWith('{')) return run
      const [before, last] = [run.slice(0, -2), run.at(-2)]
      // HCL parsers disagree about three signs in a row.
      const numbered = before.replaceAll('$', '\\u0024').replaceAll('%', '\\u0025')
      return `${numbered}${last}${last}{`
    })

export const toHclText = (text: string): string => `"${toHclLiteral(text)}"`

export const createResource = (
  type: string,
  name: string,
  note: string | undefined,
  body: HclBlock['body'],
): HclBlock => ({ header: `resource "${type}" "${name}"`, note, body })

const isBlock = (item: HclAttribute | HclBlock): item is HclBlock => 'header' in item

export const writeHcl = (blocks: readonly HclBlock[]): string =>
  blocks.map((block) => writeBlock(block, '')).join('\n')

function writeBlock({ header, note, body }: HclBlock, indent: string): string {
  const inner = `${indent}  `
  const parts: string[] = []
  let attributes: HclAttribute[] = []
  const flush = (): void => {
    if (attributes.length > 0) parts.push(writeAttributes(attributes, inner))
    attributes = []
  }
  for (const item of body) {
    if (isBlock(item)) {
      flush()
      parts.push(writeBlock(item, inner))
    } else attributes.push(item)
  }
  flush()
  const comment = note === undefined ? '' : `${indent}# ${note}\n`
  return `${comment}${indent}${header} {\n${parts.join('\n')}${indent}}\n`
}

/** Aligns the equals signs of consecutive attributes whose values are on one line. */
function writeAttributes(attributes: readonly HclAttribute[], indent: string): string {
  let text = ''
  let aligned: HclAttribute[] = []
  const flush = (): void => {
    const width = Math.max(...aligned.map(([name]) => name.length))
    for (const [name, value] of aligned) {
      text += `${indent}${name.padEnd(width)} = ${writeValue(value, indent)}\n`
    }
    aligned = []
  }
  for (const attribute of attributes) {
    const long = isLong(attribute[1])
    if (long) flush()
    aligned.push(attribute)
    if (long) flush()
  }
  flush()
  return text
}

const isLong = (value: HclValue): boolean =>
  typeof value !== 'string' && ('members' in value || value.length > 1)

function writeValue(value: HclValue, indent: string): string {
  if (typeof value === 'string') return value
  const inner = `${indent}  `
  if ('members' in value) return `{\n${writeAttributes(value.members, inner)}${indent}}`
  if (value.length < 2) return `[${value.join('')}]`
  return `[\n${value.map((item) => `${inner}${item},\n`).join('')}${indent}]`
}
