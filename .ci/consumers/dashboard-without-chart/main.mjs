/** Without the chart library, registration fails and says what to install. */
import assert from 'node:assert/strict'
import { createUsage } from 'cognito-m2m/usage'
import { usageDashboard } from 'cognito-m2m/usage/dashboard'
import Fastify from 'fastify'

const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
const app = Fastify()
await assert.rejects(
  async () => app.register(usageDashboard, { prefix: '/usage', usage, authorize: () => true }),
  /Run npm install uplot\.$/,
)
await usage.close()
