/** Access to the dashboard: an unauthorized request gets no part of it. */
import { createHash, timingSafeEqual } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../../src/adapters/fastify/index.ts'
import { createTestUserPool } from '../../../../src/testing/index.ts'
import { usageDashboard } from '../../../../src/tokens/usage/dashboard/index.ts'
import { COMPANY, seededUsage } from '../../../support/dashboard-data.ts'

const PATHS = [
  '/',
  '/main.js',
  '/style.css',
  '/uplot.js',
  '/data.json',
  '/chart.json',
  '/usage.csv',
]
const usage = await seededUsage(COMPANY)

function serve(
  authorize: (request: FastifyRequest) => unknown,
  options: { challenge?: string } = {},
): FastifyInstance {
  const app = Fastify()
  const registration = { usage, authorize: authorize as () => boolean, ...options }
  app.register(usageDashboard, { prefix: '/usage', ...registration })
  return app
}

t.test('only true grants access', async (t) => {
  for (const answer of [false, undefined, null, 1, 'true', {}, []]) {
    for (const path of PATHS) {
      const { statusCode, headers, body } = await serve(() => answer).inject(`/usage${path}`)
      t.equal(statusCode, 403, `${path} ${answer}`)
      t.strictSame(JSON.parse(body), {
        statusCode: 403,
        code: 'ERR_ACCESS_DENIED',
        error: 'Forbidden',
        message: 'You may not see this',
      })
      t.equal(headers['cache-control'], 'no-store')
      t.equal(headers['www-authenticate'], undefined)
    }
  }
  for (const path of PATHS) {
    t.equal((await serve(async () => true).inject(`/usage${path}`)).statusCode, 200, path)
  }
})

t.test('authorize also runs for HEAD and for the redirect to the page', async (t) => {
  const app = serve(() => false)
  t.equal((await app.inject({ method: 'HEAD', url: '/usage/data.json' })).statusCode, 403)
  t.equal((await app.inject('/usage')).statusCode, 403)
})

t.test('with a challenge, a denied request gets 401 and WWW-Authenticate', async (t) => {
  const app = serve(() => false, { challenge: 'Basic realm="usage"' })
  const { statusCode, headers, body } = await app.inject('/usage/')
  t.equal(statusCode, 401)
  t.equal(headers['www-authenticate'], 'Basic realm="usage"')
  t.match(JSON.parse(body), { statusCode: 401, code: 'ERR_ACCESS_DENIED', error: 'Unauthorized' })
})

t.test('if authorize fails, access is denied without a reason', async (t) => {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  for (const authorize of [
    () => {
      throw new Error('secret of the directory')
    },
    () => Promise.reject(new Error('secret of the directory')),
  ]) {
    const app = Fastify({ logger: { level: 'error', stream } })
    app.register(usageDashboard, { usage, authorize })
    const { statusCode, headers, body } = await app.inject('/data.json')
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '5')
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(JSON.parse(body), {
      statusCode: 503,
      code: 'ERR_CHECK_UNAVAILABLE',
      error: 'Service Unavailable',
      message: 'It cannot be decided now whether you may see this',
    })
  }
  t.equal(lines.length, 2)
  t.ok(lines.every((it) => it.includes('ERR_DECISION_FAILED') && !it.includes('secret')))
})

t.test('every response has headers that isolate the page', async (t) => {
  for (const app of [serve(() => true), serve(() => false)]) {
    for (const path of PATHS) {
      const { headers } = await app.inject(`/usage${path}`)
      const policy = String(headers['content-security-policy'])
      t.notMatch(policy, /unsafe|\*|https?:|data:/)
      t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
      for (const part of ['base-uri', 'form-action', 'frame-ancestors']) {
        t.match(policy, `${part} 'none'`)
      }
      t.match(policy, "require-trusted-types-for 'script'")
      t.equal(headers['x-content-type-options'], 'nosniff')
      t.equal(headers['referrer-policy'], 'no-referrer')
      t.equal(headers['x-frame-options'], 'DENY')
      t.equal(headers['cross-origin-resource-policy'], 'same-origin')
      t.equal(headers['cross-origin-opener-policy'], 'same-origin')
      t.equal(headers['access-control-allow-origin'], undefined)
    }
  }
})

t.test('the hook stays below the prefix', async (t) => {
  const app = serve(() => false)
  app.get('/health', async () => 'ok')
  const { statusCode, headers } = await app.inject('/health')
  t.equal(statusCode, 200)
  t.equal(headers['content-security-policy'], undefined)
})

t.test('Basic over loopback, compared in constant time', async (t) => {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const known = digest(`Basic ${btoa('ops:p:ss')}`)
  const app = serve(({ headers }) => timingSafeEqual(digest(headers.authorization ?? ''), known), {
    challenge: 'Basic realm="usage", charset="UTF-8"',
  })
  const get = (authorization?: string) =>
    app.inject({ url: '/usage/data.json', headers: authorization ? { authorization } : {} })
  t.equal((await get(`Basic ${btoa('ops:p:ss')}`)).statusCode, 200)
  for (const wrong of [undefined, `Basic ${btoa('ops:p:st')}`, `Basic ${btoa('ops')}`, 'Basic']) {
    t.equal((await get(wrong)).statusCode, 401)
  }
})

t.test('the header of a reverse proxy', async (t) => {
  const app = serve(({ headers }) =>
    String(headers['x-auth-request-groups']).split(',').includes('platform'),
  )
  const get = (groups?: string) =>
    app.inject({ url: '/usage/', headers: groups ? { 'x-auth-request-groups': groups } : {} })
  t.equal((await get('platform')).statusCode, 200)
  t.equal((await get('web,platform')).statusCode, 200)
  for (const other of [undefined, 'web', 'platform-guests']) {
    t.equal((await get(other)).statusCode, 403)
  }
})

t.test('beside cognitoAuth, the dashboard opts out and uses authorize only', async (t) => {
  const pool = createTestUserPool()
  const app = Fastify()
  app.register(cognitoAuth, pool.options())
  app.register(usageDashboard, { prefix: '/closed', usage, authorize: () => true })
  app.register(async (context) => {
    context.register(authDefault, { auth: false })
    context.register(usageDashboard, { prefix: '/open', usage, authorize: () => true })
    context.register(usageDashboard, { prefix: '/refused', usage, authorize: () => false })
  })
  t.equal((await app.inject('/closed/')).statusCode, 401)
  t.equal((await app.inject('/open/')).statusCode, 200)
  t.equal((await app.inject('/refused/')).statusCode, 403)
})

t.test(
  'an invalid option is rejected at registration, and the message names it and the fix',
  async (t) => {
    const authorize = () => true
    for (const [registration, message] of [
      [
        { usage },
        'authorize: expected a function, got undefined. Pass one that decides who may see the dashboard.',
      ],
      [
        { usage, authorize: undefined },
        'authorize: expected a value, got undefined. Set it or leave it out.',
      ],
      [
        { usage, authorize: true },
        'authorize: expected a function, got true. Pass one that decides who may see the dashboard.',
      ],
      [{ authorize }, 'usage: expected a Usage, got undefined. Pass the result of createUsage().'],
      [
        { usage: {}, authorize },
        'usage: expected a Usage, got an object. Pass the result of createUsage().',
      ],
      [
        { usage, authorize, challenge: 'Basic\r\nx: y' },
        'challenge: expected a challenge in printable ASCII, got "Basic\\r\\nx: y". Pass for example Basic realm="usage".',
      ],
      [
        { usage, authorize, budget: 0 },
        'budget: expected a number from 0.01 to 1000000000000000, got 0. Pass a number in this range.',
      ],
      [{ usage, authorize, budget: '50' }, /^cognito-m2m: budget: expected a number /],
      [{ usage, authorize, clients: 'all' }, /^cognito-m2m: clients: expected an array or a /],
      [
        { usage, authorize, clients: [{ clientId: '' }] },
        /^cognito-m2m: clients\[0\]\.clientId: expected a text /,
      ],
      [{ usage, authorize, challenge: 401 }, /^cognito-m2m: challenge: expected .*, got 401\. /],
      [
        { usage, authorize, allow: 1 },
        /^cognito-m2m: allow: expected one of usage, authorize, .*, got an unknown name\. /,
      ],
    ] as const) {
      const app = Fastify()
      app.register(usageDashboard, registration as never)
      const expected = typeof message === 'string' ? `cognito-m2m: ${message}` : message
      await t.rejects(async () => app.ready(), { code: 'ERR_OPTION_INVALID', message: expected })
    }
  },
)
