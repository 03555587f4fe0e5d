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

/** What the routes ask. */
interface TokenRoutes {
  readonly authorize: ((request: FastifyRequest) => boolean | Promise<boolean>) | undefined
  readonly clients: AdmittedClients
  /** Answers a request that was read. Never rejects. */
  readonly respond: (request: TokenRequest, receivedAt: number) => Promise<ProxyResponse>
  /** Tells of an answer that was made here. */
  readonly publishError: (error: ProxyError, receivedAt: number) => void
  readonly monotonicNow: () => number
}

/** Where Cognito has it. */
const TOKEN_PATH = '/oauth2/token'

/** Seconds to wait where code of the owner's gave no answer. */
const HOOK_RETRY_AFTER = 5

/**
 * Of a request, what a log may know. The query is left out, because some put credentials there, and
 * so are headers that a serializer of the app's may show.
 */
const LOG_SERIALIZERS = {
  req: ({ method, routeOptions, host, ip, socket }: FastifyRequest): object => ({
    ...{ method, url: routeOptions.url, host, remoteAddress: ip, remotePort: socket.remotePort },
  }),
  res: ({ statusCode }: FastifyReply): object => ({ statusCode }),
  // Fastify's types know of strings alone, its own serializers answer objects too.
} as unknown as Record<string, (value: unknown) => string>

/**
 * Adds the routes in a context of their own: parsers of the app's have no say in what is read.
 *
 * @param options Of `register`: Fastify applies them to a plugin with a context of its own alone.
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
  // Callers have no token yet: where cognitoAuth protects the app, this is open.
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
    // Nobody's body is worth reading here.
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
  const isKnown = isThenable(isClientResult)
    ? await isClientResult.catch(() => undefined)
    : isClientResult
  if (isKnown === true) {
    const response = await respond(read, receivedAt)
    if (response.status === 200) requests.add(incoming, read)
    return response
  }
  const error = isKnown === undefined ? 'temporarily_unavailable' : 'invalid_client'
  publishError(error, receivedAt)
  return isKnown === undefined
    ? createUnavailableResponse(HOOK_RETRY_AFTER)
    : createErrorResponse(error)
}

/** Asks the owner before anything is read or looked up. */
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

/** What Fastify says of a body it could not read; anything else is a hook's, and the app's to answer. */
function isBodyError(error: { readonly code?: string }): boolean {
  return error.code?.startsWith('FST_ERR_CTP_') === true
}

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
    throw new OptionError(
      'tokenProxy',
      'expected one registration per context, got a second one. Remove one.',
    )
  }
  const settings = readProxyOptions<FastifyRequest>(given, REGISTER_OPTIONS)
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
  await registerRoutes(app, { authorize, clients, respond, publishError, monotonicNow }, given)
}

const plugin: FastifyPluginAsync<TokenProxyOptions> = (app, options) =>
  rejectWithError(() => register(app, options))

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
