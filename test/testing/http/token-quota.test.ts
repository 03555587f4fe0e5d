/** A local pool answers as many token requests a second as Cognito does, by an injected clock. */
import t, { type Test } from 'tap'
import { TokenQuota } from '../../../src/testing/http/token-quota.ts'
import { type LocalUserPoolOptions, startUserPool } from '../../../src/testing/index.ts'
import { ask, FORM } from '../../support/http.ts'

const BODY = 'grant_type=client_credentials&client_id=billing&client_secret=first'

async function start(test: Test, options: LocalUserPoolOptions = {}) {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: ['first'] }],
    ...options,
  })
  test.teardown(() => pool.close())
  const post = (body = BODY) =>
    ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM },
      body,
    })
  return { pool, post }
}

async function statuses(post: () => Promise<{ status: number }>, count: number): Promise<number[]> {
  const answers: number[] = []
  for (let index = 0; index < count; index += 1) answers.push((await post()).status)
  return answers
}

t.test(
  '150 requests a second unless it is told otherwise; what exceeds them gets 429',
  async (t) => {
    let now = 5000
    const { post } = await start(t, { monotonicNow: () => now })
    t.strictSame(new Set(await statuses(post, 150)), new Set([200]))
    const { status, headers, json } = await post()
    t.equal(status, 429)
    t.strictSame(json, { error: 'TooManyRequestsException' })
    t.equal(headers['cache-control'], 'no-store')
    t.match(headers['x-amz-cognito-request-id'], /^[0-9a-f-]{36}$/)
    t.equal(headers['retry-after'], undefined, 'Cognito names no time')
    now += 20
    t.strictSame(await statuses(post, 4), [200, 200, 200, 429])
  },
)

t.test('refused requests count too, and a second is all that is saved up', async (t) => {
  let now = 0
  const { post } = await start(t, { quota: 2, monotonicNow: () => now })
  t.strictSame(await statuses(() => post('grant_type=password'), 3), [400, 400, 429])
  now += 3_600_000
  t.strictSame(await statuses(post, 3), [200, 200, 429])
  now -= 10_000
  t.equal((await post()).status, 429, 'a clock that steps back gives nothing')
})

t.test('a clock that tells no time gives nothing back and breaks nothing', (t) => {
  let now = 0
  const quota = new TokenQuota(1, () => now)
  t.ok(quota.tryConsume())
  now = Number.NaN
  t.notOk(quota.tryConsume())
  now = 1000
  t.ok(quota.tryConsume())
  t.end()
})

t.test('quota: false allows an unlimited number of requests', async (t) => {
  const { post } = await start(t, { quota: false, monotonicNow: () => 0 })
  t.strictSame(new Set(await statuses(post, 160)), new Set([200]))
})

t.test('the key set has no such quota', async (t) => {
  const { pool, post } = await start(t, { quota: 1, monotonicNow: () => 0 })
  t.strictSame(await statuses(post, 2), [200, 429])
  const { pathname } = new URL(pool.jwksUri)
  t.strictSame(await statuses(() => ask(pool.port, { path: pathname }), 3), [200, 200, 200])
})

for (const [quota, shown] of [
  [0, '0'],
  [true, 'true'],
  ['150', '"150"'],
  [Number.NaN, 'NaN'],
] as const) {
  t.test(`quota ${shown} is refused`, async (t) => {
    const started = startUserPool({ quota } as unknown as LocalUserPoolOptions)
    await t.rejects(started, {
      code: 'ERR_OPTION_INVALID',
      option: 'quota',
      message: `cognito-m2m: quota: expected a number of requests a second from 1 to 1000000, got ${shown}. Pass a number in this range.`,
    })
  })
}
