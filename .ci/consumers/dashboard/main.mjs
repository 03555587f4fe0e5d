/** Serves the dashboard's page, its files and its data from the installed package. */
import assert from 'node:assert/strict'
import { createUsage } from 'cognito-m2m/usage'
import { usageDashboard } from 'cognito-m2m/usage/dashboard'
import Fastify from 'fastify'

const PATHS = ['', 'main.js', 'style.css', 'uplot.js', 'uplot.css', 'data.json', 'usage.csv']

const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
const app = Fastify()
await app.register(usageDashboard, { prefix: '/usage', usage, authorize: () => true })
for (const path of PATHS) {
  const { statusCode } = await app.inject(`/usage/${path}`)
  assert.equal(statusCode, 200, `/usage/${path}`)
}
await usage.close()
