/** `tokenProxy`: the Fastify plugin. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RegisterOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { REGISTER_OPTIONS } from '../../adapters/fastify/register-options.ts'
import { rejectWithError } from '../../core/errors.ts'
import { safeLogger } from '../../core/options/logger.ts'
import { OptionError } from '../../core/options/validate.ts'
import { type ProxyOptions, readProxyOptions } from './options.ts'
import { registerRoutes } from './routes.ts'
import { createTokenProxy, type TokenProxy } from './token-proxy.ts'

/** Options of {@link tokenProxy}. Only `tokenEndpoint` or `userPoolsApi` is required. */
export interface TokenProxyOptions extends ProxyOptions<FastifyRequest> {}

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
  const proxy = createTokenProxy(settings, safeLogger(app.log))
  app.decorate('tokenProxy', proxy.tokenProxy)
  app.addHook('onClose', proxy.close)
  const { authorize } = settings
  await registerRoutes(app, { requests: proxy.requests, authorize }, options)
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
  fastify: '5.x || 6.x',
  name: 'cognito-m2m-token-proxy',
})
