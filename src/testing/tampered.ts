/** Creates invalid tokens, for tests of an API. */
import { OptionError } from '../core/options/validate.ts'
import { generateKeyId, type PoolKey } from './key-material.ts'
import { type AccessTokenOptions, encodeJson } from './tokens.ts'

/** One hour, which is more than any clock tolerance. */
const DEFAULT_EXPIRED_SECONDS = -3600

/**
 * Creates invalid tokens. Each method creates a token with one defect, which the options cannot override.
 * Options are those of `accessToken`.
 */
export interface TamperedTokens {
  /**
   * Creates an expired token: `ERR_TOKEN_EXPIRED`. It expired one hour ago, or `expiresIn` seconds from now.
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` if `expiresIn` is not negative.
   */
  expired(options?: AccessTokenOptions): string
  /** Creates a valid token of another user pool: `ERR_TOKEN_ISSUER`. */
  wrongPool(options?: AccessTokenOptions): string
  /** Creates a token with the pool's kid, signed with another key: `ERR_TOKEN_SIGNATURE`. */
  wrongKey(options?: AccessTokenOptions): string
  /** Creates a token with a scope that was added after signing: `ERR_TOKEN_SIGNATURE`. */
  altered(options?: AccessTokenOptions): string
  /** Creates a token with an unknown kid: `ERR_KEY_UNKNOWN`. */
  unknownKey(options?: AccessTokenOptions): string
  /** Creates a token with `alg: none` and no signature: `ERR_TOKEN_INVALID`. */
  unsigned(options?: AccessTokenOptions): string
}

/** The operations of a pool that tampering needs. */
export interface TamperTarget {
  accessToken(options?: AccessTokenOptions, signer?: PoolKey): string
  /** Creates a key with the kid of the pool's access key and an unpublished key pair. */
  createForeignKey(): PoolKey
  /** Creates issuer and access key of another pool, in the same Region and on the same server. */
  createOtherPool(): { readonly issuer: string; readonly key: PoolKey }
}

/** Creates the tampering helpers of a pool. */
export function createTamperedTokens(pool: TamperTarget): TamperedTokens {
  const tokens: TamperedTokens = {
    expired: (options = {}) => {
      const { expiresIn = DEFAULT_EXPIRED_SECONDS } = options
      if (expiresIn >= 0) {
        throw new OptionError(
          'expiresIn',
          `expected a negative number of seconds, got ${expiresIn}. Pass a number below 0.`,
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
