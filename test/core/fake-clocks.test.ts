/** Fake timers of the user's tests: a clock that stands still makes nothing trusted for ever. */
import { mock } from 'node:test'
import t from 'tap'
import { jwk, machineToken, NOW, outcome, serve } from '../support/forge.ts'
import { settle } from '../support/key-endpoint.ts'

const DAY = 86_400_000

t.test('keys expire while Date is mocked', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: NOW * 1000 })
  t.teardown(() => mock.timers.reset())
  let elapsed = 0
  let fails = false
  const fetch = async (): Promise<Response> =>
    fails ? new Response('', { status: 500 }) : Response.json({ keys: [jwk()] })
  const server = serve({ now: undefined, monotonicNow: () => elapsed, jwks: undefined, fetch })
  t.teardown(() => server.close())
  const guard = server.guard()
  const authorization = `Bearer ${machineToken()}`
  t.equal(await outcome(guard, authorization), 'accepted')
  t.equal(await outcome(guard, authorization), 'accepted')
  fails = true
  elapsed += DAY + 1
  await settle()
  t.equal(await outcome(guard, authorization), 'ERR_KEYS_UNAVAILABLE')
})

t.test('tokens are verified while timers are mocked', async (t) => {
  mock.timers.enable()
  t.teardown(() => mock.timers.reset())
  const guard = serve().guard()
  const tokens = Array.from({ length: 30 }, (_, index) => machineToken({ jti: `${index}` }))
  const answers = await Promise.all(tokens.map((token) => outcome(guard, `Bearer ${token}`)))
  t.ok(answers.every((it) => it === 'accepted'))
})
