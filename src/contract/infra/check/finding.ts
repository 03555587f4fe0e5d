/** Findings of `checkScopes`, and their codes. */
import type { Position } from '../position.ts'

/**
 * The codes of findings: a closed set, stable across releases.
 *
 * @see docs/check-codes.md, which has a failing and a fixed example of each code.
 */
export const CHECK_CODES = [
  'scope-undefined',
  'grant-undefined',
  'scope-unused',
  'client-no-scopes',
  'scope-reserved',
  'flow-mixed',
  'flow-invalid',
  'client-no-secret',
  'oauth-off',
  'scope-order',
  'pool-reference',
  'identifier-repeated',
  'pool-no-domain',
  'trigger-version',
  'reference-missing',
  'transform-missing',
  'key-repeated',
  'cognito-limit',
  'lifetime-ttl',
  'authorizer-no-scopes',
  'authorizer-missing',
  'authorizer-mismatch',
  'authorizer-provider',
  'authorizer-issuer',
  'authorizer-audience',
  'client-over-granted',
  'authorizer-excludes',
  'route-unprotected',
  'route-open-in-code',
  'route-open-in-template',
  'document-differs',
  'suppression-invalid',
  'suppression-unused',
  'baseline-unused',
  'not-evaluated',
] as const

/** The code of a finding: one of {@link CHECK_CODES}. */
export type CheckCode = (typeof CHECK_CODES)[number]

/** One problem that `checkScopes` found, with its position. */
export interface Finding extends Position {
  /** `error`: the deployment fails, or the wrong callers are accepted or rejected. Otherwise `warning`. */
  readonly severity: 'error' | 'warning'
  readonly code: CheckCode
  /** The resource of the template (`OrdersClient`, `aws_cognito_user_pool_client.orders`), or the route (`GET /orders`). */
  readonly resource: string
  /** The value that the finding is about, such as a scope. */
  readonly value?: string
  /** What is wrong, on one printable line. May change between releases. */
  readonly message: string
  /** How to fix it, on one printable line. May change between releases. */
  readonly fix: string
}

/** What a finding is about. It identifies the finding when lines move. */
export interface Subject {
  readonly resource: string
  readonly value?: string
}

export function createFinding(
  at: Position,
  severity: Finding['severity'],
  code: CheckCode,
  message: string,
  fix: string,
  subject: Subject,
): Finding {
  const { file, line, column } = at
  return { file, line, column, severity, code, ...subject, message, fix }
}

/** Turns a finding that depends on an assumption into a warning that states it. */
export const addAssumption = (finding: Finding, assumption: string | undefined): Finding =>
  assumption === undefined
    ? finding
    : { ...finding, severity: 'warning', message: `${finding.message}; assumed: ${assumption}` }

/** Sorts by file, line and column. */
export const comparePositions = (a: Position, b: Position): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column
