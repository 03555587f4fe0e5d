/** The orders API, as the containers behind the load balancer run it. */
import { anyOf } from 'cognito-m2m'
import { cognitoAuth, getAuth } from 'cognito-m2m/express'
import express from 'express'
import { orders } from './scopes.js'

const stored = new Map([['1', { id: '1', item: 'Coffee', by: 'storefront' }]])

function listOrders(_req, res) {
  res.json([...stored.values()])
}

function createOrder(req, res) {
  const order = {
    id: String(stored.size + 1),
    item: String(req.body?.item),
    by: getAuth(req).clientId,
  }
  stored.set(order.id, order)
  res.status(201).json(order)
}

function readOrder(req, res) {
  const order = stored.get(req.params.id)
  if (order === undefined) res.status(404).json({ error: 'No such order' })
  else res.json(order)
}

function readLabel(req, res) {
  res.type('text/plain').send(`order ${req.params.id}`)
}

function dailyReport(_req, res) {
  res.json({ orders: stored.size })
}

export function createApp(userPool = { userPoolId: process.env.USER_POOL_ID, clientId: null }) {
  const auth = cognitoAuth(userPool)
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json({ limit: '10kb' }))

  app.get('/health', (_req, res) => res.json({ ready: auth.server.status().ready }))
  app.get('/orders', auth({ scopes: orders.read }), listOrders)
  app.post('/orders', auth({ scopes: orders.write }), createOrder)
  app.get('/orders/:id', auth({ scopes: orders.read }), readOrder)
  app.get('/orders/:id/label', auth({ scopes: orders.read }), readLabel)
  app.get('/reports/daily', auth({ scopes: anyOf(orders.read, orders.report) }), dailyReport)

  return app
}
