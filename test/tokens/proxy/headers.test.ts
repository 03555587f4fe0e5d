/** Headers of requests to Cognito: secrets that a firewall requires, and that rotate. */
import t from 'tap'
import { issue, reply, SECRET, startProxy, startUpstream, until } from '../../support/proxy.ts'

const HEADER = 'x-wafAuthAllowRule'
const NAME = HEADER.toLowerCase()

t.test('a rotated header is used from the next request on', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, { headers }, count) => {
    if (headers[NAME] === 'third') reply(response, 200, issue(count))
    else reply(response, 403, { error: 'forbidden' })
  })
  const values = ['first', 'second', 'third']
  const { send } = await startProxy(t, {
    tokenEndpoint,
    headers: { [HEADER]: async () => values.shift() as string, 'X-Fixed': 'a b' },
  })
  t.equal((await send({ scope: 'a/1' })).status, 403)
  t.equal((await send({ scope: 'a/2' })).status, 403)
  t.equal((await send({ scope: 'a/3' })).status, 200)
  t.same(
    requests.map(({ headers }) => headers[NAME]),
    ['first', 'second', 'third'],
  )
  t.ok(requests.every(({ headers }) => headers['x-fixed'] === 'a b'))
})

t.test('callers cannot set the header', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const { send } = await startProxy(t, { tokenEndpoint, headers: { [HEADER]: 'ours' } })
  await send({ headers: { [HEADER]: 'theirs', 'x-amzn-trace-id': 'theirs' } })
  t.equal(requests[0]?.headers[NAME], 'ours')
  t.notMatch(JSON.stringify(requests), 'theirs')
})

const broken: readonly (readonly [string, () => unknown])[] = [
  [
    'throws',
    () => {
      throw new Error(SECRET)
    },
  ],
  ['rejects', async () => Promise.reject(new Error(SECRET))],
  ['answers nothing', () => undefined],
  ['answers a line break', () => 'a\r\nx: y'],
  ['answers what is no Latin text', async () => 'é'],
  ['never answers', () => new Promise(() => {})],
]

for (const [name, header] of broken) {
  t.test(`one that ${name} is 503, and Cognito is not asked without it`, async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, (response) =>
      reply(response, 200, issue(1)),
    )
    const headers = { [HEADER]: header as () => string }
    const { send } = await startProxy(t, { tokenEndpoint, headers, timeout: 0.05 })
    const answer = await send()
    t.equal(answer.status, 503)
    t.same(answer.json, { error: 'temporarily_unavailable' })
    t.equal(requests.length, 0)
  })
}

t.test('after the timeout, a late header function causes no request', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response) =>
    reply(response, 200, issue(1)),
  )
  let late = (_value: string): void => {}
  const value = new Promise<string>((resolve) => {
    late = resolve
  })
  const fetched: unknown[] = []
  const { app, send } = await startProxy(t, {
    tokenEndpoint,
    headers: { [HEADER]: () => value },
    timeout: 0.05,
    fetch: async (...request) => {
      fetched.push(request)
      return fetch(...request)
    },
  })
  t.equal((await send()).status, 503)
  // The caller and the request have a timer each: that of the request may run out a moment later.
  await until(() => app.tokenProxy.status().inFlight === 0)
  late('ours')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(fetched.length, 0)
  t.equal(requests.length, 0)
})

t.test(
  'if the clock fails while the function runs, Cognito still gets half of the time',
  async (t) => {
    const { requests, tokenEndpoint } = await startUpstream(t, (response) =>
      reply(response, 200, issue(1)),
    )
    let hasFailed = false
    const { send } = await startProxy(t, {
      tokenEndpoint,
      monotonicNow: () => (hasFailed ? Number.NaN : performance.now()),
      headers: {
        [HEADER]: () => {
          hasFailed = true
          return 'ours'
        },
      },
      timeout: 30,
    })
    t.equal((await send()).status, 200)
    t.equal(requests.length, 1)
  },
)
