/** Tokens that have to be refused, for a user's own tests. */
import { randomBytes } from 'node:crypto'
import type { PoolKey } from './key-material.ts'
import { type AccessTokenOptions, encode } from './tokens.ts'

/** Each makes a token that is wrong in one way; the options are those of `accessToken`. */
export interface TamperedTokens {
  /** Expired an hour ago: `ERR_TOKEN_EXPIRED`. */
  expired(options?: AccessTokenOptions): string
  /** Good, but of another user pool: `ERR_TOKEN_ISSUER`. */
  wrongPool(options?: AccessTokenOptions): string
  /** Names the pool's key, signed with another: `ERR_TOKEN_SIGNATURE`. */
  wrongKey(options?: AccessTokenOptions): string
  /** A scope was added after signing: `ERR_TOKEN_SIGNATURE`. */
  altered(options?: AccessTokenOptions): string
  /** Names a key the pool does not have: `ERR_KEY_UNKNOWN`. */
  unknownKey(options?: AccessTokenOptions): string
  /** `alg: none` and no signature: `ERR_TOKEN_INVALID`. */
  unsigned(options?: AccessTokenOptions): string
}

/** What tampering needs of a pool. */
export interface Tamperable {
  accessToken(options?: AccessTokenOptions, signer?: PoolKey): string
  /** The pool's access key over foreign material. */
  foreignKey(): PoolKey
  /** A good token of some other pool. */
  otherPoolsToken(options?: AccessTokenOptions): string
}

/** Makes the tampering helpers of a pool. */
export function tamperedTokens(pool: Tamperable): TamperedTokens {
  const tokens: TamperedTokens = {
    expired: (options = {}) => pool.accessToken({ expiresIn: -3600, ...options }),
    wrongPool: (options) => pool.otherPoolsToken(options),
    wrongKey: (options) => pool.accessToken(options, pool.foreignKey()),
    altered: (options) => {
      const [header, payload, signature] = pool.accessToken(options).split('.') as [
        string,
        string,
        string,
      ]
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { scope?: string }
      const scope = `${claims.scope ?? ''} altered/scope`.trim()
      return `${header}.${encode({ ...claims, scope })}.${signature}`
    },
    unknownKey: (options = {}) =>
      pool.accessToken({
        ...options,
        header: { kid: randomBytes(32).toString('base64'), ...options.header },
      }),
    unsigned: (options = {}) => {
      const token = pool.accessToken({ ...options, header: { alg: 'none', ...options.header } })
      return token.slice(0, token.lastIndexOf('.') + 1)
    },
  }
  return Object.freeze(tokens)
}
