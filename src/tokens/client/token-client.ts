/** `createTokenClient`: sends about one token request per token lifetime and scope set. */
import { nextInstance } from '../../core/diagnostics.ts'
import { INSECURE_HTTP_WARNING } from '../../core/options/secure-url.ts'
import { elapsedClock } from '../../core/util/time.ts'
import type { CheckedOptions } from '../oauth/one-token-api.ts'
import { TokenClientError } from './errors.ts'
import { createAuthorizedFetch } from './fetch.ts'
import {
  type ClientOptions,
  readClientOptions,
  readWaitLimits,
  type TokenClientOptions,
  type WaitLimits,
} from './options.ts'
import { ScopeSets } from './scope-keys.ts'
import { TokenHolder } from './token-holder.ts'
import type { RequestedToken } from './token-request.ts'
import { TokenSource } from './token-source.ts'
import type { AccessToken, GetTokenOptions, TokenClient } from './types.ts'

/**
 * Creates a token client for one app client. It sends no request until a call needs a token.
 *
 * @typeParam Options Type of the options, inferred.
 * @param options `clientId`, `clientSecret`, and either `tokenEndpoint` or `userPoolsApi` are required. Durations are
 *   in seconds.
 * @returns A frozen client. Create one per app client and keep it: it caches the tokens.
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
 * @example
 * ```ts
 * const client = createTokenClient({
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 *   clientId: '5kek0i61pgkokoob4fsm9fo9it',
 *   clientSecret: process.env['CLIENT_SECRET'] ?? '',
 *   origins: ['https://orders.example.com'],
 * })
 * const response = await client.fetch('https://orders.example.com/orders')
 * ```
 * @see RFC 6749 section 4.4 (client credentials grant)
 */
export function createTokenClient<Options extends TokenClientOptions>(
  options: Options & CheckedOptions<Options, TokenClientOptions, 'token client'>,
): TokenClient {
  const settings = readClientOptions(options)
  const { now, logger, clientId } = settings
  warnOfInsecureHttp(settings)
  const instance = nextInstance()
  const elapsed = elapsedClock(now, settings.monotonicNow)
  const source = new TokenSource(settings, elapsed)
  const { closed } = source
  const environment = { instance, clientId, elapsed, now, logger, closed }
  const createHolder = (requested: RequestedToken): TokenHolder =>
    new TokenHolder({
      ...environment,
      requested,
      obtain: (previousToken) => source.obtain(requested, previousToken),
    })
  const sets = new ScopeSets(createHolder, settings)
  const getHolder = (options: GetTokenOptions | undefined): TokenHolder => {
    if (closed.aborted) throw new TokenClientError('ERR_CLIENT_CLOSED')
    return sets.getHolder(options)
  }
  const defaultLimits: WaitLimits = { timeoutMs: settings.timeoutMs, signal: undefined }
  return Object.freeze({
    // Not async: all calls share the promise of the cached token, so a cache hit allocates nothing.
    getToken(options?: GetTokenOptions) {
      try {
        return getHolder(options).get(readWaitLimits(options, defaultLimits))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    renew: async (rejected: AccessToken, options?: GetTokenOptions) =>
      getHolder(options).replaceRejected(rejected, readWaitLimits(options, defaultLimits)),
    prefetch: async (...requested: readonly GetTokenOptions[]) => {
      const all = requested.length === 0 ? [undefined] : requested
      // Validates all options first.
      const calls = all.map((options) => {
        const limits = readWaitLimits(options, defaultLimits)
        return { holder: getHolder(options), limits }
      })
      const results = await Promise.allSettled(
        calls.map(({ holder, limits }) => holder.get(limits)),
      )
      return results.every(({ status }) => status === 'fulfilled')
    },
    fetch: createAuthorizedFetch(settings, getHolder),
    status: () => {
      const store = source.storeStatus()
      return Object.freeze({
        instance,
        region: source.region,
        scopeSets: Object.freeze(sets.status()),
        store: store === undefined ? null : Object.freeze(store),
      })
    },
    close: () => source.close(),
  })
}

/** Warns once for each client. Without a logger, a process warning reaches the operator. */
function warnOfInsecureHttp({ insecureOrigins, hasLogger, logger }: ClientOptions): void {
  if (insecureOrigins.length === 0) return
  if (hasLogger) logger.warn({ origins: insecureOrigins }, INSECURE_HTTP_WARNING)
  else {
    process.emitWarning(`${INSECURE_HTTP_WARNING} to ${insecureOrigins.join(', ')}`, {
      code: 'COGNITO_M2M_INSECURE_HTTP',
    })
  }
}
