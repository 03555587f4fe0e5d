/** Gauges of resource servers, proxies and clients, options, and the cost without subscribers. */
import { channel } from 'node:diagnostics_channel'
import fastify from 'fastify'
import t from 'tap'
import { OptionError } from '../../src/index.ts'
import { createMetrics } from '../../src/metrics/index.ts'
import { createTokenClient } from '../../src/tokens/client/index.ts'
import { tokenProxy } from '../../src/tokens/proxy/index.ts'
import { serve } from '../support/forge.ts'
import { NAMES } from '../support/listen.ts'
import { begin, POOL } from './support.ts'

const USED = NAMES.filter((name) => name !== 'cognito-m2m:jwks-error')
const subscriptions = () => NAMES.filter((name) => channel(name).hasSubscribers)
const pool = (name: string, options: object) => ({
  status: () => ({ instance: 1, userPools: [{ userPoolId: name, ...options }] }),
})

t.test('readiness and key age: the worst of several servers', async (t) => {
  const { metrics, lines } = begin(t)
  metrics.watch(pool('a', { ready: true, keysAge: 5 }))
  metrics.watch(pool('a', { ready: false, keysAge: 90 }))
  const unwatch = metrics.watch(pool('b', { ready: false, keysAge: null }))
  t.strictSame(await lines('cognito_m2m_ready'), [
    'cognito_m2m_ready{pool="a"} 0',
    'cognito_m2m_ready{pool="b"} 0',
  ])
  t.strictSame(await lines('cognito_m2m_keys_age_seconds'), [
    'cognito_m2m_keys_age_seconds{pool="a"} 90',
  ])
  unwatch()
  t.strictSame(await lines('cognito_m2m_ready'), ['cognito_m2m_ready{pool="a"} 0'])
})

t.test('a resource server, a proxy and a client of this package', async (t) => {
  const { metrics, lines } = begin(t)
  const tokenEndpoint = 'https://issuer.example/oauth2/token'
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenProxy, { tokenEndpoint })
  await app.ready()
  const client = createTokenClient({ tokenEndpoint, clientId: 'a', clientSecret: 'b' })
  for (const source of [serve(), app.tokenProxy, client]) metrics.watch(source)
  const gauges = [...(await lines('cognito_m2m_'))].filter((line) => !/total|_seconds/.test(line))
  t.strictSame(gauges, [
    `cognito_m2m_ready{pool="${POOL}"} 1`,
    'cognito_m2m_proxy_upstream_available 1',
    'cognito_m2m_proxy_secondary_region 0',
    'cognito_m2m_proxy_in_flight 0',
    'cognito_m2m_proxy_queued{credentials="proven"} 0',
    'cognito_m2m_proxy_queued{credentials="unproven"} 0',
    'cognito_m2m_proxy_budget_used 0',
    'cognito_m2m_proxy_budget_limit 100',
    'cognito_m2m_client_scope_sets{state="ok"} 0',
    'cognito_m2m_client_scope_sets{state="failing"} 0',
    'cognito_m2m_client_scope_sets{state="down"} 0',
    'cognito_m2m_store_degraded{component="proxy"} 0',
  ])
})

t.test('the state of token clients', async (t) => {
  const { metrics, lines } = begin(t, { now: () => 1_000_000 })
  const lastError = { code: 'ERR_TOKEN_TIMEOUT' }
  const scopeSets = [
    { cachedUntil: 1600, lastError: null },
    { cachedUntil: null, lastError: null },
    { cachedUntil: 1300, lastError },
    { cachedUntil: 900, lastError },
    { cachedUntil: null, lastError },
  ]
  const store = { shared: true, degraded: true, unreadable: 0 }
  metrics.watch({ status: () => ({ instance: 1, scopeSets, store }) })
  metrics.watch({ status: () => ({ instance: 2, scopeSets: scopeSets.slice(0, 1), store: null }) })
  t.strictSame(
    [...(await lines('cognito_m2m_client_')), ...(await lines('cognito_m2m_store'))],
    [
      'cognito_m2m_client_scope_sets{state="ok"} 3',
      'cognito_m2m_client_scope_sets{state="failing"} 1',
      'cognito_m2m_client_scope_sets{state="down"} 2',
      'cognito_m2m_client_token_remaining_seconds 300',
      'cognito_m2m_store_degraded{component="client"} 1',
    ],
  )
})

t.test('a source whose status throws fails no scrape', async (t) => {
  const { metrics, lines } = begin(t)
  let isFailing = false
  const failing = {
    status: () => {
      if (isFailing) throw new Error('a clock')
      return pool('a', { ready: true, keysAge: 1 }).status()
    },
  }
  metrics.watch(failing)
  metrics.watch(pool('b', { ready: true, keysAge: 1 }))
  isFailing = true
  t.strictSame(await lines('cognito_m2m_ready'), ['cognito_m2m_ready{pool="b"} 1'])
})

t.test('without metrics no channel has a listener and no event is created', async (t) => {
  t.strictSame(subscriptions(), [])
  let created = 0
  const { publish } = await import('../../src/core/diagnostics.ts')
  const create = () => {
    created += 1
    return {} as never
  }
  for (const name of NAMES) publish(name, create)
  t.equal(created, 0)
  const { metrics } = begin(t)
  t.strictSame(subscriptions(), USED)
  metrics.close()
  t.strictSame(subscriptions(), [])
  for (const name of NAMES) publish(name, create)
  t.equal(created, 0)
})

t.test('an event of another version fails no request', async (t) => {
  const { lines } = begin(t)
  const thrown: unknown[] = []
  const onError = (error: unknown) => void thrown.push(error)
  process.on('uncaughtException', onError)
  for (const name of USED) channel(name).publish(undefined)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('uncaughtException', onError)
  t.strictSame(thrown, [])
  t.strictSame(await lines('cognito_m2m_decisions_total'), [])
})

t.test('options are validated', async (t) => {
  const meter = { createCounter() {}, createHistogram() {}, createObservableGauge() {} }
  const register = { registerMetric() {}, removeSingleMetric() {} }
  const cases: [object, string, RegExp][] = [
    [
      {},
      'meter',
      /expected a Meter of @opentelemetry\/api, got undefined\. Pass register or meter\.$/,
    ],
    [{ meter: {} }, 'meter', /expected a Meter/],
    [{ register: {} }, 'register', /expected a Registry of prom-client, got /],
    [{ register: null }, 'register', /expected a Registry/],
    [
      { register, meter },
      'meter',
      /expected no meter with register, got both\. Pass one of them\.$/,
    ],
    [{ register, clientId: 'yes' }, 'clientId', /expected a boolean, got 'yes'|expected a boolean/],
    [{ register, now: 5 }, 'now', /expected a function/],
    [{ register, port: 9090 }, 'port', /unknown name/],
  ]
  for (const [options, option, message] of cases) {
    t.throws(() => createMetrics(options as never), { option, message }, option)
    t.strictSame(subscriptions(), [])
  }
  const { metrics } = begin(t)
  for (const source of [undefined, {}, { status: 5 }, { status: () => null }]) {
    const error = t.throws(() => metrics.watch(source as never)) as unknown
    t.match(error, {
      option: 'source',
      message: /Pass app\.cognito, app\.tokenProxy or a token client/,
    })
    t.ok(error instanceof OptionError)
  }
})
