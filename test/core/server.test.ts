import { EventEmitter } from 'node:events'
import t from 'tap'
import { readOptions } from '../../src/core/options/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import { openResourceServer } from '../../src/core/resource-server.ts'
import type { ResourceServer } from '../../src/index.ts'
import { CLIENT, jwk, machineToken, NOW, outcome, POOL, refusal, serve } from '../support/forge.ts'

const bearer = `Bearer ${machineToken()}`

t.test('a guard without a requirement needs the default', async (t) => {
  t.equal(await outcome(serve().guard(), bearer), 'accepted')
  const guard = serve({ default: { scopes: 'orders/admin' } }).guard()
  t.equal((await refusal(guard, bearer)).code, 'ERR_SCOPE_INSUFFICIENT')
})

t.test('refuses a guard whose default lets requests without a token pass', async (t) => {
  const wrong = {
    code: 'ERR_OPTION_INVALID',
    option: 'default',
    message: /lets requests without a token pass: here, pass \{ optional: true \}/,
  }
  for (const fallback of [false, { optional: true }, { optional: true, scopes: 'a/x' }] as const) {
    t.throws(() => serve({ default: fallback }), wrong)
    // Fastify's routes may have such a default, its own guards may not.
    const options = readOptions({ userPoolId: POOL, clientId: null, jwks: { keys: [jwk()] } })
    const other = { ...options, fallback: fallback && compileRequirement(fallback, 'default') }
    t.throws(() => openResourceServer(other).guard(), wrong)
  }
})

t.test('refuses a requirement that is undefined, which is not the default', async (t) => {
  const guard = serve().guard as (requirement: unknown) => unknown
  const server = serve()
  t.throws(() => guard.call(server, undefined), {
    code: 'ERR_OPTION_INVALID',
    option: 'requirement',
  })
})

t.test('a server without resourceMetadata says nothing about itself', async (t) => {
  t.equal(serve().resourceMetadata(), null)
})

t.test('a connection ends with its token by the clock of the server', async (t) => {
  const connection = Object.assign(new EventEmitter(), { destroy: () => ended.push(now) })
  const ended: number[] = []
  let now = NOW * 1000
  const server: ResourceServer = serve({ now: () => now, clockTolerance: 7 })
  const token = await server.guard()(bearer)
  t.equal(token.clientId, CLIENT)
  for (const seconds of [3606, 3607]) {
    now = (NOW + seconds) * 1000
    server.closeOnExpiry(token, connection)
    connection.emit('close')
  }
  t.strictSame(ended, [(NOW + 3607) * 1000])
})
