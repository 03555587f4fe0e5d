/** Events of token requests: issued, cached, refused and unavailable. */
import t, { type Test } from 'tap'
import type { DiagnosticsEvents, TokenEvent } from '../../../src/index.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { listen } from '../../support/listen.ts'
import {
  CLIENT,
  issue,
  READ,
  reply,
  setUpProxy,
  startUpstream,
  until,
  WRONG,
} from '../../support/proxy.ts'

const NAME = 'cognito-m2m:token-request' satisfies keyof DiagnosticsEvents

/** Short forms of the events since the last call. */
function listenToProxy(t: Test, app: { tokenProxy: { status(): { instance: number } } }) {
  const { of } = listen(t, [NAME])
  let count = 0
  return (): string[] => {
    const events = of(NAME, app.tokenProxy.status().instance)
    const fresh = events.slice(count)
    count = events.length
    for (const event of fresh) {
      t.ok(Object.isFrozen(event))
      t.same(Object.keys(event).sort(), [
        'clientId',
        'code',
        'duration',
        'error',
        'instance',
        'outcome',
        'userPoolId',
      ])
      t.ok(event.duration >= 0)
    }
    return fresh.map(short)
  }
}

const short = ({ outcome, clientId, userPoolId, error, code }: TokenEvent): string =>
  [outcome, clientId, userPoolId, error, code]
    .slice(0, code === null ? 4 : 5)
    .map(String)
    .join(' ')

t.test('one issued event per token, and cached events for callers without a request', async (t) => {
  const { send, app, clocks, pool } = await setUpProxy(t)
  const newEvents = listenToProxy(t, app)
  const whose = `${CLIENT} ${pool.userPoolId} null`
  await send()
  t.same(newEvents(), [`issued ${whose}`])
  await send()
  await send()
  t.same(newEvents(), [`cached ${whose}`, `cached ${whose}`])
  await Promise.all([send({ scope: READ }), send({ scope: READ }), send({ scope: READ })])
  t.same(newEvents(), [`issued ${whose}`, `cached ${whose}`, `cached ${whose}`])
  clocks.advance(2700 * SECOND)
  await send()
  await until(() => app.tokenProxy.status().inFlight === 0)
  t.same(newEvents().sort(), [`cached ${whose}`, `issued ${whose}`])
})

t.test('refused and unavailable events name only verified clients', async (t) => {
  const { send, app, wire, clocks, pool } = await setUpProxy(t, { clients: [CLIENT] })
  const newEvents = listenToProxy(t, app)
  await send({ secret: WRONG })
  await send({ secret: WRONG })
  t.same(newEvents(), Array(2).fill('refused null null invalid_client'))
  await send({ clientId: 'stranger' })
  await send({ body: 'x' })
  await send({ body: 'x'.repeat(20_000) })
  t.same(newEvents(), [
    'refused null null invalid_client',
    'refused null null invalid_request',
    'refused null null invalid_request',
  ])
  wire.isDown = true
  await send()
  t.same(newEvents(), ['unavailable null null temporarily_unavailable ERR_UPSTREAM_UNAVAILABLE'])
  wire.isDown = false
  clocks.advance(SECOND)
  await send()
  newEvents()
  wire.isDown = true
  const unavailable = `unavailable ${CLIENT} ${pool.userPoolId} temporarily_unavailable`
  for (let time = 0; time < 2; time += 1) {
    await send({ scope: READ })
    t.same(newEvents(), [`${unavailable} ERR_UPSTREAM_UNAVAILABLE`], 'asked for, and remembered')
  }
  clocks.advance(3500 * SECOND)
  await send()
  t.same(newEvents(), [`cached ${CLIENT} ${pool.userPoolId} null`], 'what is held is served')
  wire.isDown = false
  for (let time = 0; time < 2; time += 1) await send({ scope: 'orders/unknown' })
  t.same(newEvents(), Array(2).fill(`refused ${CLIENT} ${pool.userPoolId} invalid_scope`))
})

t.test('an error without the form of a code is not published', async (t) => {
  const { tokenEndpoint } = await startUpstream(t, (response) =>
    reply(response, 400, { error: 'Text of somebody’s' }),
  )
  const { send, app } = await setUpProxy(t, { tokenEndpoint })
  const newEvents = listenToProxy(t, app)
  await send()
  t.same(newEvents(), ['refused null null invalid_request'])
})

const token = (payload: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`

for (const [name, accessToken, userPoolId] of [
  [
    'Cognito’s',
    token({ iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1' }),
    'eu-west-1_Ab1',
  ],
  ['one of no pool', token({ iss: 'https://example.com/somebody' }), 'null'],
  ['one with a number for an issuer', token({ iss: 5 }), 'null'],
  ['one with nothing in it', token([]), 'null'],
  ['one that is no token', 'opaque', 'null'],
] as const) {
  t.test(`the pool is the issuer’s of the token: ${name}`, async (t) => {
    for (const expiresIn of [3600, 300]) {
      const { tokenEndpoint } = await startUpstream(t, (response) =>
        reply(response, 200, { ...issue(1), access_token: accessToken, expires_in: expiresIn }),
      )
      const { send, app } = await setUpProxy(t, { tokenEndpoint })
      const newEvents = listenToProxy(t, app)
      await send()
      t.same(newEvents(), [`issued ${CLIENT} ${userPoolId} null`])
    }
  })
}

t.test('a caller that is not authorised, and a method that is not POST', async (t) => {
  const verdict = { of: async () => false }
  const { send, app } = await setUpProxy(t, { authorize: () => verdict.of() })
  const newEvents = listenToProxy(t, app)
  await send()
  verdict.of = async () => Promise.reject(new Error('x'))
  await send()
  await app.inject('/oauth2/token')
  t.same(newEvents(), [
    'refused null null access_denied',
    'unavailable null null temporarily_unavailable',
    'refused null null invalid_request',
  ])
})
