/** What a Cognito scope looks like, and scopes defined once for code, documents and templates. */
import { describeValue, OptionError, readList } from './options/validate.ts'

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
type ScopesOf<Defined> = Defined extends string
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

/** Longest `identifier/name` Cognito accepts. */
const MAX_SCOPE_LENGTH = 256
const MAX_RESOURCE_SERVERS = 25
const IDENTIFIER = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
const NAME = /^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$/

/**
 * Scopes without a resource server that Cognito itself defines. Only users' tokens carry them, so
 * they are of use with `subjects: 'any'`.
 */
const RESERVED: ReadonlySet<string> = new Set<ReservedScope>([
  ...(['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'] as const),
])

/** Whether Cognito defines it: such a scope belongs to no resource server. */
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

/** Registered: tools of another copy of this package find what an app defines. */
const definition: unique symbol = Symbol.for('cognito-m2m.resourceServer')

/** What {@link defineScopes} gives: each member is the whole scope string as a literal type. */
export type DefinedScopes<
  Identifier extends string = string,
  Scopes extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
> = { readonly [Name in keyof Scopes & string]: `${Identifier}/${Name}` } & {
  readonly [definition]: { readonly identifier: Identifier; readonly scopes: Scopes }
}

/** Refuses what Cognito would not accept as a scope of an access token. */
export function checkScope(value: unknown, place: string): string {
  if (typeof value !== 'string') {
    throw new OptionError(place, `is ${describeValue(value)}: pass a scope as a string`)
  }
  if (isReserved(value)) return value
  if (/\s/.test(value)) {
    throw new OptionError(
      place,
      `is ${describeValue(value)}: a scope has no spaces, pass several as an array`,
    )
  }
  // The identifier may contain slashes itself, so the last one separates.
  const slash = value.lastIndexOf('/')
  const wellFormed =
    value.length <= MAX_SCOPE_LENGTH &&
    slash > 0 &&
    IDENTIFIER.test(value.slice(0, slash)) &&
    NAME.test(value.slice(slash + 1))
  if (!wellFormed) {
    throw new OptionError(
      place,
      `is ${describeValue(value)}: a scope is "identifier/name", for example "orders/read"`,
    )
  }
  return value
}

/**
 * Defines the scopes of one resource server, once, with their descriptions.
 *
 * ```ts
 * const orders = defineScopes('orders', { read: 'Read orders', write: 'Change orders' })
 * orders.read // 'orders/read', as a literal type: a misspelt member does not compile
 * ```
 *
 * @param identifier The resource server's identifier, 1–256 of the characters Cognito allows.
 * @param scopes Scope name to description; both 1–256 characters, at most 100 scopes.
 * @throws {OptionError} `ERR_OPTION_INVALID` where Cognito would refuse the definition.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
 */
export function defineScopes<
  const Identifier extends string,
  const Scopes extends Readonly<Record<string, string>>,
>(identifier: Identifier, scopes: Scopes): DefinedScopes<Identifier, Scopes> {
  const server = checkResourceServer({ identifier, scopes }, 'defineScopes')
  const members: Record<string, string> = {}
  for (const name of Object.keys(server.scopes)) {
    // Own property even for a name like `__proto__`, which an assignment would lose.
    Object.defineProperty(members, name, {
      value: `${identifier}/${name}`,
      enumerable: true,
    })
  }
  Object.defineProperty(members, definition, { value: server })
  return Object.freeze(members) as unknown as DefinedScopes<Identifier, Scopes>
}

/** The resource server behind either form; checks a literal one against Cognito's limits. */
export function getResourceServer(value: unknown, place: string): ResourceServerDefinition {
  return checkResourceServer(isDefinedScopes(value) ? value[definition] : value, place)
}

/** Whether `defineScopes` gave it. */
export function isDefinedScopes(value: unknown): value is DefinedScopes {
  return typeof value === 'object' && value !== null && definition in value
}

/**
 * The resource servers of one user pool: each identifier once, 25 at most.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming `place` and the index.
 */
export function readResourceServers(
  value: unknown,
  place: string,
): readonly ResourceServerDefinition[] {
  const seen = new Set<string>()
  const servers = readList(value, place, (item, at) => {
    const server = getResourceServer(item, at)
    if (seen.has(server.identifier)) {
      throw new OptionError(
        at,
        `repeats the identifier ${describeValue(server.identifier)}: merge the two`,
      )
    }
    seen.add(server.identifier)
    return server
  })
  if (servers !== undefined && servers.length <= MAX_RESOURCE_SERVERS) return servers
  throw new OptionError(
    place,
    `is ${describeValue(value)}: pass an array of at most ${MAX_RESOURCE_SERVERS}`,
  )
}

/** Every scope of a resource server, as tokens carry it, with its description. */
export function listDescribedScopes({
  identifier,
  scopes,
}: ResourceServerDefinition): [string, string][] {
  return Object.entries(scopes).map(([name, description]) => [`${identifier}/${name}`, description])
}

function checkResourceServer(value: unknown, place: string): ResourceServerDefinition {
  const { identifier, scopes } = (value ?? {}) as Record<string, unknown>
  if (typeof identifier !== 'string' || !IDENTIFIER.test(identifier)) {
    throw new OptionError(
      `${place}.identifier`,
      `is ${describeValue(identifier)}: use 1 to 256 printable characters without space, quote or backslash`,
    )
  }
  if (typeof scopes !== 'object' || scopes === null || Array.isArray(scopes)) {
    throw new OptionError(
      `${place}.scopes`,
      `is ${describeValue(scopes)}: pass an object of scope name to description`,
    )
  }
  const names = Object.entries(scopes)
  if (names.length === 0 || names.length > 100) {
    throw new OptionError(`${place}.scopes`, `has ${names.length} scopes: Cognito takes 1 to 100`)
  }
  for (const [name, description] of names) {
    if (!NAME.test(name) || identifier.length + 1 + name.length > MAX_SCOPE_LENGTH) {
      throw new OptionError(
        `${place}.scopes`,
        `has the name ${describeValue(name)}: use printable characters without slash, space, quote or backslash, at most 256 together with the identifier`,
      )
    }
    if (typeof description !== 'string' || description.length < 1 || description.length > 256) {
      throw new OptionError(
        `${place}.scopes.${name}`,
        `is ${describeValue(description)}: describe the scope in 1 to 256 characters`,
      )
    }
  }
  return Object.freeze({
    identifier,
    scopes: Object.freeze({ ...scopes }) as Record<string, string>,
  })
}
