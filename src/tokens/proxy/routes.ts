/** The routes of the token proxy in Fastify: `POST /oauth2/token`, and 405 for every other method. */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  RegisterOptions,
  RouteOptions,
} from 'fastify'
import { readAuthorizationHeaders } from '../../core/token/bearer.ts'
import { type IncomingTokenRequest, type JsonResponse, MAX_FORM_BYTES } from '../oauth/protocol.ts'
import type { ProxyOptions } from './options.ts'
import { TOKEN_PATH, type TokenRequests } from './token-requests.ts'

type Authorize = NonNullable<ProxyOptions<FastifyRequest>['authorize']>

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
} as unknown as NonNullable<RegisterOptions['logSerializers']>

/** The handler of token requests, and the `authorize` function of the app. */
interface TokenRoutes {
  readonly requests: TokenRequests
  readonly authorize: Authorize | undefined
}

/**
 * Adds the routes in a separate context, so that the content type parsers of the app do not apply.
 *
 * @param options Options of `register`, passed on: Fastify applies them only to a plugin with a separate context.
 */
export async function registerRoutes(
  app: FastifyInstance,
  { requests, authorize }: TokenRoutes,
  { prefix = '', logLevel, logSerializers }: RegisterOptions,
): Promise<void> {
  const options: RegisterOptions = {
    prefix,
    logSerializers: { ...logSerializers, ...LOG_SERIALIZERS },
  }
  if (logLevel !== undefined) options.logLevel = logLevel
  await app.register(async (context) => {
    context.removeAllContentTypeParsers()
    context.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body)
    })
    addRoutes(context, requests, authorize)
  }, options)
}

function addRoutes(
  context: FastifyInstance,
  requests: TokenRequests,
  authorize: Authorize | undefined,
): void {
  // Callers have no token yet, so cognitoAuth must not protect these routes.
  const common = { url: TOKEN_PATH, config: { auth: false }, bodyLimit: MAX_FORM_BYTES } as const
  const post: RouteOptions = {
    ...common,
    method: 'POST',
    handler: async (request, reply) => send(reply, await requests.handle(toIncoming(request))),
    errorHandler: (error, _request, reply) => {
      if (!isBodyError(error)) reply.send(error)
      else send(reply, requests.reject('invalid_request', error.statusCode === 413 ? 413 : 400))
    },
  }
  if (authorize !== undefined) {
    // Before the body is read, and before any look-up.
    post.onRequest = async (request, reply) => {
      const rejection = await requests.authorize(() => authorize(request), request.log)
      return rejection && send(reply, rejection)
    }
  }
  context.route(post)
  context.route({
    ...common,
    method: context.supportedMethods.filter((it) => it !== 'POST') as HTTPMethods[],
    // Responds before the body is read.
    onRequest: async (_request, reply) =>
      send(reply, requests.reject('invalid_request', 405, { allow: 'POST' })),
    handler: async () => {},
  })
}

function toIncoming({ headers, raw, body }: FastifyRequest): IncomingTokenRequest {
  const hasAuthorization = raw.headers.authorization !== undefined
  // Scanning all header lines finds a repeated header. It is not needed for credentials in the form.
  const authorization = hasAuthorization ? readAuthorizationHeaders(raw) : undefined
  return { contentType: headers['content-type'], authorization, body }
}

function send(reply: FastifyReply, { status, headers, body }: JsonResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}

/** Whether Fastify could not read the body. Other errors come from hooks of the app, which handles them. */
function isBodyError(error: { readonly code?: string }): boolean {
  return error.code?.startsWith('FST_ERR_CTP_') === true
}
