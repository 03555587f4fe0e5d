/** What a check of a token comes to, and what it is made against. */
import type { AuthErrorCode } from '../../../core/errors.ts'
import type { KeySets } from './keys.ts'
import type { Trust } from './trust.ts'

/** What came of one check. Texts are printable lines. */
export interface Check {
  readonly check: string
  readonly state: 'passed' | 'failed' | 'unjudged'
  /** What an API answers because of it, unless a check before it decides. */
  readonly code?: AuthErrorCode
  readonly message: string
  /** What to change; of failed checks alone. */
  readonly fix?: string
}

/** What a token is held against. */
export interface Expectations {
  readonly trust: Trust
  readonly keys: KeySets
  /** App clients that may call; undefined: any. */
  readonly clientIds: readonly string[] | undefined
  readonly subjects: 'machine' | 'any'
  /** The API's identifiers, for users' tokens; undefined: none. */
  readonly audience: readonly string[] | undefined
  /** All of them are needed. */
  readonly scopes: readonly string[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Wall clock, milliseconds. */
  readonly now: number
}

export function passed(check: string, message: string): Check {
  return { check, state: 'passed', message }
}

export function failed(check: string, code: AuthErrorCode, message: string, fix: string): Check {
  return { check, state: 'failed', code, message, fix }
}

export function unjudged(check: string, message: string, code?: AuthErrorCode): Check {
  return { check, state: 'unjudged', message, ...(code === undefined ? {} : { code }) }
}
