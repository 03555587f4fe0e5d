/** A token proxy as a team deploys it: rate limits, a second key, and a health check of its own. */
import rateLimit from '@fastify/rate-limit'
import { type TokenProxyOptions, tokenProxy } from 'cognito-m2m/proxy'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

/** Token requests a minute of one address: what a fleet behind one asks for at its start. */
const PER_MINUTE = 600

export async function createTokenProxy(
  proxy: TokenProxyOptions,
  options: FastifyServerOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify(options)

  // First: it adds its hook to routes that are declared after it.
  await app.register(rateLimit, { max: PER_MINUTE, timeWindow: '1 minute' })
  await app.register(tokenProxy, proxy)

  // Liveness and readiness: held tokens are served without Cognito and without Redis.
  app.get('/health', { config: { rateLimit: false } }, async () => ({
    ok: true,
    ...app.tokenProxy.status(),
  }))

  return app
}
