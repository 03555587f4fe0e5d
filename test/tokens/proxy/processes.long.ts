/** Two proxies over one Redis, as processes. */
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { CLIENT, issue, reply, startUpstream } from '../../support/proxy.ts'
import { fleetOf, type ProxyProcess } from '../../support/proxy-processes.ts'
import { withoutRedis } from '../../support/redis.ts'

type Two = [ProxyProcess, ProxyProcess]

/** Holds answers back until they are let go, each the number of its request. */
function delayedAnswers() {
  const waiting: (() => void)[] = []
  return {
    isHolding: true,
    answer(response: ServerResponse, count: number): void {
      const send = (): void => reply(response, 200, issue(count))
      if (this.isHolding) waiting.push(send)
      else send()
    },
    async come(count: number): Promise<void> {
      await until(() => waiting.length === count)
    },
    letGo(): void {
      this.isHolding = false
      for (const send of waiting.splice(0)) send()
    },
  }
}

t.test('two processes over one Redis', { skip: withoutRedis }, async (t) => {
  t.test('send one request for all callers of both', async (t) => {
    const gate = delayedAnswers()
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      gate.answer(response, count),
    )
    const { proxies } = await fleetOf(t, tokenEndpoint, { bound: 10_000 })
    const callers = Array.from({ length: 200 }, (_, index) => (proxies as Two)[index % 2]?.ask())
    await gate.come(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    t.equal(requests.length, 1)
    gate.letGo()
    const answers = await Promise.all(callers)
    for (const answer of answers) {
      t.match(answer, { status: 200, json: { access_token: 'token-1' } })
    }
    t.equal(requests.length, 1)
  })

  t.test('apply an invalidation of either at their next look-up', async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      reply(response, 200, issue(count)),
    )
    const [here, there] = (await fleetOf(t, tokenEndpoint, { bound: 10_000 })).proxies as Two
    const other = { clientId: 'shipping' }
    const tokens = async () => [
      (await here.ask()).json['access_token'],
      (await there.ask()).json['access_token'],
      (await here.ask(other)).json['access_token'],
    ]
    t.strictSame(await tokens(), ['token-1', 'token-1', 'token-2'])
    await here.invalidate(CLIENT)
    t.strictSame(await tokens(), ['token-3', 'token-3', 'token-2'])
    await there.invalidate(CLIENT)
    t.strictSame(await tokens(), ['token-4', 'token-4', 'token-2'])
    t.equal(requests.length, 4)
  })

  t.test('store no token of a flight that began before an invalidation', async (t) => {
    const gate = delayedAnswers()
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      gate.answer(response, count),
    )
    const [here, there] = (await fleetOf(t, tokenEndpoint, { bound: 10_000 })).proxies as Two
    const before = there.ask()
    await gate.come(1)
    await here.invalidate(CLIENT)
    const after = [there.ask(), here.ask()]
    await new Promise((resolve) => setTimeout(resolve, 300))
    gate.letGo()
    t.equal((await before).json['access_token'], 'token-1', 'whoever asked before has asked before')
    for (const answer of await Promise.all(after)) {
      t.match(answer, { status: 200, json: { access_token: 'token-2' } })
    }
    t.equal((await there.ask()).json['access_token'], 'token-2')
    t.equal(requests.length, 2)
  })

  t.test('do not wait forever for a process that died with the lock', async (t) => {
    const gate = delayedAnswers()
    const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
      gate.answer(response, count),
    )
    const [here, there] = (await fleetOf(t, tokenEndpoint, { timeout: 30, bound: 10_000 }))
      .proxies as Two
    const lost = here.ask().then(
      () => t.fail('it died'),
      () => {},
    )
    await gate.come(1)
    const waiting = there.ask()
    await here.kill()
    await lost
    gate.letGo()
    t.match(await waiting, { status: 200, json: { access_token: 'token-2' } })
    t.equal(requests.length, 2)
  })
})

/** For at most a minute. */
async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 6000; attempt += 1) {
    if (isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('It did not come about within a minute')
}
