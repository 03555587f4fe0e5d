/** `/oauth2/token` in Fastify: bodies as bytes, refusals as OAuth writes them, logs without secrets. */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  RegisterOptions,
} from 'fastify'
import { ask } from '../../core/hooks.ts'
import { authorizationLines } from '../../core/token/bearer.ts'
import { isToCome } from '../../core/util/async.ts'
import { MAX_FORM_BYTES } from '../oauth/form.ts'
import type { TokenRequest } from './request.ts'
import { KnownRequests } from './request-cache.ts'
import { type Answer, type OwnError, refusal, unavailable } from './responses.ts'

/** What the routes ask. */
export interface TokenRoutes {
  readonly authorize: ((request: FastifyRequest) => boolean | Promise<boolean>) | undefined
  readonly isClient: (clientId: string) => boolean | Promise<boolean>
  /** Answers a request that was read. Never rejects. */
  readonly answer: (request: TokenRequest, begun: number) => Promise<Answer>
  /** Tells of an answer that was made here. */
  readonly told: (error: OwnError, begun: number) => void
  readonly monotonicNow: () => number
}

/** Where Cognito has it. */
const TOKEN_PATH = '/oauth2/token'

/** Seconds to wait where code of the owner's gave no answer. */
const OWNER_WAIT = 5

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
export async function serveTokens(
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
  const { authorize, told, monotonicNow } = routes
  const known = new KnownRequests()
  // Callers have no token yet: where cognitoAuth protects the app, this is open.
  const common = { url: TOKEN_PATH, config: { auth: false }, bodyLimit: MAX_FORM_BYTES } as const
  context.route({
    ...common,
    method: 'POST',
    ...(authorize === undefined ? {} : { onRequest: admitting(authorize, routes) }),
    errorHandler: (error, _request, reply) => {
      if (!isUnreadable(error)) {
        reply.send(error)
        return
      }
      told('invalid_request', monotonicNow())
      send(reply, refusal('invalid_request', error.statusCode === 413 ? 413 : 400))
    },
    handler: async (request, reply) => send(reply, await answerOf(request, known, routes)),
  })
  context.route({
    ...common,
    method: context.supportedMethods.filter((it) => it !== 'POST') as HTTPMethods[],
    // Nobody's body is worth reading here.
    onRequest: async (_request, reply) => {
      told('invalid_request', monotonicNow())
      return send(reply, refusal('invalid_request', 405, { allow: 'POST' }))
    },
    handler: async () => {},
  })
}

async function answerOf(
  request: FastifyRequest,
  requests: KnownRequests,
  routes: TokenRoutes,
): Promise<Answer> {
  const { isClient, answer, told, monotonicNow } = routes
  const begun = monotonicNow()
  const incoming = {
    contentType: request.headers['content-type'],
    authorization: authorizationLines(request.raw),
    body: request.body,
  }
  const read = requests.read(incoming)
  if (typeof read === 'string') {
    told(read, begun)
    return refusal(read)
  }
  const known = isClient(read.clientId)
  const isKnown = isToCome(known) ? await known.catch(() => undefined) : known
  if (isKnown === true) {
    const answered = await answer(read, begun)
    if (answered.status === 200) requests.keep(incoming, read)
    return answered
  }
  const error = isKnown === undefined ? 'temporarily_unavailable' : 'invalid_client'
  told(error, begun)
  return isKnown === undefined ? unavailable(OWNER_WAIT) : refusal(error)
}

/** Asks the owner before anything is read or looked up. */
function admitting(authorize: NonNullable<TokenRoutes['authorize']>, routes: TokenRoutes) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const begun = routes.monotonicNow()
    const verdict = await ask(() => authorize(request)).catch(() => undefined)
    if (verdict === true) return undefined
    if (verdict === false) {
      routes.told('access_denied', begun)
      return send(reply, refusal('access_denied', 403))
    }
    request.log.error({ code: 'ERR_CHECK_UNAVAILABLE' }, 'cognito-m2m: authorize gave no answer')
    routes.told('temporarily_unavailable', begun)
    return send(reply, unavailable(OWNER_WAIT))
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}

/** What Fastify says of a body it could not read; anything else is a hook's, and the app's to answer. */
function isUnreadable(error: { readonly code?: string }): boolean {
  return error.code?.startsWith('FST_ERR_CTP_') === true
}
