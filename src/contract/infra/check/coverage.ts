/** Coverage of `checkScopes`: what it evaluates in templates, and what it cannot evaluate. */
import type { Position } from '../position.ts'

/** A fact that cannot be evaluated because only the deployment determines it. It has the position of the fact. */
export interface UnevaluatedFact extends Position {
  /** The logical id or Terraform address of the resource. Empty for a fact about a whole template. */
  readonly resource: string
  /**
   * The fact, on one printable line: `scope ${Prefix}/read`, `user pool`, `flows`. Together with `resource`, it
   * identifies the fact across changes of the template that only move lines.
   */
  readonly fact: string
  /**
   * What would resolve it, on one printable line. It names the parameter, pseudo parameter, variable or template:
   * `pass parameter Prefix`, `pass pseudo parameter AWS::StackName`, `pass variable prefix`.
   */
  readonly resolve: string
}

/** How many items the templates have, and how many of them were evaluated. */
export interface CoverageCount {
  readonly total: number
  /** The items without an unevaluated fact. */
  readonly evaluated: number
}

/** What `checkScopes` evaluated. */
export interface Coverage {
  /** The names of the files that were read, in the order of the models. */
  readonly files: readonly string[]
  readonly clients: CoverageCount
  /** Scopes that resource servers define, clients are granted, and routes and authorizers require. */
  readonly scopes: CoverageCount
  /** Routes of API Gateway, of the app, and of its OpenAPI document. */
  readonly routes: CoverageCount
  readonly authorizers: CoverageCount
  /** Sorted by file, line and column. Empty if everything was evaluated. */
  readonly unevaluated: readonly UnevaluatedFact[]
}
