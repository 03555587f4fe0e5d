/** Templates for tests: fixtures, and short descriptions of models. */
import { readFileSync } from 'node:fs'
import {
  type CheckScopesOptions,
  checkScopes,
  type Fact,
  type FactList,
  type InfraModel,
  type Piece,
  readTemplate,
  type Source,
} from '../../src/contract/infra/index.ts'

export const fixture = (file: string): { file: string; text: string } => ({
  file,
  text: readFileSync(new URL(`../../fixtures/templates/${file}`, import.meta.url), 'utf8'),
})

export const read = (file: string, text: string): Promise<InfraModel> =>
  readTemplate({ file, text })

/** Returns `line:column value`. An unknown value is `?` with its source. */
export function describeFact(fact: Fact<unknown> | undefined): string | undefined {
  if (fact === undefined) return undefined
  const from = fact.pieces?.map(piece).join('') ?? origin(fact.source)
  const value = fact.value === undefined ? `?${from === '' ? '' : ` ${from}`}` : String(fact.value)
  return `${fact.at.line}:${fact.at.column} ${value}`
}

/** A value that is computed from the origin has a tilde. */
const origin = ({ namePieces: _, isDerived, ...source }: Source): string =>
  `${isDerived === true ? '~' : ''}${Object.values(source).join('.')}`
const piece = (one: Piece): string => (typeof one === 'string' ? one : `<${origin(one)}>`)

export const describeList = (
  list: FactList<string> | undefined,
): (string | undefined)[] | undefined =>
  list?.items.map(describeFact).concat(list.complete ? [] : ['…'])

/** Describes a model, one line for each fact: `line:column value`. */
export function describeModel(model: InfraModel): string {
  const {
    dialect,
    files: _,
    suppressions: __,
    unread: ___,
    complete,
    dangling,
    problems,
    ...kinds
  } = model
  const lines = [`${dialect}${complete ? '' : ', open'}`]
  for (const [kind, resources] of Object.entries(kinds)) {
    for (const resource of resources) {
      const { id, at, ...members } = resource
      lines.push(`${kind} ${id} ${at.line}:${at.column}`)
      for (const [name, value] of Object.entries(members)) {
        if (value !== (name === 'complete' || name === 'scopesComplete')) {
          lines.push(...describeMember(value).map((line) => `  ${name} ${line}`))
        }
      }
    }
  }
  lines.push(...problems.map(({ at, kind, name }) => `${kind} ${at.line}:${at.column} ${name}`))
  lines.push(...dangling.map(({ at, name }) => `dangling ${at.line}:${at.column} ${name}`))
  return `${lines.join('\n')}\n`
}

function describeMember(value: unknown): (string | undefined)[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  if ('items' in value) return [`[${describeList(value as FactList<string>)?.join(', ')}]`]
  if ('source' in value) return [describeFact(value as Fact<unknown>)]
  if (!Array.isArray(value)) return [JSON.stringify(value)]
  return value.every((item) => typeof item === 'string')
    ? value.length === 0
      ? []
      : [value.join(' ')]
    : value.map(({ name, description }) =>
        [describeFact(name), describeFact(description)].join(', '),
      )
}

/** `severity code file: text` of each finding, the text being what stands at its place. */
export async function listFindings(
  files: Readonly<Record<string, string>>,
  options: CheckScopesOptions = {},
): Promise<string[]> {
  const models = await Promise.all(Object.entries(files).map(([file, text]) => read(file, text)))
  return checkScopes(models, options).map(({ severity, code, file, line, column }) => {
    const text = files[file]?.split('\n')[line - 1]?.slice(column - 1) ?? `${line}:${column}`
    return `${severity} ${code} ${file}: ${/^(?:[^,\]}]*\$\{[^}]*\})?[^,\]}]*/.exec(text)?.[0].trim()}`
  })
}
