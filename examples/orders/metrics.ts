/** `/metrics` for Prometheus, in a server of its own. Let it listen on loopback only, never on the public listener. */
import { createMetrics, type MetricsSource } from 'cognito-m2m/metrics'
import Fastify, { type FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'

/** @param sources What is watched: `app.cognito`, a token proxy, token clients. */
export function createMetricsServer(sources: readonly MetricsSource[]): FastifyInstance {
  const register = new Registry()
  const metrics = createMetrics({ register })
  for (const source of sources) metrics.watch(source)
  const app = Fastify()
  app.addHook('onClose', async () => metrics.close())
  app.get('/metrics', async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  )
  return app
}
