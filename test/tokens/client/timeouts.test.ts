/** How long one request may take, and what is made of an endpoint that never answers. */
import { mock } from 'node:test'
import t from 'tap'
import { codeOf, settle, stage, tokenAnswer } from '../../support/client.ts'

t.test('a request is given up after 5 s and tried again', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, world } = stage()
  world.answer = () => (world.asked.length < 2 ? new Promise(() => {}) : tokenAnswer('second'))
  const asking = client.getToken()
  await settle()
  for (const [passed, asked] of [
    [4999, 1],
    [1, 1],
    [200, 2],
  ] as const) {
    mock.timers.tick(passed)
    await settle()
    t.equal(world.asked.length, asked)
  }
  t.equal((await asking).accessToken, 'second')
})

t.test('one that never answers is given up after three requests', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { client, world } = stage()
  world.answer = () => new Promise(() => {})
  const asking = codeOf(client.getToken())
  for (let second = 0; second < 17; second += 1) {
    await settle()
    world.pass(1000)
    mock.timers.tick(1000)
  }
  t.equal(await asking, 'ERR_TOKEN_REQUEST_TIMEOUT')
  t.equal(world.asked.length, 3)
})

t.test('a client that is closed while it waits for its next try', async (t) => {
  const { client, world } = stage()
  world.answer = () => new Response('', { status: 503, headers: { 'retry-after': '5' } })
  const asking = codeOf(client.getToken())
  await settle()
  client.close()
  t.equal(await asking, 'ERR_CLIENT_CLOSED')
  t.equal(world.asked.length, 1)
})
