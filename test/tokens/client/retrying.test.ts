/** Retries of a token request: which failures, how many attempts, delays and total time. */
import t from 'tap'
import { TokenClientError, type TokenClientErrorCode } from '../../../src/tokens/client/index.ts'
import { callWithRetries } from '../../../src/tokens/client/token-source.ts'

/** Runs tries that fail as given, on a clock that only waiting moves. */
async function run(fail: (tried: number) => unknown, took = 0) {
  const waits: number[] = []
  let tried = 0
  let time = 0
  const attempt = async (): Promise<string> => {
    tried += 1
    time += took
    const error = fail(tried)
    if (error !== undefined) throw error
    return 'done'
  }
  const wait = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds)
    time += milliseconds
  }
  const outcome: unknown = await callWithRetries(attempt, {
    elapsed: () => time,
    sleep: wait,
  }).catch((error: unknown) => error)
  return { outcome, waits, tried, time }
}

const failing = (code: TokenClientErrorCode, retryAfter?: number) =>
  new TokenClientError(code, retryAfter === undefined ? {} : { retryAfter })

t.test('four attempts, with delays that double and have jitter', async (t) => {
  const seen = new Set<number>()
  for (let round = 0; round < 200; round += 1) {
    const { outcome, waits, tried } = await run(() => failing('ERR_TOKEN_REQUEST_NETWORK'))
    t.match(outcome, { code: 'ERR_TOKEN_REQUEST_NETWORK' })
    t.equal(tried, 4)
    const [first = 0, second = 0, third = 0] = waits
    t.ok(first >= 100 && first <= 200 && second >= 200 && second <= 400, String(waits))
    t.ok(third >= 400 && third <= 800 && waits.length === 3, String(waits))
    seen.add(first)
  }
  t.ok(seen.size > 100, 'no two alike')
})

t.test('temporary failures are retried, permanent ones are not', async (t) => {
  const codes: Record<TokenClientErrorCode, boolean> = {
    ERR_TOKEN_REQUEST_NETWORK: true,
    ERR_TOKEN_REQUEST_TIMEOUT: true,
    ERR_TOKEN_REQUEST_STATUS: true,
    ERR_TOKEN_REQUEST_REFUSED: false,
    ERR_TOKEN_RESPONSE_REDIRECT: false,
    ERR_TOKEN_RESPONSE_TOO_LARGE: false,
    ERR_TOKEN_RESPONSE_INVALID: false,
    ERR_TOKEN_TIMEOUT: false,
    ERR_CLIENT_SECRET_UNAVAILABLE: false,
    ERR_CLIENT_CLOSED: false,
    ERR_FETCH_ORIGIN: false,
    ERR_FETCH_AUTHORIZATION: false,
    ERR_FETCH_REDIRECT: false,
  }
  for (const [code, again] of Object.entries(codes) as [TokenClientErrorCode, boolean][]) {
    const { outcome, tried } = await run((tried) => (tried === 1 ? failing(code) : undefined))
    if (again) t.equal(outcome, 'done', code)
    else t.match(outcome, { code })
    t.equal(tried, again ? 2 : 1, code)
  }
  const fault = new RangeError('of ours')
  t.equal((await run(() => fault)).outcome, fault)
})

t.test('the delay honors Retry-After up to 5 s', async (t) => {
  for (const [retryAfter, least, most] of [
    [3, 3000, 3000],
    [5, 5000, 5000],
    [86_400, 5000, 5000],
    [0, 100, 200],
  ] as const) {
    const { waits } = await run((tried) =>
      tried === 1 ? failing('ERR_TOKEN_REQUEST_STATUS', retryAfter) : undefined,
    )
    t.ok(waits.length === 1 && (waits[0] ?? 0) >= least && (waits[0] ?? 0) <= most, String(waits))
  }
})

t.test('no attempt begins later than 12 s after the first', async (t) => {
  const slow = await run(() => failing('ERR_TOKEN_REQUEST_TIMEOUT'), 5000)
  t.equal(slow.tried, 3)
  t.ok(slow.time <= 17_000)
  const limited = await run(() => failing('ERR_TOKEN_REQUEST_STATUS', 60))
  t.equal(limited.tried, 3)
})

t.test('an attempt that spans a freeze of the process is repeated', async (t) => {
  const frozen = await run(
    (tried) => (tried === 1 ? failing('ERR_TOKEN_REQUEST_TIMEOUT') : undefined),
    3_600_000,
  )
  t.equal(frozen.outcome, 'done')
  t.equal(frozen.tried, 2)
})
