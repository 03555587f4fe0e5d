/** The token that a handler gets: the verified client, its scopes and claims. Immutable. */

import type { MachineClaims } from './claims.ts'

/** A verified access token. Deep-frozen and shared between requests; the raw token is not on it. */
export interface VerifiedToken {
  /** The app client of the caller. */
  readonly clientId: string
  /** Granted scopes. Immutable at run time too. `JSON.stringify` writes an array. */
  readonly scopes: ReadonlySet<string>
  /** Equals `clientId` for machines; a user's id if `subjects: 'any'` allows users. */
  readonly subject: string
  readonly userPoolId: string
  readonly issuer: string
  /** `jti`. */
  readonly tokenId: string
  /** Epoch seconds. */
  readonly issuedAt: number
  /** Epoch seconds. */
  readonly expiresAt: number
  /** Every claim, including those that a pre-token-generation Lambda added. */
  readonly claims: MachineClaims
}

/** Methods of Set that only read. The set operations exist from Node 22 on. */
const READ_METHODS = [
  'keys',
  'values',
  'entries',
  'union',
  'intersection',
  'difference',
  'symmetricDifference',
  'isSubsetOf',
  'isSupersetOf',
  'isDisjointFrom',
]

/**
 * An immutable set of scopes. `Object.freeze` does not reach the entries of a Set, and
 * `Set.prototype.add.call` bypasses a subclass. So the entries are in a private field, and Set's read methods
 * run on a copy.
 */
class ScopeSet {
  static {
    for (const name of READ_METHODS.filter((method) => method in Set.prototype)) {
      const method = Reflect.get(Set.prototype, name) as (...args: unknown[]) => unknown
      Object.defineProperty(ScopeSet.prototype, name, {
        value(this: ScopeSet, ...args: unknown[]): unknown {
          return Reflect.apply(method, new Set(this.#scopes), args)
        },
      })
    }
  }

  /** An array: a Set takes three times the memory, and there are few enough for a linear search. */
  readonly #scopes: readonly string[]

  constructor(scopes: Iterable<string>) {
    this.#scopes = [...new Set(scopes)]
    Object.freeze(this)
  }

  get size(): number {
    return this.#scopes.length
  }

  get [Symbol.toStringTag](): string {
    return 'Set'
  }

  has(scope: string): boolean {
    return this.#scopes.includes(scope)
  }

  [Symbol.iterator](): SetIterator<string> {
    return new Set(this.#scopes).values()
  }

  forEach(
    callback: (scope: string, same: string, set: ReadonlySet<string>) => void,
    thisArg?: unknown,
  ): void {
    for (const scope of this.#scopes) callback.call(thisArg, scope, scope, this as never)
  }

  toJSON(): string[] {
    return [...this.#scopes]
  }
}

Object.freeze(ScopeSet.prototype)
Object.freeze(ScopeSet)

/** The issuer and client of a verified token. */
export interface TokenOrigin {
  readonly userPoolId: string
  readonly issuer: string
  /** The app client: one interned string for all its tokens. */
  readonly clientId: string
}

/** Claims and scopes, decoded on first use. */
interface Decoded {
  readonly claims: MachineClaims
  scopes: ScopeSet | undefined
}

/**
 * A token is cached for an hour and few handlers read all of it, so scopes, `jti` and claims stay encoded until
 * a handler reads them. They are own accessors, not getters of the prototype: `{ ...token }` and `Object.keys`
 * must include them. All tokens share the functions, so an accessor costs no memory. Defining the three costs
 * half a microsecond per token.
 */
class Token {
  static readonly #SCOPES: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      const decoded = Token.#decode(this)
      decoded.scopes ??= new ScopeSet(parseScopes(decoded.claims))
      return decoded.scopes
    },
  }

  static readonly #TOKEN_ID: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      return Token.#decode(this).claims.jti
    },
  }

  static readonly #CLAIMS: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      return Token.#decode(this).claims
    },
  }

  readonly clientId: string
  readonly subject: string
  readonly userPoolId: string
  readonly issuer: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** One field for both states, because a cache has thousands of tokens. */
  #content: string | Decoded

  constructor(encoded: string, { sub, iat, exp }: MachineClaims, origin: TokenOrigin) {
    this.clientId = origin.clientId
    // Share the string if they are equal, as for machines.
    this.subject = sub === origin.clientId ? origin.clientId : sub
    this.userPoolId = origin.userPoolId
    this.issuer = origin.issuer
    this.issuedAt = iat
    this.expiresAt = exp
    this.#content = encoded
    Object.defineProperty(this, 'scopes', Token.#SCOPES)
    Object.defineProperty(this, 'tokenId', Token.#TOKEN_ID)
    Object.defineProperty(this, 'claims', Token.#CLAIMS)
    Object.freeze(this)
  }

  /** Static: a private method would cost each token a field. */
  static #decode(token: Token): Decoded {
    if (typeof token.#content === 'string') {
      const { clientId: client_id, subject: sub, issuer: iss } = token
      // Share the strings of this object instead of those of the payload.
      const claims = Object.assign(decodePayload(token.#content), { client_id, sub, iss })
      token.#content = { claims: deepFreeze(claims), scopes: undefined }
    }
    return token.#content
  }

  /** Makes `console.log` print the values instead of `[Getter]`. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return { ...this }
  }
}

Object.freeze(Token.prototype)
Object.freeze(Token)

/**
 * Creates the token of verified claims.
 *
 * @param encoded The encoded token, or a header value that ends with it.
 */
export function createVerifiedToken(
  encoded: string,
  claims: MachineClaims,
  origin: TokenOrigin,
): VerifiedToken {
  return new Token(encoded, claims, origin) as unknown as VerifiedToken
}

/** The scopes of claims. Own property only: a polluted prototype must not grant a scope. */
export function parseScopes(claims: MachineClaims): readonly string[] {
  const scope = Object.hasOwn(claims, 'scope') ? claims.scope : undefined
  return scope === undefined || scope === '' ? [] : scope.split(' ')
}

/** `JSON.parse` is enough: the token was decoded strictly before its signature was checked. */
function decodePayload(encoded: string): MachineClaims {
  const [, payload = ''] = encoded.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as MachineClaims
}

/** Strict decoding bounds the depth of the recursion. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
