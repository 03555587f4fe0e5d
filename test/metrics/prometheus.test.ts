/** Metrics in a register of prom-client: names, labels, limits, buckets, gauges and formats. */
import { type OpenMetricsContentType, Registry } from 'prom-client'
import t from 'tap'
import { publish } from '../../src/core/diagnostics.ts'
import { BUCKETS, METRIC_LIST, toPrometheusName } from '../../src/metrics/catalog.ts'
import { createMetrics } from '../../src/metrics/index.ts'
import { begin, decide, POOL, requestToken } from './support.ts'

t.test('decisions by code, route and pool; no client by default', async (t) => {
  const { lines } = begin(t)
  decide()
  decide()
  decide({ code: 'ERR_SCOPE_INSUFFICIENT' })
  decide({ code: 'ERR_TOKEN_MISSING', userPoolId: null, clientId: null, cached: null, route: null })
  t.strictSame(await lines('cognito_m2m_decisions_total'), [
    `cognito_m2m_decisions_total{code="ok",route="/orders/:id",pool="${POOL}"} 2`,
    `cognito_m2m_decisions_total{code="ERR_SCOPE_INSUFFICIENT",route="/orders/:id",pool="${POOL}"} 1`,
    'cognito_m2m_decisions_total{code="ERR_TOKEN_MISSING",route="(unmatched)",pool="(none)"} 1',
  ])
})

t.test('a client by option: 100 of them, then other', async (t) => {
  const { lines } = begin(t, { clientId: true })
  for (let index = 0; index < 250; index += 1) decide({ clientId: `client${index}` })
  decide({ clientId: null })
  const decisions = await lines('cognito_m2m_decisions_total')
  t.equal(decisions.length, 102)
  t.match(decisions[0], /client="client0"\} 1$/)
  t.match(decisions[100], /client="other"\} 150$/)
  t.match(decisions[101], /client="\(unverified\)"\} 1$/)
})

t.test('routes are bounded, whatever an adapter reports', async (t) => {
  const { lines } = begin(t)
  for (let index = 0; index < 500; index += 1) decide({ route: `/${index}` })
  for (let index = 0; index < 500; index += 1) decide({ route: `(${index})` })
  const decisions = await lines('cognito_m2m_decisions_total')
  t.equal(decisions.length, 201)
  t.match(decisions.at(-1), /route="other",.*\} 800$/)
})

t.test('durations have buckets from 50 µs to 5 s', async (t) => {
  const { lines } = begin(t)
  t.equal(BUCKETS[0], 0.00005)
  t.equal(BUCKETS.at(-1), 5)
  for (const duration of [0.00005, 0.00008, 0.3, 5, 7]) decide({ duration })
  const samples = await lines('cognito_m2m_decision_duration_seconds')
  const bucket = (le: string) =>
    samples
      .find((line) => line.includes(`le="${le}"`))
      ?.split(' ')
      .at(-1)
  t.strictSame(['0.00005', '0.0001', '0.25', '0.5', '2.5', '5', '+Inf'].map(bucket), [
    '1',
    '2',
    '2',
    '3',
    '3',
    '4',
    '5',
  ])
  const labels = `{pool="${POOL}"}`
  t.strictSame(samples.slice(-2), [
    `cognito_m2m_decision_duration_seconds_sum${labels} ${0.00005 + 0.00008 + 0.3 + 5 + 7}`,
    `cognito_m2m_decision_duration_seconds_count${labels} 5`,
  ])
})

t.test('cache hits, keys, proxies and clients', async (t) => {
  const { lines } = begin(t, { clientId: true })
  const key = { instance: 1, userPoolId: POOL }
  decide()
  decide({ cached: false })
  publish('cognito-m2m:fetch', () => ({ ...key, code: null, duration: 0.1 }))
  publish('cognito-m2m:fetch', () => ({ ...key, code: 'ERR_JWKS_TIMEOUT', duration: 3 }))
  publish('cognito-m2m:jwks-change', () => ({ ...key, keys: 2, added: 1, removed: 0 }))
  publish('cognito-m2m:unknown-kid', () => ({ ...key, code: 'ERR_KEY_UNKNOWN', duration: 0 }))
  publish('cognito-m2m:unknown-kid', () => ({ ...key, code: null, duration: 0 }))
  requestToken()
  requestToken({ outcome: 'issued', duration: 0.2 })
  requestToken({ outcome: 'refused', error: 'invalid_client', clientId: null, userPoolId: null })
  requestToken({
    outcome: 'unavailable',
    error: 'temporarily_unavailable',
    code: 'ERR_OVER_BUDGET',
  })
  const client = { instance: 3, clientId: 'billing', scope: null, error: null, duration: 0.1 }
  publish('cognito-m2m:client-token', () => ({ ...client, outcome: 'issued', code: null }))
  publish('cognito-m2m:client-token', () => ({
    ...client,
    outcome: 'unavailable',
    code: 'ERR_TOKEN_TIMEOUT',
  }))
  const pool = `pool="${POOL}"`
  const billing = 'client="billing"'
  const read = async (name: string) =>
    (await lines(`cognito_m2m_${name}`)).map((line) => line.slice(line.indexOf('{')))
  t.strictSame(await read('token_cache_lookups_total'), [
    `{result="hit",${pool}} 1`,
    `{result="miss",${pool}} 1`,
  ])
  t.strictSame(await read('jwks_fetches_total'), [
    `{code="ok",${pool}} 1`,
    `{code="ERR_JWKS_TIMEOUT",${pool}} 1`,
  ])
  t.strictSame(await read('jwks_fetch_duration_seconds_sum'), [`{${pool}} 3.1`])
  t.strictSame(await read('jwks_changes_total'), [`{${pool}} 1`])
  t.strictSame(await read('unknown_kids_total'), [
    `{code="ERR_KEY_UNKNOWN",${pool}} 1`,
    `{code="ok",${pool}} 1`,
  ])
  t.strictSame(await read('token_requests_total'), [
    `{outcome="cached",code="ok",${pool},${billing}} 1`,
    `{outcome="issued",code="ok",${pool},${billing}} 1`,
    '{outcome="refused",code="invalid_client",pool="(none)",client="(unverified)"} 1',
    `{outcome="unavailable",code="ERR_OVER_BUDGET",${pool},${billing}} 1`,
  ])
  t.strictSame(await read('upstream_duration_seconds_sum'), [`{${pool}} 0.2`])
  t.strictSame(await read('token_request_duration_seconds_count'), [
    '{outcome="cached"} 1',
    '{outcome="refused"} 1',
    '{outcome="unavailable"} 1',
  ])
  t.strictSame(await read('client_tokens_total'), [
    `{outcome="issued",code="ok",${billing}} 1`,
    `{outcome="unavailable",code="ERR_TOKEN_TIMEOUT",${billing}} 1`,
  ])
  t.strictSame(await read('client_token_duration_seconds_count'), [
    '{outcome="issued"} 1',
    '{outcome="unavailable"} 1',
  ])
})

t.test('every metric has its help and type, also in OpenMetrics', async (t) => {
  const { register } = begin(t)
  decide()
  const text = await register.metrics()
  for (const definition of METRIC_LIST) {
    const name = toPrometheusName(definition)
    t.ok(
      text.includes(`# HELP ${name} ${definition.help}\n# TYPE ${name} ${definition.type}`),
      name,
    )
  }
  const open = new Registry() as unknown as Registry<OpenMetricsContentType>
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const metrics = createMetrics({ register: open })
  t.teardown(() => metrics.close())
  decide()
  const openText = await open.metrics()
  t.match(openText, /# TYPE cognito_m2m_decisions counter\ncognito_m2m_decisions_total\{/)
  t.ok(openText.endsWith('# EOF\n'))
})

t.test('resetMetrics sets counts to zero; default labels are added', async (t) => {
  const { register, lines } = begin(t)
  decide()
  register.resetMetrics()
  t.strictSame(await lines('cognito_m2m_decision'), [])
  register.setDefaultLabels({ service: 'orders' })
  decide()
  t.match(await lines('cognito_m2m_decisions_total'), [/service="orders"\} 1$/])
})

t.test('close ends the counting and frees the names', async (t) => {
  const { register, metrics } = begin(t)
  t.throws(() => createMetrics({ register }), /has already been registered/)
  t.equal(register.getMetricsAsArray().length, METRIC_LIST.length, 'the first ones stay')
  metrics.close()
  t.strictSame(register.getMetricsAsArray(), [])
  createMetrics({ register }).close()
  t.strictSame(register.getMetricsAsArray(), [])
})

t.test('a register with one of the names gets none of the metrics', async (t) => {
  const register = new Registry()
  const name = toPrometheusName(METRIC_LIST[3] as (typeof METRIC_LIST)[number])
  register.registerMetric({ name } as never)
  t.throws(() => createMetrics({ register }), /has already been registered/)
  t.equal(register.getMetricsAsArray().length, 1)
})
