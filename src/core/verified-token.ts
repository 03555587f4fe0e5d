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
 * subclass, so the entries live in a private field behind the reading half of Set's methods.
 */
class ScopeSet {
  static {
    for (const name of READING_METHODS.filter((method) => method in Set.prototype)) {
      const method = Reflect.get(Set.prototype, name) as (...args: unknown[]) => unknown
      Object.defineProperty(ScopeSet.prototype, name, {
        value(this: ScopeSet, ...args: unknown[]): unknown {
          return Reflect.apply(method, this.#scopes, args)
        },
      })
    }
  }

  readonly #scopes: Set<string>

  constructor(scopes: Iterable<string>) {
    this.#scopes = new Set(scopes)
    Object.freeze(this)
  }

  get size(): number {
    return this.#scopes.size
  }

  get [Symbol.toStringTag](): string {
    return 'Set'
  }

  has(scope: string): boolean {
    return this.#scopes.has(scope)
  }

  [Symbol.iterator](): SetIterator<string> {
    return this.#scopes.values()
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
}

/**
 * A token is kept for an hour and its claims are read by few handlers, so what is not needed to
 * decide stays in its encoded form until somebody reads it. These members are accessors of the object
 * itself, the same functions for all tokens: they are listed and spread like the others.
 */
class Token {
  static readonly #LAZY: PropertyDescriptorMap = Object.fromEntries(
    Object.entries({
      scopes(this: Token): ReadonlySet<string> {
        this.#scopes ??= new ScopeSet(scopesOf(this.#claims)) as unknown as ReadonlySet<string>
        return this.#scopes
      },
      subject(this: Token): string {
        return this.#claims.sub
      },
      userPoolId(this: Token): string {
        return this.#origin.userPoolId
      },
      issuer(this: Token): string {
        return this.#origin.issuer
      },
      tokenId(this: Token): string {
        return this.#claims.jti
      },
      claims(this: Token): MachineClaims {
        return this.#claims
      },
    }).map(([name, get]) => [name, { get, enumerable: true }]),
  )

  readonly clientId: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly #encoded: string
  readonly #origin: TokenOrigin
  #decoded: MachineClaims | undefined
  #scopes: ReadonlySet<string> | undefined

  constructor(encoded: string, { client_id, iat, exp }: MachineClaims, origin: TokenOrigin) {
    this.clientId = client_id
    this.issuedAt = iat
    this.expiresAt = exp
    this.#encoded = encoded
    this.#origin = origin
    Object.defineProperties(this, Token.#LAZY)
    Object.freeze(this)
  }

  get #claims(): MachineClaims {
    this.#decoded ??= deepFreeze(payloadOf(this.#encoded))
    return this.#decoded
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
export function verifiedToken(
  encoded: string,
  claims: MachineClaims,
  origin: TokenOrigin,
): VerifiedToken {
  return new Token(encoded, claims, origin) as unknown as VerifiedToken
}

/** The scopes of claims, none for an empty list. */
export function scopesOf({ scope }: MachineClaims): readonly string[] {
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
