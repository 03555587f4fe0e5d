/** Templates of the tests: fixtures by name, and what a model says in few words. */
import { readFileSync } from 'node:fs'
import {
  type CheckScopesOptions,
  checkScopes,
  type Fact,
  type FactList,
  type InfraModel,
  readTemplate,
} from '../../src/infra/index.ts'

export const fixture = (file: string): { file: string; text: string } => ({
  file,
  text: readFileSync(new URL(`../../fixtures/templates/${file}`, import.meta.url), 'utf8'),
})

export const read = (file: string, text: string): Promise<InfraModel> =>
  readTemplate({ file, text })

/** `line:column value`, `?` where it is unknown, with what it is taken from. */
export function told(fact: Fact<unknown> | undefined): string | undefined {
  if (fact === undefined) return undefined
  const { resource, attribute, ssm, imported } = fact.source
  const from = [resource, attribute, ssm, imported].filter((part) => part !== undefined).join('.')
  const value = fact.value === undefined ? `?${from === '' ? '' : ` ${from}`}` : String(fact.value)
  return `${fact.at.line}:${fact.at.column} ${value}`
}

export const listed = (list: FactList<string> | undefined): (string | undefined)[] | undefined =>
  list?.items.map(told).concat(list.complete ? [] : ['…'])

/** `severity code file: text` of each finding, the text being what stands at its place. */
export async function found(
  files: Readonly<Record<string, string>>,
  options: CheckScopesOptions = {},
): Promise<string[]> {
  const models = await Promise.all(Object.entries(files).map(([file, text]) => read(file, text)))
  return checkScopes(models, options).map(({ severity, code, file, line, column }) => {
    const text = files[file]?.split('\n')[line - 1]?.slice(column - 1) ?? `${line}:${column}`
    return `${severity} ${code} ${file}: ${/^(?:[^,\]}]*\$\{[^}]*\})?[^,\]}]*/.exec(text)?.[0].trim()}`
  })
}
