/** What a handler gets: the verified client, its scopes and claims, changeable by nobody. */
import type { MachineClaims } from './claims.ts'
import type { JsonValue } from './strict-json.ts'

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

/** Makes the token of verified claims. The claims are frozen in place: nobody else holds them. */
export function verifiedToken(claims: MachineClaims, userPoolId: string): VerifiedToken {
  const scope = claims.scope ?? ''
  return Object.freeze({
    clientId: claims.client_id,
    scopes: new ScopeSet(scope === '' ? [] : scope.split(' ')) as unknown as ReadonlySet<string>,
    subject: claims.sub,
    userPoolId,
    issuer: claims.iss,
    tokenId: claims.jti,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    claims: deepFreeze(claims) as MachineClaims,
  })
}

/** Recursion is bounded by the depth strict decoding lets through. */
function deepFreeze(value: JsonValue | MachineClaims | undefined): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
