/** The token proxy without a framework: its parts, its status and its invalidation. */
import { nextInstance } from '../../core/diagnostics.ts'
import type { SafeLogger } from '../../core/options/logger.ts'
import { INSECURE_HTTP_WARNING, listInsecureOrigins } from '../../core/options/secure-url.ts'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import type { TokenRegion } from '../oauth/protocol.ts'
import { ResilientStore, type StoreStatus } from '../store/resilient-store.ts'
import { NegativeCache, VerifiedCredentials } from './cached-results.ts'
import type { ProxySettings } from './options.ts'
import { QuotaQueue, UpstreamQuota } from './quota.ts'
import { TokenRequests } from './token-requests.ts'
import { type UnavailableCounts, UnavailableLog } from './unavailable-log.ts'
import { EndpointHealth, type EndpointStatus, Upstream } from './upstream.ts'

/** Result of `status()` of a token proxy. */
export interface TokenProxyStatus {
  /** Number of the proxy in its process, as in its events. */
  readonly instance: number
  /** Token requests to Cognito in flight. */
  readonly inFlight: number
  /** Token requests to Cognito that this process may send per second, and those of the last second. */
  readonly budget: { readonly perSecond: number; readonly used: number }
  /**
   * Token requests over the limits of `upstream` that wait for their turn, at most 2 s. `proven`: with credentials that
   * Cognito has accepted. `unproven`: with other credentials.
   */
  readonly queued: { readonly proven: number; readonly unproven: number }
  /** Callers without a token since the start, by reason. Their response is 503, or a 4xx of Cognito. */
  readonly unavailable: UnavailableCounts
  /** The Region that serves token requests: `'secondary'` while the primary fails, otherwise `'primary'`. */
  readonly region: TokenRegion
  /** Status of Cognito's token endpoint, or of GetClientToken. */
  readonly endpoint: EndpointStatus
  /** Status of the option `store`. */
  readonly store: StoreStatus
}

/** Status and invalidation of a token proxy: `app.tokenProxy` in Fastify. */
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

/** Milliseconds in which `close()` stores tokens that have arrived, and frees locks. */
const CLOSE_TIMEOUT_MS = 1000

/** A proxy, for the code that connects it to a framework. */
export interface TokenProxyParts {
  readonly tokenProxy: TokenProxy
  readonly requests: TokenRequests
  /** Ends requests and waits, and closes the store: within about 2 s, also if the store hangs. */
  readonly close: () => Promise<void>
}

/** Creates a proxy from validated options. Warns of http outside loopback. */
export function createTokenProxy<Request>(
  settings: ProxySettings<Request>,
  logger: SafeLogger,
): TokenProxyParts {
  const { monotonicNow } = settings
  const origins = listInsecureOrigins(settings.api.urls)
  if (origins.length > 0) logger.warn({ origins }, INSECURE_HTTP_WARNING)
  const store = new ResilientStore({ ...settings, logger })
  const instance = nextInstance()
  const credentials = new VerifiedCredentials(store)
  const quota = new UpstreamQuota(settings.quota)
  const queue = new QuotaQueue(quota, monotonicNow)
  const upstream = new Upstream({ ...settings, logger })
  const endpoint = new EndpointHealth(logger, monotonicNow)
  const negative = new NegativeCache(monotonicNow)
  const unavailable = new UnavailableLog(logger, monotonicNow)
  const parts = { instance, store, credentials, queue, upstream, endpoint, negative, unavailable }
  const requests = new TokenRequests({ ...settings, ...parts })
  return {
    requests,
    tokenProxy: {
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
        budget: {
          perSecond: settings.quota.perSecond,
          used: quota.countRecent(monotonicNow()),
        },
        queued: queue.lengths,
        unavailable: unavailable.counts,
        region: upstream.region,
        endpoint: endpoint.status,
        store: store.status(),
      }),
    },
    close: async () => {
      queue.close()
      upstream.close()
      unavailable.close()
      await requests.settle(CLOSE_TIMEOUT_MS)
      await store.close()
    },
  }
}
