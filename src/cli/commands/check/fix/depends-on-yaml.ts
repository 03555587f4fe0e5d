/** Adds a resource to `DependsOn` of another one, in CloudFormation as YAML or JSON. */
import type { Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { type Edit, getIndent, getLineBreak } from './edit.ts'

type Yaml = typeof import('yaml')
type Range = readonly [start: number, end: number]

/** Returns undefined if the resource is not written in a form that this function can change. */
export async function addDependsOn(
  text: string,
  id: string,
  dependency: string,
): Promise<Edit | undefined> {
  const yaml = await import('yaml')
  // JSON may be indented with tabs, which YAML rejects. One space each keeps the offsets.
  const source = text.replace(/^[\t ]+/gm, (blank) => ' '.repeat(blank.length))
  const options = { version: '1.1', uniqueKeys: false, logLevel: 'silent' } as const
  const document = yaml.parseDocument(source, options)
  const resource: unknown = document.getIn(['Resources', id], true)
  if (!yaml.isMap(resource)) return undefined
  const findMember = (name: string): Pair | undefined =>
    resource.items.find(({ key }) => (key as Scalar).value === name)
  const type = findMember('Type')
  const existing = findMember('DependsOn')
  if (existing !== undefined) return extendMember(yaml, text, existing, dependency)
  return type === undefined ? undefined : insertMember(text, resource, type, dependency)
}

const getRange = (node: unknown): Range => {
  const [start, end] = (node as { range: readonly [number, number, number] }).range
  return [start, end]
}

const quoteLike = ({ key }: Pair, text: string): string =>
  (key as Scalar).type === 'QUOTE_DOUBLE' ? JSON.stringify(text) : text

/** Adds the member after `Type`, on a line if `Type` is on one. */
function insertMember(text: string, resource: YAMLMap, type: Pair, dependency: string): Edit {
  const [keyStart] = getRange(type.key)
  const [, end] = getRange(type.value)
  const member = `${quoteLike(type, 'DependsOn')}: ${quoteLike(type, dependency)}`
  const lineBreak = getLineBreak(text) + getIndent(text, keyStart)
  if (resource.flow === true) {
    const isOnLine = text.slice(text.lastIndexOf('\n', keyStart) + 1, keyStart).trim() === ''
    return { start: end, end, text: isOnLine ? `,${lineBreak}${member}` : `, ${member}` }
  }
  // A comment may follow the value.
  const lineEnd = end + (/^[^\r\n]*/.exec(text.slice(end)) as RegExpExecArray)[0].length
  return { start: lineEnd, end: lineEnd, text: lineBreak + member }
}

function extendMember(
  yaml: Yaml,
  text: string,
  existing: Pair,
  dependency: string,
): Edit | undefined {
  const { value } = existing
  const added = quoteLike(existing, dependency)
  if (yaml.isScalar(value)) {
    const [start, end] = getRange(value)
    return { start, end, text: `[${text.slice(start, end)}, ${added}]` }
  }
  if (!yaml.isSeq(value) || value.items.length === 0) return undefined
  return extendList(text, value, added)
}

function extendList(text: string, { items, flow }: YAMLSeq, added: string): Edit {
  const [start, end] = getRange(items.at(-1))
  if (flow === true) return { start: end, end, text: `, ${added}` }
  const lineEnd = end + (/^[^\r\n]*/.exec(text.slice(end)) as RegExpExecArray)[0].length
  const line = `${getLineBreak(text)}${getIndent(text, start)}- ${added}`
  return { start: lineEnd, end: lineEnd, text: line }
}
