/** Timeout of one token request, and an endpoint that never responds. */
import { mock } from 'node:test'
import t from 'tap'
import { codeOf, settle, setUpClient, tokenAnswer } from '../../support/client.ts'

t.test('a request times out after 5 s and is retried', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, world } = setUpClient()
  world.answer = () => (world.requests.length < 2 ? new Promise(() => {}) : tokenAnswer('second'))
  const pending = client.getToken()
  await settle()
  for (const [passed, requestCount] of [
    [4999, 1],
    [1, 1],
    [200, 2],
  ] as const) {
    mock.timers.tick(passed)
    await settle()
    t.equal(world.requests.length, requestCount)
  }
  t.equal((await pending).accessToken, 'second')
})

t.test('for an endpoint that never responds, the client stops after three requests', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, world } = setUpClient()
  world.answer = () => new Promise(() => {})
  const pending = codeOf(client.getToken())
  for (let second = 0; second < 17; second += 1) {
    await settle()
    world.pass(1000)
    mock.timers.tick(1000)
  }
  t.equal(await pending, 'ERR_TOKEN_REQUEST_TIMEOUT')
  t.equal(world.requests.length, 3)
})

t.test('a client that is closed before a retry sends no further request', async (t) => {
  const { client, world } = setUpClient()
  world.answer = () => new Response('', { status: 503, headers: { 'retry-after': '5' } })
  const pending = codeOf(client.getToken())
  await settle()
  client.close()
  t.equal(await pending, 'ERR_CLIENT_CLOSED')
  t.equal(world.requests.length, 1)
})
