/** Corrects misspelled scopes for which there is one candidate. */
import { createTextReader } from '../../../../contract/infra/check/symbolic.ts'
import type { Finding, InfraModel } from '../../../../contract/infra/index.ts'
import { measureDistance } from '../../../files/distance.ts'
import { type Edit, findOffset } from './edit.ts'

/** Shortest name that may be a misspelling. Shorter ones are often different names. */
const MIN_LENGTH = 4
/** A name of at least this length may have two mistakes. */
const LONG_LENGTH = 8

/** Text of a scope at its position: an optional quote, and the scope up to a delimiter. */
const SCOPE_TEXT = /^["']?([^\s"',[\]]+)/

/** Returns the edit, or undefined if the scope has no or several candidates, or is not written at its position. */
export function fixScope(
  finding: Finding,
  text: string,
  models: readonly InfraModel[],
): Edit | undefined {
  const { line, column, value = '' } = finding
  const correct = findCandidate(value, listDefinedScopes(models))
  if (correct === undefined) return undefined
  const start = findOffset(text, line, column)
  const [matched, written = ''] = SCOPE_TEXT.exec(text.slice(start)) ?? ['']
  const slash = value.lastIndexOf('/')
  // The identifier may be a reference. Then only the name is text.
  const isNameWrong = correct.startsWith(value.slice(0, slash + 1))
  const wrongText = isNameWrong ? value.slice(slash) : value
  if (!written.endsWith(wrongText)) return undefined
  const end = start + matched.length
  const replacement = isNameWrong ? correct.slice(slash) : correct
  return { start: end - wrongText.length, end, text: replacement }
}

/** Lists scopes in their readable form, as findings have them: `${Server}/read`. Names are known. */
function listDefinedScopes(models: readonly InfraModel[]): ReadonlySet<string> {
  const reader = createTextReader(models)
  const scopes = new Set<string>()
  for (const model of models) {
    for (const server of model.resourceServers) {
      const identifier = reader.readIdentifier(model, server).label
      for (const { name } of server.scopes) {
        if (name?.value !== undefined) scopes.add(`${identifier}/${name.value}`)
      }
    }
  }
  return scopes
}

/** Returns the defined scope that the misspelled one must be. Undefined if there is none or a choice. */
export function findCandidate(scope: string, defined: Iterable<string>): string | undefined {
  const candidates = [...defined].filter((one) => isMisspelling(scope, one))
  return candidates.length === 1 ? candidates[0] : undefined
}

/** Either the identifier or the name differs by a mistake. Digits differ deliberately, as in `v1` and `v2`. */
function isMisspelling(wrong: string, correct: string): boolean {
  const [wrongIdentifier, wrongName] = splitScope(wrong)
  const [identifier, name] = splitScope(correct)
  const digits = (text: string): string => text.replaceAll(/\D/g, '')
  if (digits(wrong) !== digits(correct)) return false
  if (wrongIdentifier === identifier) return isSimilar(wrongName, name)
  return wrongName === name && isSimilar(wrongIdentifier, identifier)
}

function splitScope(scope: string): readonly [string, string] {
  const slash = scope.lastIndexOf('/')
  return [scope.slice(0, Math.max(slash, 0)), scope.slice(slash + 1)]
}

function isSimilar(wrong: string, correct: string): boolean {
  const length = Math.min(wrong.length, correct.length)
  if (length < MIN_LENGTH) return false
  return measureDistance(wrong, correct) <= (length >= LONG_LENGTH ? 2 : 1)
}
