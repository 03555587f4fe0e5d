/** Tools get a copy of a requirement: changes to it do not affect the guard. */
import express from 'express'
import { fastify } from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../src/adapters/express/index.ts'
import { cognitoAuth as plugin } from '../../src/adapters/fastify/index.ts'
import {
  attachUnguardedCheck,
  getRequirement,
  getRequirementResolver,
  hasUnguardedCheck,
} from '../../src/core/introspection.ts'
import { createTestUserPool } from '../../src/testing/index.ts'

const pool = createTestUserPool({ clients: [{ clientId: 'a', scopes: ['orders/read'] }] })
const need = { scopes: 'orders/write' }
const headers = { authorization: `Bearer ${pool.accessToken()}` }

/** Changes a requirement as a third-party tool or hostile code might. */
function emptied(told: unknown): string[] {
  const lists = told as { allOf: string[]; anyOf: string[] }
  t.throws(() => lists.allOf.splice(0), TypeError)
  t.throws(() => lists.anyOf.push('orders/read'), TypeError)
  return Object.keys(lists).sort()
}

t.test('Express: a guard keeps the requirement it was created with', async (t) => {
  const auth = cognitoAuth(pool.options())
  const guard = auth(need)
  t.strictSame(emptied(getRequirement(guard)), ['allOf', 'anyOf', 'optional'])
  const app = express().get('/orders', guard, (_request, response) => void response.send('in'))
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers })
  t.equal(answer.status, 403)
  t.match(await answer.json(), { code: 'ERR_SCOPE_INSUFFICIENT' })
})

t.test('Fastify: a route keeps the requirement it was declared with', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(plugin, pool.options())
  app.get('/orders', { config: { auth: need } }, async () => 'in')
  app.get('/open', { config: { auth: false } }, async () => 'in')
  t.equal(getRequirementResolver({}), undefined)
  const needs = getRequirementResolver(app)
  t.equal(needs?.(app, { auth: false }), false)
  t.strictSame(emptied(needs?.(app, { auth: need })), ['allOf', 'anyOf', 'optional'])
  const answer = await app.inject({ url: '/orders', headers })
  t.equal(answer.statusCode, 403)
  t.equal(answer.json().code, 'ERR_SCOPE_INSUFFICIENT')
})

t.test(
  'an app rejects what is unguarded if a registration of any copy of the package does',
  async (t) => {
    const root = {}
    t.equal(hasUnguardedCheck(root), false)
    let first = false
    attachUnguardedCheck(root, () => first)
    t.equal(hasUnguardedCheck(root), false)
    first = true
    t.equal(hasUnguardedCheck(root), true)
    attachUnguardedCheck(root, () => false)
    t.equal(hasUnguardedCheck(root), true, 'what the other copy says still counts')
    first = false
    t.equal(hasUnguardedCheck(root), false)
    attachUnguardedCheck(root, () => true)
    t.equal(hasUnguardedCheck(root), true)
  },
)
