/** Events of a local pool on `cognito-m2m:token-request`, with the client once it is authenticated. */
import t, { type Test } from 'tap'
import { startUserPool } from '../../src/testing/index.ts'
import { ask, FORM } from '../support/http.ts'
import { listen } from '../support/listen.ts'

async function start(test: Test, quota: number | false = false) {
  let now = 0
  const pool = await startUserPool({
    clients: [
      { clientId: 'billing', clientSecrets: ['first'], scopes: ['orders/read'] },
      { clientId: 'web', clientSecrets: ['web-secret'], flows: ['code'] },
    ],
    quota,
    // A quarter of a second from one reading to the next.
    monotonicNow: () => {
      now += 250
      return now
    },
  })
  test.teardown(() => pool.close())
  const { of } = listen(test, ['cognito-m2m:token-request'])
  const post = (clientId: string, secret: string, more = {}) =>
    ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: secret,
        ...more,
      }).toString(),
    })
  const { instance } = pool.status()
  return { pool, instance, post, events: () => of('cognito-m2m:token-request', instance) }
}

t.test('status() names pool and instance, which is nobody else’s', async (t) => {
  const [one, other] = [await start(t), await start(t)]
  t.strictSame(one.pool.status(), { instance: one.instance, userPoolId: one.pool.userPoolId })
  t.not(one.instance, other.instance)
})

t.test('issued, and refused by name', async (t) => {
  const { pool, instance, post, events } = await start(t)
  await post('billing', 'first')
  await post('billing', 'guess')
  await post('billing', 'first', { scope: 'orders/write' })
  await post('web', 'web-secret')
  const { userPoolId } = pool
  const refused = { instance, userPoolId: null, outcome: 'refused', code: null, duration: 0.25 }
  t.strictSame(events(), [
    {
      instance,
      userPoolId,
      clientId: 'billing',
      outcome: 'issued',
      error: null,
      code: null,
      duration: 0.25,
    },
    { ...refused, clientId: null, error: 'invalid_client' },
    { ...refused, userPoolId, clientId: 'billing', error: 'invalid_scope' },
    // Its secret was right, but no token was ever issued to it.
    { ...refused, clientId: 'web', error: 'unauthorized_client' },
  ])
  t.ok(events().every((event) => Object.isFrozen(event)))
})

t.test('over the quota: none could be had', async (t) => {
  const { instance, post, events } = await start(t, 1)
  for (let index = 0; index < 5; index += 1) await post('billing', 'first')
  const told = events().find(({ outcome }) => outcome === 'unavailable')
  t.strictSame(told, {
    instance,
    userPoolId: null,
    clientId: null,
    outcome: 'unavailable',
    code: null,
    // The quota reads the clock as well.
    error: 'TooManyRequestsException',
    duration: 0.5,
  })
})
