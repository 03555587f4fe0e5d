/** The dashboard, a Fastify plugin. */

import { createUsage } from 'cognito-m2m/usage'
import { usageDashboard } from 'cognito-m2m/usage/dashboard'
import { fastify } from 'fastify'

const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
const app = fastify()
app.register(usageDashboard, {
  prefix: '/usage',
  usage,
  authorize: (request) => request.ip === '::1',
})
// @ts-expect-error authorize is required
app.register(usageDashboard, { usage })
