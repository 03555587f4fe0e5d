/** Cached tokens: key, expiry and requirement are still checked on every request. */
import t from 'tap'
import { CLIENT, jwk, keyPair, machineToken, NOW } from '../../support/forge.ts'
import { SECOND, settle } from '../../support/key-endpoint.ts'
import { listen } from '../../support/listen.ts'
import {
  ask,
  authorization,
  coreGuard,
  countInThreadPool,
  running,
  token,
} from '../../support/running-server.ts'

t.test('the second use returns the same token from the cache', async (t) => {
  const { server } = running(t)
  const guard = coreGuard(server, { scopes: 'orders/read' })
  const first = await guard(authorization)
  t.equal(guard(authorization), first, 'not a promise')
  // Another string with the same characters, as a request brings it.
  t.equal(guard(Buffer.from(authorization).toString()), first)
  // More than are verified within one turn: none of them is.
  t.ok(Array.from({ length: 20 }, () => guard(authorization)).every((it) => it === first))
  t.equal(coreGuard(server)(authorization), first, 'for other routes too')
})

t.test('a key that left the set is rejected at the next use after the refresh', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = coreGuard(server)
  t.equal(await ask(guard), 'accepted')
  state.keys = [jwk({ kid: 'other' }, keyPair('other'))]
  t.equal(await ask(guard), 'accepted', 'nobody knows yet')
  clocks.advance(330 * SECOND)
  await ask(guard)
  await settle()
  t.equal(await ask(guard), 'ERR_KEY_UNKNOWN')
})

t.test('new material under the same kid is a new key', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = coreGuard(server)
  t.equal(await ask(guard), 'accepted')
  state.keys = [jwk({}, keyPair('replaced'))]
  clocks.advance(330 * SECOND)
  await ask(guard)
  await settle()
  t.equal(await ask(guard), 'ERR_TOKEN_SIGNATURE')
  t.equal(await ask(guard, `Bearer ${machineToken({}, {}, keyPair('replaced'))}`), 'accepted')
})

t.test('a refresh that changes nothing verifies nothing again', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = coreGuard(server)
  const first = await guard(authorization)
  for (let refresh = 0; refresh < 3; refresh += 1) {
    clocks.advance(330 * SECOND)
    t.equal(guard(authorization), first)
    await settle()
    t.equal(guard(authorization), first)
  }
  t.equal(state.fetches, 4)
})

t.test('a token whose key left and came back is known again', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = coreGuard(server)
  const first = await guard(authorization)
  for (const keys of [[jwk({ kid: 'other' }, keyPair('other'))], [jwk()]]) {
    state.keys = keys
    clocks.advance(330 * SECOND)
    await ask(guard)
    await settle()
  }
  const again = await guard(authorization)
  t.not(again, first, 'verified with the key as it is now')
  t.ok(Array.from({ length: 20 }, () => guard(authorization)).every((it) => it === again))
})

t.test('a token with the signature of a cached one is verified separately', async (t) => {
  const { server } = running(t)
  const guard = coreGuard(server)
  t.equal(await ask(guard), 'accepted')
  const [header, , signature] = token.split('.')
  const [, payload] = machineToken({ scope: 'orders/admin' }).split('.')
  t.equal(await ask(guard, `Bearer ${header}.${payload}.${signature}`), 'ERR_TOKEN_SIGNATURE')
  t.equal(await ask(guard, `${authorization} `), 'ERR_REQUEST_INVALID')
  t.equal(await ask(guard, `Bearer x${token}`), 'ERR_TOKEN_INVALID')
  t.equal(await ask(guard), 'accepted')
})

t.test('other spellings of the header are verified each time', async (t) => {
  const { server } = running(t)
  const guard = coreGuard(server)
  const first = await guard(authorization)
  for (const value of [`bearer ${token}`, `BEARER ${token}`, `Bearer  ${token}`]) {
    const one = await guard(value)
    t.strictSame(one, first)
    t.not(one, first, value)
    t.not(await guard(value), one)
  }
  const fromArray = await guard([authorization])
  t.strictSame(fromArray, first)
  t.not(await guard([authorization]), fromArray)
})

t.test('turned off, every request is verified', async (t) => {
  const { server } = running(t, { tokenCache: false })
  const guard = coreGuard(server)
  const [one, two] = [await guard(authorization), await guard(authorization)]
  t.strictSame(one, two)
  t.not(one, two)
})

t.test('with one entry, two tokens evict each other', async (t) => {
  const { server } = running(t, { tokenCache: { maxEntries: 1 } })
  const guard = coreGuard(server)
  const other = `Bearer ${machineToken({ jti: 'other' })}`
  for (let turn = 0; turn < 3; turn += 1) {
    const first = await guard(authorization)
    t.equal(guard(authorization), first)
    t.match(await guard(other), { tokenId: 'other' })
  }
})

t.test('concurrent first uses are verified separately and cache one token', async (t) => {
  const { server } = running(t)
  await server.ready()
  const guard = coreGuard(server)
  const forged = `${authorization.slice(0, -8)}AAAAAAAA`
  const crowd = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? forged : authorization))
  const answers = await Promise.all(crowd.map((value) => ask(guard, value)))
  t.strictSame(
    answers,
    crowd.map((value) => (value === forged ? 'ERR_TOKEN_SIGNATURE' : 'accepted')),
  )
  const kept = guard(authorization)
  const again = await Promise.all(crowd.map(() => guard(authorization)))
  t.ok(again.every((it) => it === kept))
})

t.test('first uses that wait for keys together end with one token', async (t) => {
  const { server } = running(t)
  const guard = coreGuard(server)
  const tokens = await Promise.all(Array.from({ length: 20 }, () => guard(authorization)))
  t.equal(new Set(tokens).size, 1)
  t.equal(guard(authorization), tokens[0])
})

t.test('a rejection is never cached', async (t) => {
  const { server, clocks } = running(t)
  const guard = coreGuard(server)
  const early = `Bearer ${machineToken({ iat: NOW + 400 })}`
  t.equal(await ask(guard, early), 'ERR_TOKEN_NOT_ACTIVE')
  clocks.advance(100 * SECOND)
  t.equal(await ask(guard, early), 'accepted')
})

t.test('a cached token is reported with its client', async (t) => {
  const { of } = listen(t)
  const { server } = running(t)
  const guard = coreGuard(server)
  await guard(authorization)
  t.equal(guard(authorization) instanceof Promise, false)
  const { instance } = server.status()
  t.match(of('cognito-m2m:decision', instance), [
    { code: null, clientId: CLIENT },
    { code: null, clientId: CLIENT },
  ])
})

t.test('headers that were read before are bounded, and change no answer', async (t) => {
  const { server } = running(t)
  const guard = coreGuard(server)
  for (let index = 0; index < 120; index += 1) {
    const value = `Bearer ${machineToken({ jti: `${index}` }, { x: index })}`
    if ((await ask(guard, value)) !== 'accepted') t.fail(`header ${index}`)
  }
  t.equal(await ask(guard, `Bearer ${machineToken({}, { x: 5 })}`), 'accepted')
  const foreign = machineToken({}, { x: 119 }, keyPair('stranger'))
  t.equal(await ask(guard, `Bearer ${foreign}`), 'ERR_TOKEN_SIGNATURE')
})

t.test(
  'two concurrent verifications of a token in the thread pool share one cache entry',
  async (t) => {
    const { server } = running(t)
    await server.ready()
    const guard = coreGuard(server)
    const others = Array.from(
      { length: 32 },
      (_, index) => `Bearer ${machineToken({ jti: `${index}` })}`,
    )
    const verifications = [...others, authorization, authorization].map((value) => guard(value))
    t.equal(await countInThreadPool(verifications.slice(-2)), 2, 'both in the thread pool')
    const tokens = await Promise.all(verifications)
    t.equal(tokens.at(-1), tokens.at(-2))
    t.equal(guard(authorization), tokens.at(-1))
  },
)
