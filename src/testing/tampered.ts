/** Tokens that have to be refused, for a user's own tests. */
import { OptionError } from '../core/options/validate.ts'
import { generateKeyId, type PoolKey } from './key-material.ts'
import { type AccessTokenOptions, encodeJson } from './tokens.ts'

/** An hour: beyond any tolerance for clocks. */
const DEFAULT_EXPIRED_SECONDS = -3600

/**
 * Each makes a token that is wrong in one way; the options are those of `accessToken`. What makes it
 * wrong is applied last and holds whatever they say.
 */
export interface TamperedTokens {
  /**
   * Expired an hour ago, or as a negative `expiresIn` says: `ERR_TOKEN_EXPIRED`.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` where `expiresIn` is not negative.
   */
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
export interface TamperTarget {
  accessToken(options?: AccessTokenOptions, signer?: PoolKey): string
  /** The kid of the pool's access key over material that the pool does not publish. */
  createForeignKey(): PoolKey
  /** Issuer and access key of another pool, in the region and on the server of this one. */
  createOtherPool(): { readonly issuer: string; readonly key: PoolKey }
}

/** Makes the tampering helpers of a pool. */
export function createTamperedTokens(pool: TamperTarget): TamperedTokens {
  const tokens: TamperedTokens = {
    expired: (options = {}) => {
      const { expiresIn = DEFAULT_EXPIRED_SECONDS } = options
      if (expiresIn >= 0) {
        throw new OptionError(
          'expiresIn',
          `is ${expiresIn}: use a negative number of seconds for an expired token`,
        )
      }
      const { exp: _, ...claims } = options.claims ?? {}
      return pool.accessToken({ ...options, claims, expiresIn })
    },
    wrongPool: (options = {}) => {
      const { issuer, key } = pool.createOtherPool()
      return pool.accessToken({ ...options, claims: { ...options.claims, iss: issuer } }, key)
    },
    wrongKey: (options) => pool.accessToken(options, pool.createForeignKey()),
    altered: (options) => {
      const [header, payload, signature] = pool.accessToken(options).split('.') as [
        string,
        string,
        string,
      ]
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { scope?: string }
      const scope = `${claims.scope ?? ''} altered/scope`.trim()
      return `${header}.${encodeJson({ ...claims, scope })}.${signature}`
    },
    unknownKey: (options = {}) =>
      pool.accessToken({
        ...options,
        header: { ...options.header, kid: generateKeyId() },
      }),
    unsigned: (options = {}) => {
      const token = pool.accessToken({ ...options, header: { ...options.header, alg: 'none' } })
      return token.slice(0, token.lastIndexOf('.') + 1)
    },
  }
  return Object.freeze(tokens)
}
