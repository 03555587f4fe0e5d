/** The format and limits of Cognito scopes, and scopes defined once for code, documents and templates. */

import { describeValue, OptionError, readList } from './options/validate.ts'

/** Keeps the interface from being empty. No value has it. */
declare const unset: unique symbol

/**
 * Registers an app's scopes, so that a misspelt scope string does not compile.
 *
 * @example
 * ```ts
 * declare module 'cognito-m2m' {
 *   interface Register {
 *     scopes: typeof orders // or an array of several: typeof apis
 *   }
 * }
 * ```
 *
 * Only the compiler reads it. It applies to every file of a program.
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

/** Every scope of a `defineScopes` result, of an array of those, or of scope strings. */
type ScopesOf<Defined> = Defined extends string
  ? Defined
  : Defined extends readonly (infer Each)[]
    ? ScopesOf<Each>
    : Defined[keyof Defined & string]

/**
 * A scope in code: one of those in {@link Register} or one that Cognito defines. If none are registered, any
 * string.
 */
export type Scope = Register extends { readonly scopes: infer Registered }
  ? ScopesOf<Registered> | ReservedScope
  : string

/** Longest `identifier/name` that Cognito accepts, in characters. */
export const MAX_SCOPE_LENGTH = 256
/** Longest description of a scope, in characters. */
export const MAX_DESCRIPTION_LENGTH = 256
/** Most resource servers of a user pool. */
export const MAX_RESOURCE_SERVERS = 25
/** Most scopes of a resource server. */
export const MAX_SCOPES_PER_SERVER = 100
/** Most scopes of an app client. */
export const MAX_SCOPES_PER_CLIENT = 50
/** Most scopes of a route of an HTTP API. */
export const MAX_SCOPES_PER_ROUTE = 10
/** The identifier of a resource server. */
export const IDENTIFIER_PATTERN: RegExp = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
/** The name of a scope, without its identifier. */
export const NAME_PATTERN: RegExp = /^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$/

/**
 * Scopes that Cognito itself defines, without a resource server. Only users' tokens have them, so a route can
 * require them with `subjects: 'any'` only.
 */
const RESERVED: ReadonlySet<string> = new Set<ReservedScope>([
  'openid',
  'email',
  'phone',
  'profile',
  'aws.cognito.signin.user.admin',
])

/** Whether Cognito itself defines the scope: it belongs to no resource server. */
export function isReserved(scope: string): boolean {
  return RESERVED.has(scope)
}

/** A resource server: an identifier and the scopes below it, each with its description. */
export interface ResourceServerDefinition {
  /** For example `orders` or `https://api.example.com/orders`; 1–256 characters. */
  readonly identifier: string
  /** Scope name to description, for example `{ read: 'Read orders' }`. */
  readonly scopes: Readonly<Record<string, string>>
}

/** A registered symbol: tools with another copy of this package find what an app defines. */
const definition: unique symbol = Symbol.for('cognito-m2m.resourceServer')

/** Result of {@link defineScopes}: each member is the whole scope string as a literal type. */
export type DefinedScopes<
  Identifier extends string = string,
  Scopes extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
> = { readonly [Name in keyof Scopes & string]: `${Identifier}/${Name}` } & {
  readonly [definition]: { readonly identifier: Identifier; readonly scopes: Scopes }
}

/**
 * Returns the scope if Cognito would accept it in an access token.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` for any other value.
 */
export function checkScope(value: unknown, optionPath: string): string {
  if (typeof value !== 'string') {
    throw new OptionError(
      optionPath,
      `expected a scope as a string, got ${describeValue(value)}. Write, for example, "orders/read".`,
    )
  }
  if (isReserved(value)) return value
  if (/\s/.test(value)) {
    throw new OptionError(
      optionPath,
      `expected one scope without spaces, got ${describeValue(value)}. Pass several as an array.`,
    )
  }
  // The identifier may contain slashes itself, so the last one separates.
  const slash = value.lastIndexOf('/')
  const wellFormed =
    value.length <= MAX_SCOPE_LENGTH &&
    slash > 0 &&
    IDENTIFIER_PATTERN.test(value.slice(0, slash)) &&
    NAME_PATTERN.test(value.slice(slash + 1))
  if (!wellFormed) {
    throw new OptionError(
      optionPath,
      `expected a scope as "identifier/name", got ${describeValue(value)}. Write, for example, "orders/read".`,
    )
  }
  return value
}

/**
 * Defines the scopes of one resource server, once, with their descriptions.
 *
 * @param identifier The resource server's identifier, 1–256 of the characters Cognito allows.
 * @param scopes Scope name to description; both 1–256 characters, at most 100 scopes.
 * @returns A frozen object with each scope under its name.
 * @throws {OptionError} `ERR_OPTION_INVALID` if Cognito would reject the definition.
 * @example
 * ```ts
 * const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
 * orders.read // 'orders/read', as a literal type: a misspelt member does not compile
 * ```
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
 */
export function defineScopes<
  const Identifier extends string,
  const Scopes extends Readonly<Record<string, string>>,
>(identifier: Identifier, scopes: Scopes): DefinedScopes<Identifier, Scopes> {
  const server = checkResourceServer({ identifier, scopes }, 'defineScopes')
  const members: Record<string, string> = {}
  for (const name of Object.keys(server.scopes)) {
    // An own property even for a name like `__proto__`, which an assignment would lose.
    Object.defineProperty(members, name, {
      value: `${identifier}/${name}`,
      enumerable: true,
    })
  }
  Object.defineProperty(members, definition, { value: server })
  return Object.freeze(members) as unknown as DefinedScopes<Identifier, Scopes>
}

/** The resource server of a definition in either form. A literal one is checked against Cognito's limits. */
export function getResourceServer(value: unknown, optionPath: string): ResourceServerDefinition {
  return checkResourceServer(isDefinedScopes(value) ? value[definition] : value, optionPath)
}

/** Whether the value is a result of `defineScopes`. */
export function isDefinedScopes(value: unknown): value is DefinedScopes {
  return typeof value === 'object' && value !== null && definition in value
}

/**
 * Reads the resource servers of one user pool: each identifier once, 25 at most.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming `optionPath` and the index.
 */
export function readResourceServers(
  value: unknown,
  optionPath: string,
): readonly ResourceServerDefinition[] {
  const identifiers = new Set<string>()
  const servers = readList(value, optionPath, (item, itemPath) => {
    const server = getResourceServer(item, itemPath)
    if (identifiers.has(server.identifier)) {
      throw new OptionError(
        itemPath,
        `expected an identifier that no other resource server has, got ${describeValue(server.identifier)} again. Merge the two resource servers.`,
      )
    }
    identifiers.add(server.identifier)
    return server
  })
  if (servers !== undefined && servers.length <= MAX_RESOURCE_SERVERS) return servers
  throw new OptionError(
    optionPath,
    `expected an array of at most ${MAX_RESOURCE_SERVERS} resource servers, got ${servers?.length ?? describeValue(value)}. Split them over several user pools.`,
  )
}

/** Every scope of a resource server, as tokens carry it, with its description. */
export function listDescribedScopes({
  identifier,
  scopes,
}: ResourceServerDefinition): [string, string][] {
  return Object.entries(scopes).map(([name, description]) => [`${identifier}/${name}`, description])
}

function checkResourceServer(value: unknown, optionPath: string): ResourceServerDefinition {
  const { identifier, scopes } = (value ?? {}) as Record<string, unknown>
  if (typeof identifier !== 'string' || !IDENTIFIER_PATTERN.test(identifier)) {
    throw new OptionError(
      `${optionPath}.identifier`,
      `expected 1 to 256 printable characters without space, quote or backslash, got ${describeValue(identifier)}. Change the identifier.`,
    )
  }
  if (typeof scopes !== 'object' || scopes === null || Array.isArray(scopes)) {
    throw new OptionError(
      `${optionPath}.scopes`,
      `expected an object of scope names and descriptions, got ${describeValue(scopes)}. Write, for example, { read: "Read orders" }.`,
    )
  }
  const names = Object.entries(scopes)
  if (names.length === 0 || names.length > MAX_SCOPES_PER_SERVER) {
    throw new OptionError(
      `${optionPath}.scopes`,
      `expected 1 to ${MAX_SCOPES_PER_SERVER} scopes, got ${names.length}. Define 1 to ${MAX_SCOPES_PER_SERVER} scopes for each resource server.`,
    )
  }
  for (const [name, description] of names) {
    if (!NAME_PATTERN.test(name) || identifier.length + 1 + name.length > MAX_SCOPE_LENGTH) {
      throw new OptionError(
        `${optionPath}.scopes`,
        `expected names of printable characters without slash, space, quote or backslash, at most 256 together with the identifier, got ${describeValue(name)}. Rename the scope.`,
      )
    }
    if (
      typeof description !== 'string' ||
      description.length < 1 ||
      description.length > MAX_DESCRIPTION_LENGTH
    ) {
      throw new OptionError(
        `${optionPath}.scopes.${name}`,
        `expected a description of 1 to 256 characters, got ${describeValue(description)}. Describe the scope.`,
      )
    }
  }
  return Object.freeze({
    identifier,
    scopes: Object.freeze({ ...scopes }) as Record<string, string>,
  })
}
