import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { nextInstance, publish, secondsBetween } from '../../src/core/diagnostics.ts'
import { CLIENT, machineToken, NOW, outcome, POOL, serve } from '../support/forge.ts'
import {
  Clocks,
  find,
  good,
  hang,
  KeyEndpoint,
  MINUTE,
  openStore,
  publicJwk,
  refused,
  settle,
  status,
} from '../support/key-endpoint.ts'
import { listen, NAMES } from '../support/listen.ts'
import { coreGuard } from '../support/running-server.ts'

const ORIGIN = { instance: 1, userPoolId: 'eu-west-1_AbCdEfGhI' }

t.test('without subscribers no event is created and no clock is read', async (t) => {
  for (const name of NAMES) publish(name, () => t.fail(`${name} was made`) as never)
  let read = 0
  const server = serve({ monotonicNow: () => ++read })
  const guard = server.guard()
  const quiet = async (): Promise<number> => {
    const before = read
    t.equal(await outcome(guard, undefined), 'ERR_TOKEN_MISSING')
    t.equal(await outcome(guard, `Bearer ${machineToken()}`), 'accepted')
    return read - before
  }
  const reads = await quiet()
  const { heard } = listen(t, ['cognito-m2m:decision'])
  t.equal(await quiet(), reads + 4, 'two decisions, each begun and ended')
  t.equal(heard.length, 2)
})

t.test('a decision event has the pool and the verified client, if known', async (t) => {
  const { of } = listen(t)
  const server = serve({ check: () => true })
  const { instance } = server.status()
  const guard = server.guard({ scopes: 'orders/read', check: () => allowed })
  let allowed = true
  const told = async (authorization: string | undefined): Promise<unknown[]> => {
    const result = await outcome(guard, authorization)
    const event = of('cognito-m2m:decision', instance).at(-1)
    t.equal(event?.code ?? 'accepted', result)
    t.strictSame(Object.keys(event ?? {}), [
      'instance',
      'userPoolId',
      'clientId',
      'code',
      'reason',
      'route',
      'cached',
      'duration',
    ])
    t.ok(Object.isFrozen(event))
    t.ok((event?.duration as number) >= 0)
    t.equal(event?.route, null, 'core sees no router')
    return [result, event?.userPoolId, event?.clientId, event?.cached]
  }
  const bearer = (claims = {}, header = {}): string => `Bearer ${machineToken(claims, header)}`
  t.strictSame(await told(undefined), ['ERR_TOKEN_MISSING', null, null, null])
  t.strictSame(await told('Bearer a b'), ['ERR_REQUEST_INVALID', null, null, null])
  t.strictSame(await told('Bearer garbage'), ['ERR_TOKEN_INVALID', null, null, null])
  t.strictSame(await told(bearer({ iss: 'https://evil' })), ['ERR_TOKEN_ISSUER', null, null, null])
  t.strictSame(await told(bearer({ exp: 1 })), ['ERR_TOKEN_EXPIRED', POOL, null, null])
  t.strictSame(await told(bearer({ sub: 'x', client_id: 'x' })), [
    'ERR_CLIENT_NOT_ALLOWED',
    POOL,
    null,
    null,
  ])
  t.strictSame(await told(bearer({}, { kid: 'other' })), ['ERR_KEY_UNKNOWN', POOL, null, null])
  const forged = `${bearer().slice(0, -20)}${'A'.repeat(20)}`
  t.strictSame(await told(forged), ['ERR_TOKEN_SIGNATURE', POOL, null, null])
  t.strictSame(await told(bearer({ scope: 'a/b' })), [
    'ERR_SCOPE_INSUFFICIENT',
    POOL,
    CLIENT,
    false,
  ])
  t.strictSame(await told(bearer()), ['accepted', POOL, CLIENT, false])
  allowed = false
  t.strictSame(await told(bearer()), ['ERR_ACCESS_DENIED', POOL, CLIENT, true])
})

t.test('an allowed request without a token is reported without a client', async (t) => {
  const { of } = listen(t)
  const server = serve()
  const guard = coreGuard(server, { optional: true })
  t.equal(guard(undefined), null, 'at once, as without a listener')
  const [event] = of('cognito-m2m:decision')
  t.match(event, { code: null, userPoolId: null, clientId: null })
})

t.test('an error of application code is reported as ERR_INTERNAL and rethrown', async (t) => {
  const { of } = listen(t)
  let failing = false
  const now = (): number => {
    if (failing) throw new Error('the owner looks here')
    return NOW * 1000
  }
  const guard = serve({ now }).guard()
  failing = true
  const message = 'the owner looks here'
  await t.rejects(outcome(guard, `Bearer ${machineToken()}`), { message })
  t.match(of('cognito-m2m:decision'), [{ code: 'ERR_INTERNAL', userPoolId: POOL, clientId: null }])
})

t.test('durations are seconds of the monotonic clock and never negative', async (t) => {
  const { of } = listen(t)
  const clocks = new Clocks()
  let passed = 250
  const server = serve({
    monotonicNow: clocks.monotonicNow,
    now: () => NOW * 1000,
    check: () => {
      clocks.monotonic += passed
      return true
    },
  })
  t.equal(await outcome(server.guard(), `Bearer ${machineToken()}`), 'accepted')
  passed = -9000
  t.equal(await outcome(server.guard(), `Bearer ${machineToken()}`), 'accepted')
  t.strictSame(
    of('cognito-m2m:decision').map((event) => event.duration),
    [0.25, 0],
  )
  t.equal(secondsBetween(1000, 3500), 2.5)
})

t.test('a fetch and the key set change are reported', async (t) => {
  const { of, heard } = listen(t)
  const clocks = new Clocks()
  const endpoint = new KeyEndpoint().answer(good('a', 'b'))
  endpoint.gated = true
  const { store } = openStore(endpoint, clocks)
  await settle()
  clocks.advance(120)
  endpoint.gated = false
  endpoint.release()
  await store.ready()
  t.strictSame(of('cognito-m2m:fetch'), [{ ...ORIGIN, code: null, duration: 0.12 }])
  t.strictSame(of('cognito-m2m:jwks-change'), [{ ...ORIGIN, keys: 2, added: 2, removed: 0 }])
  clocks.advance(6 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  await settle()
  t.equal(of('cognito-m2m:fetch').length, 2)
  t.equal(of('cognito-m2m:jwks-change').length, 1, 'a refresh that changes nothing swaps nothing')
  endpoint.answer(() => Response.json({ keys: [publicJwk('b', 1), publicJwk('c')] }))
  clocks.advance(6 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  await settle()
  t.strictSame(
    of('cognito-m2m:jwks-change').at(-1),
    { ...ORIGIN, keys: 2, added: 2, removed: 2 },
    'new material under an old kid counts as both',
  )
  t.ok(heard.every(({ event }) => Object.isFrozen(event)))
  store.close()
})

t.test('a failed fetch reports the remaining key lifetime and the next attempt', async (t) => {
  const { of } = listen(t)
  const clocks = new Clocks()
  const endpoint = new KeyEndpoint().answer(status(503, { 'retry-after': '30' }))
  const { store } = openStore(endpoint, clocks)
  await store.ready()
  const first = { ...ORIGIN, code: 'ERR_JWKS_STATUS', status: 503, errno: null }
  t.strictSame(of('cognito-m2m:jwks-error'), [{ ...first, keysAge: null, nextAttempt: 30 }])
  t.strictSame(of('cognito-m2m:fetch'), [{ ...ORIGIN, code: 'ERR_JWKS_STATUS', duration: 0 }])
  endpoint.answer(good('a'))
  clocks.advance(30_000)
  t.equal(await find(store, 'a'), 'key')
  endpoint.answer(refused)
  clocks.advance(6 * MINUTE)
  t.equal(await find(store, 'a'), 'key')
  await settle()
  t.strictSame(of('cognito-m2m:jwks-error').at(-1), {
    ...ORIGIN,
    code: 'ERR_JWKS_NETWORK',
    status: null,
    errno: 'ECONNREFUSED',
    keysAge: 360,
    nextAttempt: 1,
  })
  store.close()
})

t.test('an unknown kid is reported with its outcome if keys are available', async (t) => {
  const { of } = listen(t)
  const clocks = new Clocks()
  const endpoint = new KeyEndpoint().answer(hang)
  const { store } = openStore(endpoint, clocks)
  const early = find(store, 'a')
  store.close()
  t.match(await early, /^unavailable/)
  t.strictSame(of('cognito-m2m:unknown-kid'), [], 'without keys no kid is known')

  const second = openStore(endpoint.answer(good('a')), clocks)
  await second.store.ready()
  const codes = (): unknown[] => of('cognito-m2m:unknown-kid').map(({ code }) => code)
  t.equal(await find(second.store, 'a'), 'key')
  t.strictSame(codes(), [], 'a known kid is no news')
  t.equal(await find(second.store, 'b'), 'ERR_KEY_UNKNOWN')
  endpoint.answer(good('a', 'b'))
  t.equal(await find(second.store, 'b'), 'key')
  endpoint.answer(refused)
  t.match(await find(second.store, 'c'), /^unavailable/)
  t.strictSame(codes(), ['ERR_KEY_UNKNOWN', null, 'ERR_KEYS_UNAVAILABLE'])
  t.strictSame(of('cognito-m2m:unknown-kid')[0], {
    ...ORIGIN,
    code: 'ERR_KEY_UNKNOWN',
    duration: 0,
  })
  second.store.close()
})

t.test('an unknown kid of offline keys is reported', async (t) => {
  const { of } = listen(t)
  t.equal(
    await outcome(serve().guard(), `Bearer ${machineToken({}, { kid: 'x' })}`),
    'ERR_KEY_UNKNOWN',
  )
  t.match(of('cognito-m2m:unknown-kid'), [{ userPoolId: POOL, code: 'ERR_KEY_UNKNOWN' }])
})

t.test('a subscriber that throws or modifies the event changes no decision', async (t) => {
  const thrown: unknown[] = []
  const listener = (event: unknown): void => {
    Object.assign(event as object, { code: null })
  }
  const uncaught = (error: unknown): unknown => thrown.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', uncaught)
  subscribe('cognito-m2m:decision', listener)
  t.equal(await outcome(serve().guard(), undefined), 'ERR_TOKEN_MISSING')
  t.equal(await outcome(serve().guard(), `Bearer ${machineToken()}`), 'accepted')
  unsubscribe('cognito-m2m:decision', listener)
  await settle()
  process.removeListener('uncaughtException', uncaught)
  for (const it of others) process.on('uncaughtException', it)
  t.equal(thrown.length, 2, 'Node tells of each: the event is frozen')
  t.ok(thrown.every((error) => error instanceof TypeError))
})

t.test('instances are numbered, and status() has the number', async (t) => {
  const [first, second] = [serve(), serve()]
  t.equal(second.status().instance, first.status().instance + 1)
  t.equal(nextInstance(), second.status().instance + 1)
})
