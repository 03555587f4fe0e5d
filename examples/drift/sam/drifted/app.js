/** The orders API on Lambda. API Gateway judges tokens first, the app for whoever reaches it otherwise. */
import { cognitoAuth } from 'cognito-m2m/fastify'
import Fastify from 'fastify'

const stored = new Map([['1', { id: '1', item: 'Coffee' }]])

async function listOrders() {
  return [...stored.values()]
}

async function createOrder(request, reply) {
  const order = { id: String(stored.size + 1), item: String(request.body?.item) }
  stored.set(order.id, order)
  return reply.code(201).send(order)
}

async function readOrder(request, reply) {
  return stored.get(request.params.id) ?? reply.code(404).send({ error: 'No such order' })
}

async function readLabel(request) {
  return `order ${request.params.id}`
}

async function exportOrders(request) {
  return { day: request.params.day, orders: [...stored.values()] }
}

export async function createApp(
  userPool = { userPoolId: process.env.USER_POOL_ID, clientId: null },
) {
  const app = Fastify()
  await app.register(cognitoAuth, userPool)

  app.get('/health', { config: { auth: false } }, async () => ({ ok: true }))
  app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, listOrders)
  app.post('/orders', { config: { auth: { scopes: 'orders/readwrite' } } }, createOrder) // drift: scope-undefined at post
  app.get('/orders/:id', { config: { auth: { scopes: 'orders/read' } } }, readOrder)
  app.get('/orders/:id/label', { config: { auth: false } }, readLabel) // drift: route-open-in-code at get
  app.get('/exports/:day', { config: { auth: { scopes: 'orders/export' } } }, exportOrders)

  // Carriers have no tokens: the gateway checks their signature.
  app.post('/callbacks/carriers/:carrier', { config: { auth: false } }, async () => ({}))

  return app
}
