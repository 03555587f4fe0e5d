/** `tokenProxy`: the Fastify plugin, its status and its invalidation. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RegisterOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { REGISTER_OPTIONS } from '../../adapters/fastify/register-options.ts'
import { nextInstance } from '../../core/diagnostics.ts'
import { rejectWithError } from '../../core/errors.ts'
import { safeLogger } from '../../core/options/logger.ts'
import { INSECURE_HTTP_WARNING, listInsecureOrigins } from '../../core/options/secure-url.ts'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { ResilientStore, type StoreStatus } from '../store/resilient-store.ts'
import { NegativeCache } from './cached-results.ts'
import { VerifiedCredentials } from './credentials.ts'
import { type ProxyOptions, readProxyOptions } from './options.ts'
import { QuotaQueue, UpstreamQuota } from './quota.ts'
import { registerRoutes, TokenRequests } from './token-requests.ts'
import { type UnavailableCounts, UnavailableLog } from './unavailable-log.ts'
import { EndpointHealth, type EndpointStatus, Upstream } from './upstream.ts'

/** Options of {@link tokenProxy}. Only `tokenEndpoint` or `userPoolsApi` is required. */
export interface TokenProxyOptions extends ProxyOptions<FastifyRequest> {}

/** Result of `status()` of a token proxy. */
export interface TokenProxyStatus {
  /** Number of the proxy in its process, as in its events. */
  readonly instance: number
  /** Token requests to Cognito in flight. */
  readonly inFlight: number
  /**
   * Token requests over the limits of `upstream` that wait for their turn, at most 2 s. `proven`: with credentials that
   * Cognito has accepted. `unproven`: with other credentials.
   */
  readonly queued: { readonly proven: number; readonly unproven: number }
  /** Callers without a token since the start, by reason. Their response is 503, or a 4xx of Cognito. */
  readonly unavailable: UnavailableCounts
  /** Status of Cognito's token endpoint, or of GetClientToken. */
  readonly endpoint: EndpointStatus
  /** Status of the option `store`. */
  readonly store: StoreStatus
}

/** The token proxy of a Fastify context: `app.tokenProxy`. */
export interface TokenProxy {
  /**
   * Drops every cached token of an app client in all processes that share the store, including tokens of requests in
   * flight. The proxy has no HTTP endpoint for it. It does not revoke tokens that callers already have.
   *
   * @param which The app client.
   * @returns True once the store has the invalidation, which then applies to all processes. False if the store fails:
   *   it then applies to this process, which sends it to the store again each second.
   * @throws {OptionError} `ERR_OPTION_INVALID` without a client id.
   * @example
   * ```ts
   * await app.tokenProxy.invalidate({ clientId: '5kek0i61pgkokoob4fsm9fo9it' })
   * ```
   */
  invalidate(which: { readonly clientId: string }): Promise<boolean>
  /** Returns the status of this proxy, without a request to the store or to Cognito. */
  status(): TokenProxyStatus
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The token proxy of this context. */
    tokenProxy: TokenProxy
  }
}

async function register(
  app: FastifyInstance,
  options: TokenProxyOptions & RegisterOptions,
): Promise<void> {
  if (app.hasDecorator('tokenProxy')) {
    throw new OptionError(
      'tokenProxy',
      'expected one registration per context, got a second one. Remove one.',
    )
  }
  const settings = readProxyOptions<FastifyRequest>(options, REGISTER_OPTIONS)
  const { monotonicNow, authorize } = settings
  const logger = safeLogger(app.log)
  const origins = listInsecureOrigins([settings.api.url])
  if (origins.length > 0) logger.warn({ origins }, INSECURE_HTTP_WARNING)
  const store = new ResilientStore({ ...settings, logger })
  const instance = nextInstance()
  const credentials = new VerifiedCredentials(store)
  const quota = new UpstreamQuota(settings.quota)
  const queue = new QuotaQueue(quota, monotonicNow)
  const upstream = new Upstream(settings)
  const endpoint = new EndpointHealth(logger, monotonicNow)
  const negative = new NegativeCache(monotonicNow)
  const unavailable = new UnavailableLog(logger, monotonicNow)
  const parts = { instance, store, credentials, queue, upstream, endpoint, negative, unavailable }
  const requests = new TokenRequests({ ...settings, ...parts })
  app.decorate('tokenProxy', {
    invalidate: async (which) => {
      const { clientId } = readMembers(which, ['clientId'], '')
      if (typeof clientId !== 'string' || clientId === '') {
        throw new OptionError(
          'clientId',
          `expected an app client id, got ${describeValue(clientId)}. Pass the id as a non-empty string.`,
        )
      }
      return store.invalidate(store.deriveGroup(clientId))
    },
    status: () => ({
      instance,
      inFlight: quota.inFlight,
      queued: queue.lengths,
      unavailable: unavailable.counts,
      endpoint: endpoint.status,
      store: store.status(),
    }),
  })
  app.addHook('onClose', async () => {
    queue.close()
    upstream.close()
    unavailable.close()
    await store.close()
  })
  await registerRoutes(app, { requests, authorize }, options)
}

const plugin: FastifyPluginAsync<TokenProxyOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Fastify plugin that serves `POST /oauth2/token` for the client credentials grant. It caches tokens and sends about one
 * token request to Cognito per lifetime of a token. Callers change only the URL: authentication, responses and errors
 * are those of Cognito.
 *
 * The options `prefix`, `logLevel` and `logSerializers` of `register` apply to its routes, except the serializers `req`
 * and `res`: URLs and headers may contain secrets.
 *
 * Serve it over https, or behind a proxy that does: its requests contain secrets, and its responses contain tokens.
 *
 * @param app The Fastify instance. Each context may have one proxy, as `app.tokenProxy`.
 * @param options `tokenEndpoint` or `userPoolsApi` is required. Durations are in seconds.
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, naming the option and the fix.
 * @example
 * ```ts
 * await app.register(tokenProxy, {
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 * })
 * ```
 * @see RFC 6749 section 4.4 (client credentials grant)
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
 */
export const tokenProxy: FastifyPluginAsync<TokenProxyOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m-token-proxy',
})
