/** Suppressions of findings in templates, and the text of their comments. */
import { CHECK_CODES, type CheckCode } from '../check/finding.ts'
import type { Position } from '../position.ts'

/** A comment or metadata of a template that suppresses findings. */
export type Suppression = {
  readonly at: Position
  /** The text, on one line. */
  readonly text: string
} & (
  | {
      /** A comment. It applies to the findings in a range of lines of its file. */
      readonly kind: 'lines'
      readonly codes: readonly CheckCode[]
      readonly firstLine: number
      readonly lastLine: number
    }
  | {
      /** Metadata. It applies to the findings about a resource of its file. */
      readonly kind: 'resource'
      readonly codes: readonly CheckCode[]
      readonly resource: string
    }
  | {
      readonly kind: 'invalid'
      /** The first line that it would apply to. */
      readonly firstLine: number
      /** What was expected and what was found. */
      readonly problem: string
    }
)

/** The lines that a comment applies to. */
export interface LineRange {
  readonly firstLine: number
  readonly lastLine: number
}

/** A comment without its delimiters. */
export interface Comment {
  readonly at: Position
  readonly text: string
  readonly target: LineRange
}

/** Begins every comment that suppresses findings. */
export const MARKER = 'cognito-m2m-ignore'
const COMMENT: RegExp = /^cognito-m2m-ignore(?![\w-])([^:]*)(?::(.*))?$/s
/** Codes about suppressions and about facts without a value. They have other remedies. */
const NOT_SUPPRESSIBLE: ReadonlySet<string> = new Set([
  'suppression-invalid',
  'suppression-unused',
  'baseline-unused',
  'not-evaluated',
])

const isSuppressible = (code: string): code is CheckCode =>
  (CHECK_CODES as readonly string[]).includes(code) && !NOT_SUPPRESSIBLE.has(code)

/** @returns Undefined for a comment that suppresses nothing. */
export function parseComment({ at, text, target }: Comment): Suppression | undefined {
  const trimmed = text.trim()
  const [, names, reason] = COMMENT.exec(trimmed) ?? []
  if (names === undefined) return undefined
  const codes = readCodes(names.split(/[\s,]+/).filter((name) => name !== ''))
  const result = typeof codes === 'string' ? codes : (checkReason(reason) ?? codes)
  const line = trimmed.replaceAll(/\s+/g, ' ')
  if (typeof result !== 'string') return { kind: 'lines', at, text: line, codes: result, ...target }
  return { kind: 'invalid', at, text: line, firstLine: target.firstLine, problem: result }
}

/** Reads one item of the metadata of a resource. */
export function createResourceSuppression(
  at: Position,
  resource: string,
  code: string | undefined,
  reason: string | undefined,
): Suppression {
  const codes = readCodes(code === undefined ? [] : [code])
  const result = typeof codes === 'string' ? codes : (checkReason(reason) ?? codes)
  const text = `${resource} ${code ?? ''}`.trim()
  return typeof result === 'string'
    ? { kind: 'invalid', at, text, firstLine: at.line, problem: result }
    : { kind: 'resource', at, text, codes: result, resource }
}

/** @returns The problem if a code is missing or unknown. */
function readCodes(names: readonly string[]): readonly CheckCode[] | string {
  const unknown = names.find((name) => !isSuppressible(name))
  if (unknown !== undefined) return `expected codes of findings, got ${unknown}`
  return names.length > 0 ? names.filter(isSuppressible) : 'expected a code of a finding, got none'
}

/** @returns The problem if there is no reason. Invisible characters are none. */
const checkReason = (reason = ''): string | undefined =>
  /[\p{L}\p{N}]/u.test(reason) ? undefined : 'expected a reason, got none'
