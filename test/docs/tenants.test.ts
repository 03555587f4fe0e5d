/** The tenants of docs/scopes.md: the check that stands there. */
import { readFileSync } from 'node:fs'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { defineScopes, type VerifiedToken } from '../../src/index.ts'
import { get, newApp, pool } from '../support/fastify.ts'

const CHECK = `
const ofTenant = (token: VerifiedToken, request: unknown) => {
  const { params } = request as FastifyRequest<{ Params: { tenant: string } }>
  return token.scopes.has(\`tenants/\${params.tenant}\`)
}
`

const ofTenant = (token: VerifiedToken, request: unknown) => {
  const { params } = request as FastifyRequest<{ Params: { tenant: string } }>
  return token.scopes.has(`tenants/${params.tenant}`)
}

t.test('a caller reaches the tenants it was granted, and no others', async (t) => {
  t.ok(readFileSync('docs/scopes.md', 'utf8').includes(CHECK), 'the page has this check')
  const orders = defineScopes('orders', { read: 'Read orders' })
  const tenants = defineScopes('tenants', { acme: 'Data of Acme', globex: 'Data of Globex' })
  const app = newApp(t)
  await app.register(cognitoAuth, pool.options())
  const config = { auth: { scopes: orders.read, check: ofTenant } }
  app.get('/tenants/:tenant/orders', { config }, async () => [])
  const bearer = (...scopes: string[]) => `Bearer ${pool.accessToken({ scopes })}`
  const acme = bearer(orders.read, tenants.acme)
  t.equal(await get(app, '/tenants/acme/orders', acme), '200')
  for (const tenant of ['globex', 'nobody', 'ACME', 'acme%20', 'acme%2Forders', '%2e%2e%2facme']) {
    t.equal(await get(app, `/tenants/${tenant}/orders`, acme), '403 ERR_ACCESS_DENIED', tenant)
  }
  const both = bearer(orders.read, tenants.acme, tenants.globex)
  t.equal(await get(app, '/tenants/globex/orders', both), '200')
  const noOrders = bearer(tenants.acme)
  t.equal(await get(app, '/tenants/acme/orders', noOrders), '403 ERR_SCOPE_INSUFFICIENT')
})
