/** Cached tokens are checked against both clocks on every use. */
import t from 'tap'
import { jwk, keyPair, machineToken, NOW } from '../../support/forge.ts'
import { HOUR, MINUTE, SECOND } from '../../support/key-endpoint.ts'
import { ask, authorization, running } from '../../support/running-server.ts'

t.test('expiry is checked on every use, within the tolerance', async (t) => {
  const { server, clocks } = running(t)
  const guard = server.guard()
  t.equal(await ask(guard), 'accepted')
  clocks.wall = (NOW + 3600 + 5) * 1000 - 1
  t.equal(await ask(guard), 'accepted')
  clocks.wall += 1
  t.equal(await ask(guard), 'ERR_TOKEN_EXPIRED')
})

t.test(
  'a wall clock that steps back before a token is rejected, as if it came first',
  async (t) => {
    const { server, clocks } = running(t)
    const guard = server.guard()
    const later = `Bearer ${machineToken({ nbf: NOW - 20 })}`
    for (const value of [authorization, later]) t.equal(await ask(guard, value), 'accepted')
    clocks.wall = (NOW - 26) * 1000
    t.equal(await ask(guard, later), 'ERR_TOKEN_NOT_ACTIVE')
    t.equal(await ask(guard), 'accepted')
    clocks.wall = (NOW - 311) * 1000
    t.equal(await ask(guard), 'ERR_TOKEN_NOT_ACTIVE')
    clocks.wall = Number.NaN
    t.equal(await ask(guard), 'ERR_TOKEN_EXPIRED', 'a clock that tells nothing lets nobody in')
  },
)

t.test('keys too old to be trusted vouch for no token they vouched for before', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = server.guard()
  const lasting = `Bearer ${machineToken({ exp: NOW + 100 * 3600 })}`
  t.equal(await ask(guard, lasting), 'accepted')
  state.fails = true
  for (let age = HOUR; age <= 24 * HOUR; age += HOUR) {
    clocks.advance(HOUR)
    t.equal(await ask(guard, lasting), 'accepted', `${age / HOUR} h`)
  }
  clocks.advance(1)
  t.equal(await ask(guard, lasting), 'ERR_KEYS_UNAVAILABLE')
  state.fails = false
  clocks.advance(MINUTE)
  t.equal(await ask(guard, lasting), 'accepted')
})

t.test('on the system clock, ages are looked at once a millisecond', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const claims = { exp: now + 3600, iat: now, auth_time: now }
  const { server, clocks, state } = running(t, { now: Date.now, keyStore: { maxStale: 600 } })
  const guard = server.guard()
  const current = `Bearer ${machineToken(claims)}`
  t.equal(await ask(guard, current), 'accepted')
  t.equal(await ask(guard, current), 'accepted')
  state.fails = true
  clocks.monotonic += 600 * SECOND + 1
  const begun = Date.now()
  while (Date.now() === begun);
  t.equal(await ask(guard, current), 'ERR_KEYS_UNAVAILABLE')
})

t.test('a process that slept waits for the refresh, known token or not', async (t) => {
  const { server, clocks, state } = running(t)
  const guard = server.guard()
  t.equal(await ask(guard), 'accepted')
  state.keys = [jwk({ kid: 'other' }, keyPair('other'))]
  clocks.advance(30 * MINUTE)
  t.equal(await ask(guard), 'ERR_KEY_UNKNOWN', 'the very first request')
})

t.test(
  "on a clock of the owner's that stands still, ages are looked at on every use",
  async (t) => {
    const { server, clocks, state } = running(t)
    const guard = server.guard()
    t.equal(await ask(guard), 'accepted')
    t.equal(await ask(guard), 'accepted')
    state.fails = true
    clocks.monotonic += 24 * HOUR + 1
    t.equal(await ask(guard), 'ERR_KEYS_UNAVAILABLE')
  },
)
