/** What an app registers once with the compiler: its scopes. */

/** Keeps the interface from being empty; nobody sets it. */
declare const unset: unique symbol

/**
 * Where an app registers its scopes, so that a misspelt scope string does not compile:
 *
 * ```ts
 * declare module 'cognito-m2m' {
 *   interface Register {
 *     scopes: typeof orders // or an array of several: typeof apis
 *   }
 * }
 * ```
 *
 * It is read by the compiler alone, and holds for every file of a program.
 */
export interface Register {
  readonly [unset]?: never
}

/** Scopes Cognito itself defines; only users' tokens carry them. */
export type ReservedScope =
  | 'openid'
  | 'email'
  | 'phone'
  | 'profile'
  | 'aws.cognito.signin.user.admin'

/** Every scope of what `defineScopes` gave, of an array of those, or of scope strings. */
export type ScopesOf<Defined> = Defined extends string
  ? Defined
  : Defined extends readonly (infer Each)[]
    ? ScopesOf<Each>
    : Defined[keyof Defined & string]

/**
 * A scope as code may name it: one of those in {@link Register} or of Cognito's own, and any string
 * where none are registered.
 */
export type Scope = Register extends { readonly scopes: infer Registered }
  ? ScopesOf<Registered> | ReservedScope
  : string
