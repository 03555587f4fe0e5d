/** The orders API: what a team writes. Each route says what it needs; the rest is the plugin's. */
import { anyOf, type CognitoAuthOptions } from 'cognito-m2m'
import { cognitoAuth } from 'cognito-m2m/fastify'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { orders } from './scopes.js'

interface Order {
  readonly id: number
  readonly item: string
}

/** The one client that may delete orders. */
export const BACK_OFFICE = 'back-office'

export async function createOrdersApi(
  auth: CognitoAuthOptions,
  options: FastifyServerOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify(options)
  const stored = new Map<number, Order>([[1, { id: 1, item: 'Coffee' }]])

  await app.register(cognitoAuth, auth)

  // Liveness: this process answers. Restarting it would not bring lost keys back.
  app.get('/health', { config: { auth: false } }, async () => ({
    ok: true,
    ready: app.cognito.status().ready,
  }))

  // Readiness: send it traffic once each pool has had keys. It stays ready through an outage.
  app.get('/health/ready', { config: { auth: false } }, async (_request, reply) => {
    const { ready, userPools } = app.cognito.status()
    return reply.code(ready ? 200 : 503).send({ ready, userPools })
  })

  app.get('/orders', { config: { auth: { scopes: orders.read } } }, async () => [
    ...stored.values(),
  ])

  app.post(
    '/orders',
    {
      config: { auth: { scopes: orders.write } },
      schema: {
        body: {
          type: 'object',
          required: ['item'],
          properties: { item: { type: 'string', minLength: 1 } },
        },
      },
    },
    async (request, reply) => {
      const { item } = request.body as { item: string }
      const order = { id: Math.max(0, ...stored.keys()) + 1, item }
      stored.set(order.id, order)
      return reply.code(201).send({ ...order, createdBy: request.auth.clientId })
    },
  )

  app.get(
    '/reports',
    { config: { auth: { scopes: anyOf(orders.read, orders.admin) } } },
    async () => ({ orders: stored.size }),
  )

  app.get('/whoami', { config: { auth: { optional: true } } }, async (request) =>
    request.auth === null
      ? { clientId: null }
      : { clientId: request.auth.clientId, scopes: [...request.auth.scopes] },
  )

  app.delete(
    '/orders/:id',
    { config: { auth: { scopes: orders.write, clientId: BACK_OFFICE } } },
    async (request, reply) => {
      const { id } = request.params as { id: string }
      return reply.code(stored.delete(Number(id)) ? 204 : 404).send()
    },
  )

  return app
}
