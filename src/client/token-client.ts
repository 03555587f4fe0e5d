/** The token client: asks Cognito about once per token lifetime, however often it is asked itself. */
import { INSECURE_HTTP_WARNING } from '../core/insecure-http.ts'
import { type AuthorizedFetch, authorizedFetch } from './authorized-fetch.ts'
import { type ClientOptions, readClientOptions, type TokenClientOptions } from './client-options.ts'
import { elapsedClock } from './elapsed-clock.ts'
import { TokenClientError } from './errors.ts'
import { type AccessToken, HeldToken } from './held-token.ts'
import { ScopeSets, type TokenOptions } from './scope-sets.ts'
import { TokenSource } from './token-source.ts'

/** Access tokens of one app client. */
export interface TokenClient {
  /**
   * A token that is good now. The held one at once; it is renewed behind its callers, from a point
   * drawn between 65 and 80 % of its life on. Where none is held, all callers of a scope set wait for
   * one token request, at most four tries within 17 s.
   *
   * @throws {TokenClientError} with one of {@link TokenClientErrorCode} where none can be had; then
   *   the endpoint is left alone for 1 to 60 s, and callers get the same error meanwhile.
   * @throws {OptionError} `ERR_OPTION_INVALID` for malformed scopes.
   */
  getToken(options?: TokenOptions): Promise<AccessToken>
  /**
   * The token to use after an API refused one with 401 `invalid_token`, for who does not use
   * `client.fetch`: another one, or the same where no other may be had. Asks for one only if the
   * refused one is still held, and at most once a minute per scope set.
   *
   * @param refused What `getToken` gave for the same options.
   */
  renew(refused: AccessToken, options?: TokenOptions): Promise<AccessToken>
  readonly fetch: AuthorizedFetch
  /** Ends requests under way; later calls get `ERR_CLIENT_CLOSED`. Nothing has to be closed to exit. */
  close(): void
}

/**
 * Makes a token client. Nothing is asked for until a token is needed.
 *
 * ```ts
 * const client = createTokenClient({
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 *   clientId: '5kek0i61pgkokoob4fsm9fo9it',
 *   clientSecret: process.env['CLIENT_SECRET'] ?? '',
 *   origins: ['https://orders.example.com'],
 * })
 * const response = await client.fetch('https://orders.example.com/orders')
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  const read = readClientOptions(options)
  const { now, logger } = read
  warnOfInsecureHttp(read)
  const elapsed = elapsedClock(now, read.monotonicNow)
  const source = new TokenSource(read, elapsed)
  const make = (scopes: readonly string[] | undefined): HeldToken =>
    new HeldToken({ elapsed, now, logger, scopes, obtain: (held) => source.obtain(scopes, held) })
  const sets = new ScopeSets(make, read.scopes)
  const holderOf = (options: TokenOptions | undefined): HeldToken => {
    if (source.isClosed) throw new TokenClientError('ERR_CLIENT_CLOSED')
    return sets.of(options)
  }
  return Object.freeze({
    // Not async: for a held token there is one promise, made when it came.
    getToken(options?: TokenOptions) {
      try {
        return holderOf(options).get()
      } catch (error) {
        return Promise.reject(error)
      }
    },
    renew: async (refused: AccessToken, options?: TokenOptions) =>
      holderOf(options).insteadOf(refused),
    fetch: authorizedFetch(read, holderOf),
    close: () => source.close(),
  })
}

/** Once for each client; without a logger, operators would not know. */
function warnOfInsecureHttp({ insecureOrigins, hasLogger, logger }: ClientOptions): void {
  if (insecureOrigins.length === 0) return
  if (hasLogger) logger.warn({ origins: insecureOrigins }, INSECURE_HTTP_WARNING)
  else {
    process.emitWarning(`${INSECURE_HTTP_WARNING} to ${insecureOrigins.join(', ')}`, {
      code: 'COGNITO_M2M_INSECURE_HTTP',
    })
  }
}
