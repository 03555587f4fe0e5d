/** The Fastify plugin: a caching `/oauth2/token` in front of Cognito's. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RegisterOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { REGISTER_OPTIONS } from '../../adapters/fastify/register-options.ts'
import { nextInstance, secondsBetween, tell } from '../../core/diagnostics.ts'
import { rejecting } from '../../core/errors.ts'
import { safeLogger } from '../../core/options/logger.ts'
import { INSECURE_HTTP_WARNING, insecureOrigins } from '../../core/options/secure-url.ts'
import { OptionError, readMembers, show } from '../../core/options/validate.ts'
import { SteadyStore, type StoreStatus } from '../store/resilient-store.ts'
import { Pairs } from './credentials.ts'
import { EndpointHealth, type EndpointStatus } from './endpoint-health.ts'
import { NegativeCache } from './negative-cache.ts'
import { type ProxyOptions, readProxyOptions } from './options.ts'
import { Budget } from './quota.ts'
import { BudgetQueue } from './quota-queue.ts'
import { serveTokens, type TokenRoutes } from './routes.ts'
import { TokenRequests } from './token-requests.ts'
import { type UnavailableCounts, UnavailableLog } from './unavailable.ts'
import { Upstream } from './upstream.ts'

/** Options of {@link tokenProxy}. */
export interface TokenProxyOptions extends ProxyOptions<FastifyRequest> {}

/** How a proxy is. */
export interface TokenProxyStatus {
  /** Which proxy of the process events are of. */
  readonly instance: number
  /** Token requests to Cognito under way. */
  readonly inFlight: number
  /** Token requests over budget that wait for their turn: at most 2 s. */
  readonly queued: { readonly proven: number; readonly unproven: number }
  /** Callers who got no token from Cognito in time since the start, by reason. The answer is 503, or Cognito's own 4xx. */
  readonly unavailable: UnavailableCounts
  readonly endpoint: EndpointStatus
  readonly store: StoreStatus
}

/** `app.tokenProxy`. */
export interface TokenProxy {
  /**
   * Drops every token of an app client, those under way included, in all processes that share the
   * store. A function and no endpoint: who may call it is for you to say.
   *
   * @returns Whether all of them obey already. If not, the store could not be told: this process obeys,
   *   and tells the store each second while it lives.
   * @throws {OptionError} `ERR_OPTION_INVALID`.
   */
  invalidate(which: { readonly clientId: string }): Promise<boolean>
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
  given: TokenProxyOptions & RegisterOptions,
): Promise<void> {
  if (app.hasDecorator('tokenProxy')) {
    throw new OptionError('tokenProxy', 'is registered twice in one context: keep one')
  }
  const settings = readProxyOptions<FastifyRequest>(given, REGISTER_OPTIONS)
  const { monotonicNow, authorize, isClient } = settings
  const logger = safeLogger(app.log)
  const origins = insecureOrigins([settings.tokenEndpoint])
  if (origins.length > 0) logger.warn({ origins }, INSECURE_HTTP_WARNING)
  const store = new SteadyStore({ ...settings, logger })
  const instance = nextInstance()
  const pairs = new Pairs(store)
  const budget = new Budget(settings.budget)
  const queue = new BudgetQueue(budget, monotonicNow)
  const upstream = new Upstream(settings)
  const endpoint = new EndpointHealth(logger, monotonicNow)
  const negative = new NegativeCache(monotonicNow)
  const unavailable = new UnavailableLog(logger, monotonicNow)
  const parts = { instance, store, pairs, queue, upstream, endpoint, negative, unavailable }
  const requests = new TokenRequests({ ...settings, ...parts })
  app.decorate('tokenProxy', {
    invalidate: async (which) => {
      const { clientId } = readMembers(which, ['clientId'], '')
      if (typeof clientId !== 'string' || clientId === '') {
        throw new OptionError('clientId', `is ${show(clientId)}: pass the id of an app client`)
      }
      return store.invalidate(store.group(clientId))
    },
    status: () => ({
      instance,
      inFlight: budget.inFlight,
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
  const told: TokenRoutes['told'] = (error, begun) => {
    const outcome = error === 'temporarily_unavailable' ? 'unavailable' : 'refused'
    tell('cognito-m2m:token', () => ({
      ...{ instance, userPoolId: null, clientId: null, outcome, error, code: null },
      duration: secondsBetween(begun, monotonicNow()),
    }))
  }
  const answer: TokenRoutes['answer'] = (request, begun) => requests.answer(request, begun)
  await serveTokens(app, { authorize, isClient, answer, told, monotonicNow }, given)
}

const plugin: FastifyPluginAsync<TokenProxyOptions> = (app, options) =>
  rejecting(() => register(app, options))

/**
 * Serves `POST /oauth2/token` for client credentials, asking Cognito about once per token's life and
 * app client. Callers change nothing but the address: methods of authentication, answers and errors
 * are Cognito's.
 *
 * ```ts
 * await app.register(tokenProxy, {
 *   tokenEndpoint: 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token',
 * })
 * ```
 *
 * `prefix`, `logLevel` and `logSerializers` of `register` hold for its routes; serializers of requests
 * and responses stay its own, as their URLs and headers may hold secrets.
 *
 * Serve it over https, or behind what does: secrets and tokens pass through it.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration.
 */
export const tokenProxy: FastifyPluginAsync<TokenProxyOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m-token-proxy',
})
