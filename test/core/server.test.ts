import { EventEmitter } from 'node:events'
import t from 'tap'
import { readOptions } from '../../src/core/options/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import { createCoreServer } from '../../src/core/resource-server.ts'
import type { ResourceServer } from '../../src/index.ts'
import { CLIENT, jwk, machineToken, NOW, outcome, POOL, refusal, serve } from '../support/forge.ts'

const bearer = `Bearer ${machineToken()}`

t.test('a guard without a requirement needs the default', async (t) => {
  t.equal(await outcome(serve().guard(), bearer), 'accepted')
  const guard = serve({ default: { scopes: 'orders/admin' } }).guard()
  t.equal((await refusal(guard, bearer)).code, 'ERR_SCOPE_INSUFFICIENT')
})

t.test('a guard returns a promise for every request, and never throws synchronously', async (t) => {
  const server = serve()
  const guard = server.guard({ scopes: 'orders/read' })
  const first = await guard(bearer)
  const cached = guard(bearer)
  t.ok(cached instanceof Promise, 'a cached token')
  t.equal(await cached, first)
  const optional = server.guard({ optional: true })(undefined)
  t.ok(optional instanceof Promise, 'no token, and none needed')
  t.equal(await optional, null)
  const other = server.guard({ scopes: 'orders/other' })
  for (const [guarded, header, code] of [
    [guard, undefined, 'ERR_TOKEN_MISSING'],
    [guard, 'Bearer x', 'ERR_TOKEN_INVALID'],
    [guard, `Bearer ${machineToken({ exp: 1 })}`, 'ERR_TOKEN_EXPIRED'],
    [other, bearer, 'ERR_SCOPE_INSUFFICIENT'],
  ] as const) {
    const rejected = guarded(header)
    t.ok(rejected instanceof Promise, code)
    await t.rejects(rejected, { name: 'AuthError', code })
  }
  server.close()
  const closed = guard(bearer)
  t.ok(closed instanceof Promise, 'a closed server')
  await t.rejects(closed, { code: 'ERR_KEYS_UNAVAILABLE' })
})

t.test('a clock that throws rejects the promise of a guard', async (t) => {
  const fault = new Error('clock')
  let isFailing = false
  const now = (): number => {
    if (isFailing) throw fault
    return NOW * 1000
  }
  const guard = serve({ now }).guard()
  await guard(bearer)
  isFailing = true
  const cached = guard(bearer)
  t.ok(cached instanceof Promise)
  await t.rejects(cached, fault)
})

t.test('an invalid requirement throws when the guard is created', async (t) => {
  const server = serve()
  for (const requirement of [{ scopes: 5 }, { userPoolId: 'another' }, { unknown: 1 }]) {
    t.throws(() => server.guard(requirement as never), { code: 'ERR_OPTION_INVALID' })
  }
})

t.test('rejects a guard whose default allows requests without a token', async (t) => {
  const wrong = {
    code: 'ERR_OPTION_INVALID',
    option: 'default',
    message:
      /: expected a requirement for a token, got .+\. Pass \{ optional: true \} to the guards/,
  }
  for (const fallback of [false, { optional: true }, { optional: true, scopes: 'a/x' }] as const) {
    t.throws(() => serve({ default: fallback }), wrong)
    // Fastify's routes may have such a default, its own guards may not.
    const options = readOptions({ userPoolId: POOL, clientId: null, jwks: { keys: [jwk()] } })
    const defaultRequirement = fallback && compileRequirement(fallback, 'default')
    const other = { ...options, defaultRequirement }
    t.throws(() => createCoreServer(other).guard(), wrong)
  }
})

t.test('rejects an undefined requirement instead of using the default', async (t) => {
  const guard = serve().guard as (requirement: unknown) => unknown
  const server = serve()
  t.throws(() => guard.call(server, undefined), {
    code: 'ERR_OPTION_INVALID',
    option: 'requirement',
  })
})

t.test('a server without resourceMetadata has no document', async (t) => {
  t.equal(serve().resourceMetadata(), null)
})

t.test('a connection is closed at token expiry by the clock of the server', async (t) => {
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
