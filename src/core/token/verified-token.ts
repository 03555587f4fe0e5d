/** What a handler gets: the verified client, its scopes and claims, changeable by nobody. */
import type { MachineClaims } from './claims.ts'

/** A verified access token. Deep-frozen and shared between requests; the raw token is not on it. */
export interface VerifiedToken {
  /** The app client that called. */
  readonly clientId: string
  /** What it was granted. Immutable at run time too; serialises as an array. */
  readonly scopes: ReadonlySet<string>
  /** Equals `clientId` for machines; a user's id where `subjects: 'any'` lets users in. */
  readonly subject: string
  readonly userPoolId: string
  readonly issuer: string
  /** `jti`. */
  readonly tokenId: string
  /** Epoch seconds. */
  readonly issuedAt: number
  /** Epoch seconds. */
  readonly expiresAt: number
  /** Every claim, those a pre-token-generation Lambda added included. */
  readonly claims: MachineClaims
}

/** Of these, each runtime has what its `lib` types promise: the set operations came with Node 22. */
const READING_METHODS = [
  ...['keys', 'values', 'entries', 'union', 'intersection', 'difference'],
  ...['symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom'],
]

/**
 * `Object.freeze` does not reach the entries of a Set, and `Set.prototype.add.call` gets around a
 * subclass, so the entries live in a private field behind the reading half of Set's methods, which
 * see a copy.
 */
class ScopeSet {
  static {
    for (const name of READING_METHODS.filter((method) => method in Set.prototype)) {
      const method = Reflect.get(Set.prototype, name) as (...args: unknown[]) => unknown
      Object.defineProperty(ScopeSet.prototype, name, {
        value(this: ScopeSet, ...args: unknown[]): unknown {
          return Reflect.apply(method, new Set(this.#scopes), args)
        },
      })
    }
  }

  /** Few enough to be looked through; a Set of them takes three times the memory. */
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

/** Where a verified token came from. */
export interface TokenOrigin {
  readonly userPoolId: string
  readonly issuer: string
  /** The app client, as one string for all its tokens. */
  readonly clientId: string
}

/** What was decoded because somebody read it. */
interface Decoded {
  readonly claims: MachineClaims
  scopes: ScopeSet | undefined
}

/**
 * A token is kept for an hour and few handlers read all of it, so scopes, `jti` and claims stay encoded
 * until somebody does. They are accessors of the object itself, listed and spread like its other
 * members, and the same functions for all tokens: that costs a token no memory, and half a microsecond.
 */
class Token {
  static readonly #SCOPES: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      const decoded = this.#decode()
      decoded.scopes ??= new ScopeSet(parseScopes(decoded.claims))
      return decoded.scopes
    },
  }

  static readonly #TOKEN_ID: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      return this.#decode().claims.jti
    },
  }

  static readonly #CLAIMS: PropertyDescriptor = {
    enumerable: true,
    get(this: Token) {
      return this.#decode().claims
    },
  }

  readonly clientId: string
  readonly subject: string
  readonly userPoolId: string
  readonly issuer: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** One field for before and after: a cache has thousands of them. */
  #content: string | Decoded

  constructor(encoded: string, { sub, iat, exp }: MachineClaims, origin: TokenOrigin) {
    this.clientId = origin.clientId
    // One string where they are equal, as they are for machines.
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

  #decode(): Decoded {
    if (typeof this.#content === 'string') {
      const { clientId: client_id, subject: sub, issuer: iss } = this
      // The same strings again: those of the payload are let go of.
      const claims = Object.assign(payloadOf(this.#content), { client_id, sub, iss })
      this.#content = { claims: deepFreeze(claims), scopes: undefined }
    }
    return this.#content
  }

  /** What a console prints: members, not that there are accessors. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return { ...this }
  }
}

Object.freeze(Token.prototype)
Object.freeze(Token)

/**
 * Makes the token of verified claims.
 *
 * @param encoded Where they are encoded: the token, or a header value that ends with it.
 */
export function createVerifiedToken(
  encoded: string,
  claims: MachineClaims,
  origin: TokenOrigin,
): VerifiedToken {
  return new Token(encoded, claims, origin) as unknown as VerifiedToken
}

/** The scopes of claims, none for an empty list; nor for one that stands on every object. */
export function parseScopes(claims: MachineClaims): readonly string[] {
  const scope = Object.hasOwn(claims, 'scope') ? claims.scope : undefined
  return scope === undefined || scope === '' ? [] : scope.split(' ')
}

/** Was read strictly before its signature was checked. */
function payloadOf(encoded: string): MachineClaims {
  const [, payload = ''] = encoded.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as MachineClaims
}

/** Recursion is bounded by the depth strict decoding lets through. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
