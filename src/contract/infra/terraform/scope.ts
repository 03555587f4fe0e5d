/** What the expressions of a Terraform module refer to: its blocks, other modules, and the loops around them. */
import type { Position } from '../position.ts'
import { type DanglingReference, ReferenceResolver, type Value } from '../resolve/value.ts'
import { type Budget, createWorkBudget } from '../syntax/limits.ts'
import type { Step } from './hcl.ts'
import type { Iteration, Member } from './iterations.ts'
import type { ModuleBlocks } from './modules.ts'

/** The blocks and values that expressions of a module refer to. */
export interface Module {
  readonly blocks: ModuleBlocks
  /** Prefix of the addresses of its resources: empty in the root module, else `module.auth.`. */
  readonly prefix: string
  /** Whether its providers may differ from those of the root module, so that the account or Region differs. */
  readonly hasProviders: boolean
  /** Returns the value that overrides the default of a variable. */
  readonly getVariable: (name: string) => Value | undefined
  /** Resolves a reference to a local module. Undefined for other modules. */
  readonly resolveCall: (
    name: string,
    steps: readonly Step[],
    at: Position,
  ) => { readonly value: Value; readonly rest: readonly Step[] } | undefined
}

/** What the resolvers of all modules of a template share. */
export interface SharedState {
  readonly names: ReferenceResolver
  readonly spend: Budget
  readonly dangling: DanglingReference[]
}

export const createSharedState = (): SharedState => ({
  names: new ReferenceResolver(),
  spend: createWorkBudget(),
  dangling: [],
})

/** The loops around an expression. */
export interface Scope {
  /** The member of `for_each`. */
  readonly each?: Member | undefined
  /** Variables of loops whose values are unknown. */
  readonly unknownNames: readonly string[]
  /** The iterations of `dynamic` blocks, by name of the iterator: `scope.key`, `scope.value`. */
  readonly iterations: ReadonlyMap<string, Iteration>
  /** The variables of `for` expressions. */
  readonly variables: ReadonlyMap<string, Value>
}

export const NO_LOOP: Scope = { unknownNames: [], iterations: new Map(), variables: new Map() }
