/** The line of a rejected request: its fields, and the limit per code in a flood. */
import t from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { readRejectionLog } from '../../src/core/rejection-log.ts'
import { newApp, pool, wrongScope } from '../support/fastify.ts'
import { CLIENT, machineToken, outcome, POOL, refusal, serve } from '../support/forge.ts'

type Line = readonly [object, string]

function begin(rejectionLog: object | false, monotonicNow: () => number = () => 0) {
  const lines: Line[] = []
  const nothing = () => {}
  const info = (...line: Line) => void lines.push(line)
  const logger = { info, warn: nothing, error: nothing }
  return { lines, server: serve({ logger, rejectionLog, monotonicNow } as never) }
}

const TEXT = 'cognito-m2m: request rejected'

t.test('no line is written by default, and none for an accepted request', async (t) => {
  const silent = begin(false)
  await refusal(silent.server.guard(), undefined)
  t.strictSame(silent.lines, [])
  const { lines, server } = begin({})
  t.equal(await outcome(server.guard(), `Bearer ${machineToken()}`), 'accepted')
  t.strictSame(lines, [])
})

t.test(
  'a line has code, route and verified client, and no client that is only claimed',
  async (t) => {
    const { lines, server } = begin({})
    const guard = server.guard({ scopes: 'orders/read' })
    await refusal(guard, undefined)
    await refusal(guard, `Bearer ${machineToken({ scope: 'a/b' })}`)
    await refusal(guard, `Bearer ${machineToken({ exp: 1 })}`)
    await refusal(guard, `Bearer ${machineToken({ jti: 5 })}`)
    const fields = { route: null, clientId: null, userPoolId: null, reason: null, suppressed: 0 }
    t.strictSame(lines, [
      [{ code: 'ERR_TOKEN_MISSING', ...fields }, TEXT],
      [{ code: 'ERR_SCOPE_INSUFFICIENT', ...fields, clientId: CLIENT, userPoolId: POOL }, TEXT],
      [{ code: 'ERR_TOKEN_EXPIRED', ...fields, userPoolId: POOL }, TEXT],
      [
        {
          code: 'ERR_TOKEN_INVALID',
          ...fields,
          userPoolId: POOL,
          reason: 'jti is not a non-empty string',
        },
        TEXT,
      ],
    ])
  },
)

t.test('a flood of 401s is limited, and hides no 403', async (t) => {
  let nowMs = 0
  const { lines, server } = begin({ perMinute: 2 }, () => nowMs)
  const guard = server.guard({ scopes: 'orders/read' })
  for (let count = 0; count < 1000; count += 1) await refusal(guard, undefined)
  await refusal(guard, `Bearer ${machineToken({ scope: 'a/b' })}`)
  nowMs = 59_999
  await refusal(guard, undefined)
  nowMs = 60_000
  await refusal(guard, undefined)
  t.match(
    lines.map(([fields]) => fields),
    [
      { code: 'ERR_TOKEN_MISSING', suppressed: 0 },
      { code: 'ERR_TOKEN_MISSING', suppressed: 0 },
      { code: 'ERR_SCOPE_INSUFFICIENT', suppressed: 0 },
      { code: 'ERR_TOKEN_MISSING', suppressed: 999 },
    ],
  )
  t.equal(lines.length, 4)
})

t.test('the limit holds while the clock fails', async (t) => {
  const { lines, server } = begin({ perMinute: 3 }, () => Number.NaN)
  const guard = server.guard()
  for (let count = 0; count < 10; count += 1) await refusal(guard, undefined)
  t.equal(lines.length, 3)
})

t.test('an error of application code has a line of its own', async (t) => {
  const { lines, server } = begin({})
  const now = () => {
    throw new Error('a clock')
  }
  const failing = serve({ rejectionLog: {}, now } as never)
  await t.rejects(outcome(failing.guard(), `Bearer ${machineToken()}`), { message: 'a clock' })
  t.strictSame(lines, [])
  server.close()
})

t.test('a Fastify app logs the pattern of the route, and no part of the URL', async (t) => {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const app = newApp(t, { logger: { level: 'info', stream } })
  await app.register(cognitoAuth, { ...pool.options(), rejectionLog: {} } as never)
  app.get('/orders/:id', { config: { auth: { scopes: 'orders/read' } } }, async () => 'in')
  const headers = { authorization: wrongScope }
  t.equal((await app.inject({ url: '/orders/s3cret?key=s3cret', headers })).statusCode, 403)
  const rejected = lines.filter((line) => line.includes(TEXT))
  t.equal(rejected.length, 1)
  t.match(JSON.parse(rejected[0] as string), {
    level: 30,
    msg: TEXT,
    code: 'ERR_SCOPE_INSUFFICIENT',
    route: '/orders/:id',
    clientId: 'billing',
    suppressed: 0,
  })
  t.notMatch(rejected.join(''), 's3cret')
})

t.test('the option', async (t) => {
  t.equal(readRejectionLog(), undefined)
  t.equal(readRejectionLog({}), 60)
  t.equal(readRejectionLog({ perMinute: 6000 }), 6000)
})
