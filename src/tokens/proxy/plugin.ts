/** The Fastify plugin: a caching `/oauth2/token` in front of Cognito's. */
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  RegisterOptions,
} from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { REGISTER_OPTIONS } from '../../adapters/fastify/register-options.ts'
import { nextInstance, publish, secondsBetween } from '../../core/diagnostics.ts'
import { rejectWithError } from '../../core/errors.ts'
import { callHook } from '../../core/hooks.ts'
import { safeLogger } from '../../core/options/logger.ts'
import { INSECURE_HTTP_WARNING, listInsecureOrigins } from '../../core/options/secure-url.ts'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import { isThenable } from '../../core/util/async.ts'
import { MAX_FORM_BYTES } from '../oauth/form.ts'
import { ResilientStore, type StoreStatus } from '../store/resilient-store.ts'
import { NegativeCache } from './cached-results.ts'
import { VerifiedCredentials } from './credentials.ts'
import { type AdmittedClients, type ProxyOptions, readProxyOptions } from './options.ts'
import {
  createErrorResponse,
  createUnavailableResponse,
  ParsedRequestCache,
  type ProxyError,
  type ProxyResponse,
  type TokenRequest,
} from './protocol.ts'
import { QuotaQueue, UpstreamQuota } from './quota.ts'
import { TokenRequests } from './token-requests.ts'
import { type UnavailableCounts, UnavailableLog } from './unavailable-log.ts'
import { EndpointHealth, type EndpointStatus, Upstream } from './upstream.ts'

/** Dependencies of the routes. */
interface TokenRoutes {
  readonly authorize: ((request: FastifyRequest) => boolean | Promise<boolean>) | undefined
  readonly clients: AdmittedClients
  /** Responds to a parsed request. Never rejects. */
  readonly respond: (request: TokenRequest, receivedAt: number) => Promise<ProxyResponse>
  /** Publishes the event of an error response that the routes created. */
  readonly publishError: (error: ProxyError, receivedAt: number) => void
  readonly monotonicNow: () => number
}

/** The path of Cognito's token endpoint. */
const TOKEN_PATH = '/oauth2/token'

/** Seconds of `Retry-After` if `authorize` or `clients` failed. */
const HOOK_RETRY_AFTER = 5

/**
 * Members of requests and responses that may be logged. The query is left out, because some callers put credentials
 * there. Headers are left out too, which a serializer of the app may include.
 */
const LOG_SERIALIZERS = {
  req: ({ method, routeOptions, host, ip, socket }: FastifyRequest): object => ({
    method,
    url: routeOptions.url,
    host,
    remoteAddress: ip,
    remotePort: socket.remotePort,
  }),
  res: ({ statusCode }: FastifyReply): object => ({ statusCode }),
  // Fastify's types permit strings only. Its default serializers return objects too.
} as unknown as Record<string, (value: unknown) => string>

/**
 * Adds the routes in a separate context, so that the content type parsers of the app do not apply.
 *
 * @param options Options of `register`, passed on: Fastify applies them only to a plugin with a separate context.
 */
async function registerRoutes(
  app: FastifyInstance,
  routes: TokenRoutes,
  { prefix, logLevel, logSerializers }: RegisterOptions = {},
): Promise<void> {
  await app.register(
    async (context) => {
      context.removeAllContentTypeParsers()
      context.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
        done(null, body)
      })
      addRoutes(context, routes)
    },
    {
      ...(prefix !== undefined && { prefix }),
      ...(logLevel !== undefined && { logLevel }),
      logSerializers: { ...logSerializers, ...LOG_SERIALIZERS },
    },
  )
}

function addRoutes(context: FastifyInstance, routes: TokenRoutes): void {
  const { authorize, publishError, monotonicNow } = routes
  const parsedRequests = new ParsedRequestCache()
  // Callers have no token yet, so cognitoAuth must not protect these routes.
  const common = { url: TOKEN_PATH, config: { auth: false }, bodyLimit: MAX_FORM_BYTES } as const
  context.route({
    ...common,
    method: 'POST',
    ...(authorize === undefined ? {} : { onRequest: createAuthorizeHook(authorize, routes) }),
    errorHandler: (error, _request, reply) => {
      if (!isBodyError(error)) {
        reply.send(error)
        return
      }
      publishError('invalid_request', monotonicNow())
      send(reply, createErrorResponse('invalid_request', error.statusCode === 413 ? 413 : 400))
    },
    handler: async (request, reply) =>
      send(reply, await respondTo(request, parsedRequests, routes)),
  })
  context.route({
    ...common,
    method: context.supportedMethods.filter((it) => it !== 'POST') as HTTPMethods[],
    // Responds before the body is read.
    onRequest: async (_request, reply) => {
      publishError('invalid_request', monotonicNow())
      return send(reply, createErrorResponse('invalid_request', 405, { allow: 'POST' }))
    },
    handler: async () => {},
  })
}

async function respondTo(
  request: FastifyRequest,
  requests: ParsedRequestCache,
  routes: TokenRoutes,
): Promise<ProxyResponse> {
  const { clients, respond, publishError, monotonicNow } = routes
  const receivedAt = monotonicNow()
  const incoming = {
    contentType: request.headers['content-type'],
    authorization: readAuthorizationHeaders(request.raw),
    body: request.body,
  }
  const read = requests.read(incoming)
  if (typeof read === 'string') {
    publishError(read, receivedAt)
    return createErrorResponse(read)
  }
  const isClientResult =
    typeof clients === 'function' ? clients(read.clientId) : (clients?.has(read.clientId) ?? true)
  const isAdmitted = isThenable(isClientResult)
    ? await isClientResult.catch(() => undefined)
    : isClientResult
  if (isAdmitted === true) {
    const response = await respond(read, receivedAt)
    if (response.status === 200) requests.add(incoming, read)
    return response
  }
  const error = isAdmitted === undefined ? 'temporarily_unavailable' : 'invalid_client'
  publishError(error, receivedAt)
  return isAdmitted === undefined
    ? createUnavailableResponse(HOOK_RETRY_AFTER)
    : createErrorResponse(error)
}

/** Calls `authorize` before the body is read and before any look-up. */
function createAuthorizeHook(
  authorize: NonNullable<TokenRoutes['authorize']>,
  routes: TokenRoutes,
) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const receivedAt = routes.monotonicNow()
    const isAuthorized = await callHook(() => authorize(request)).catch(() => undefined)
    if (isAuthorized === true) return undefined
    if (isAuthorized === false) {
      routes.publishError('access_denied', receivedAt)
      return send(reply, createErrorResponse('access_denied', 403))
    }
    request.log.error(
      { code: 'ERR_CHECK_UNAVAILABLE' },
      'cognito-m2m: the authorize function of the token proxy failed',
    )
    routes.publishError('temporarily_unavailable', receivedAt)
    return send(reply, createUnavailableResponse(HOOK_RETRY_AFTER))
  }
}

function send(reply: FastifyReply, { status, headers, body }: ProxyResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}

/** Whether Fastify could not read the body. Other errors come from hooks of the app, which handles them. */
function isBodyError(error: { readonly code?: string }): boolean {
  return error.code?.startsWith('FST_ERR_CTP_') === true
}

/** Options of {@link tokenProxy}. */
export interface TokenProxyOptions extends ProxyOptions<FastifyRequest> {}

/** Status of a token proxy. */
export interface TokenProxyStatus {
  /** Number of the proxy in this process; events have the same `instance`. */
  readonly instance: number
  /** Token requests to Cognito in flight. */
  readonly inFlight: number
  /** Token requests over the limits of `upstream` that wait for their turn, at most 2 s. */
  readonly queued: { readonly proven: number; readonly unproven: number }
  /** Callers without a token since the start, by reason. Their response is 503, or a 4xx of Cognito. */
  readonly unavailable: UnavailableCounts
  readonly endpoint: EndpointStatus
  readonly store: StoreStatus
}

/** `app.tokenProxy`. */
export interface TokenProxy {
  /**
   * Drops every token of an app client in all processes that share the store, including tokens of requests in
   * flight. It has no HTTP endpoint: your app decides who may call it.
   *
   * @returns Whether the invalidation is in the store, so that it applies to all processes. If false, it applies to
   *   this process, which sends it to the store again each second.
   * @throws {OptionError} `ERR_OPTION_INVALID` without a client id.
   */
  invalidate(which: { readonly clientId: string }): Promise<boolean>
  /** Status of this proxy, without a request to store or Cognito. */
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
  const { monotonicNow, authorize, clients } = settings
  const logger = safeLogger(app.log)
  const origins = listInsecureOrigins([settings.tokenEndpoint])
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
  const publishError: TokenRoutes['publishError'] = (error, receivedAt) => {
    const outcome = error === 'temporarily_unavailable' ? 'unavailable' : 'refused'
    publish('cognito-m2m:token-request', () => ({
      instance,
      userPoolId: null,
      clientId: null,
      outcome,
      error,
      code: null,
      duration: secondsBetween(receivedAt, monotonicNow()),
    }))
  }
  const respond: TokenRoutes['respond'] = (request, receivedAt) =>
    requests.respond(request, receivedAt)
  await registerRoutes(app, { authorize, clients, respond, publishError, monotonicNow }, options)
}

const plugin: FastifyPluginAsync<TokenProxyOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

/**
 * Serves `POST /oauth2/token` for client credentials, with about one request to Cognito per lifetime of a token.
 * Callers change only the address: authentication, responses and errors are those of Cognito.
 *
 * @example
 * ```ts
 * await app.register(tokenProxy, {
 *   tokenEndpoint: 'https://example.auth.eu-west-1.amazoncognito.com/oauth2/token',
 * })
 * ```
 *
 * `prefix`, `logLevel` and `logSerializers` of `register` apply to its routes, except the serializers of requests and
 * responses: URLs and headers may contain secrets.
 *
 * Serve it over https, or behind a proxy that does: its requests contain secrets, and its responses tokens.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration.
 * @see RFC 6749 section 4.4, and https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
 */
export const tokenProxy: FastifyPluginAsync<TokenProxyOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'cognito-m2m-token-proxy',
})
