/** Cold and warm starts: what is fetched, what is kept, and what bundled keys are good for. */
import t from 'tap'
import { createLambdaAuthorizer } from '../../../src/adapters/lambda/index.ts'
import { createTestUserPool } from '../../../src/testing/index.ts'
import { allows, thrownStatus } from '../../support/gateway.ts'
import { Clocks, MINUTE } from '../../support/key-endpoint.ts'
import { arnOf, requestEvent } from '../../support/lambda-events.ts'

const issuer = 'http://127.0.0.1:9/pool'

/** An authorizer that fetches, from an endpoint whose answers are in the test's hand. */
function fetching(given: object = {}) {
  const clocks = new Clocks()
  const pool = createTestUserPool({ clients: [{ clientId: 'billing' }], now: clocks.now })
  const endpoint = { up: true, asked: 0 }
  const fetch = async () => {
    endpoint.asked += 1
    if (!endpoint.up) throw new TypeError('fetch failed')
    return Response.json(pool.jwks())
  }
  const { jwks: _offline, ...options } = pool.options() as { jwks?: unknown }
  const authorizer = createLambdaAuthorizer({
    ...(options as ReturnType<typeof pool.options>),
    issuer,
    now: clocks.now,
    monotonicNow: clocks.monotonicNow,
    fetch,
    routes: { 'GET /r': {} },
    resultTtl: 0,
    ...given,
  })
  t.teardown(() => authorizer.server.close())
  const ask = async () => {
    const authorization = `Bearer ${pool.accessToken({ claims: { iss: issuer } as never })}`
    try {
      const result = await authorizer(requestEvent({ authorization }))
      return allows(result, arnOf({})) ? 200 : 403
    } catch (error) {
      return thrownStatus(error)
    }
  }
  return { ask, clocks, endpoint, pool, authorizer }
}

t.test('a warm start keeps keys', async (t) => {
  const { ask, clocks, endpoint } = fetching()
  for (let start = 0; start < 5; start += 1) {
    t.equal(await ask(), 200)
    clocks.advance(MINUTE / 2)
  }
  t.equal(endpoint.asked, 1)
})

t.test('after a long freeze keys are fetched anew, and kept if that fails', async (t) => {
  const { ask, clocks, endpoint } = fetching()
  t.equal(await ask(), 200)
  clocks.advance(30 * MINUTE)
  t.equal(await ask(), 200)
  t.equal(endpoint.asked, 2)
  endpoint.up = false
  clocks.advance(30 * MINUTE)
  t.equal(await ask(), 200)
  t.equal(endpoint.asked, 3)
})

t.test('a cold start without keys is an error, which API Gateway does not keep', async (t) => {
  const { ask } = fetching({
    fetch: async () => {
      throw new TypeError('fetch failed')
    },
  })
  t.equal(await ask(), 500)
})

t.test('a cold start with bundled keys answers while none can be fetched', async (t) => {
  const bundled = createTestUserPool({ clients: [{ clientId: 'billing' }] })
  const asked: string[] = []
  const authorizer = createLambdaAuthorizer({
    userPoolId: bundled.userPoolId,
    clientId: 'billing',
    issuer,
    jwks: { initial: bundled.jwks() },
    fetch: async (url) => {
      asked.push(String(url))
      throw new TypeError('fetch failed')
    },
    routes: { 'GET /r': {} },
    resultTtl: 0,
  })
  t.teardown(() => authorizer.server.close())
  const authorization = `Bearer ${bundled.accessToken({ claims: { iss: issuer } as never })}`
  const result = await authorizer(requestEvent({ authorization }))
  t.ok(allows(result, arnOf({})))
  t.strictSame(asked, [`${issuer}/.well-known/jwks.json`], 'they are stale from the start')
  t.equal(authorizer.server.status().ready, true)
})
