/** What `checkScopes` finds, and every code it may have. */
import type { Position } from '../position.ts'

/** A closed set, stable across releases; each has a failing and a fixed example in docs/check-codes.md. */
export type CheckCode =
  | 'scope-undefined'
  | 'grant-undefined'
  | 'scope-unused'
  | 'flow-mixed'
  | 'client-no-secret'
  | 'oauth-off'
  | 'scope-order'
  | 'reference-missing'
  | 'cognito-limit'
  | 'lifetime-ttl'
  | 'authorizer-no-scopes'
  | 'client-over-granted'
  | 'authorizer-excludes'
  | 'route-unprotected'
  | 'route-open-in-code'
  | 'route-open-in-template'
  | 'document-differs'

/** One drift or mistake, with its place. Messages are one printable line each. */
export interface Finding extends Position {
  /** `error`: the deployment fails, or callers are refused or let in that should not be. */
  readonly severity: 'error' | 'warning'
  readonly code: CheckCode
  readonly message: string
  readonly fix: string
}

export function createFinding(
  at: Position,
  severity: Finding['severity'],
  code: CheckCode,
  message: string,
  fix: string,
): Finding {
  const { file, line, column } = at
  return { file, line, column, severity, code, message, fix }
}
