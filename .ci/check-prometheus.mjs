/**
 * A real Prometheus scrapes `npm start` and an orders API whose key set fails. The queries of the Grafana dashboard
 * return data, and the alerts fire in the outage and clear after it. Needs the package built, and `prometheus`.
 *
 * Times: the copy of the rules has seconds in place of minutes (`for: 5m` becomes `5s`, `[5m]` becomes `[5s]`), and is
 * evaluated twice a second. Thresholds stay as they are.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const RULES = 'deploy/prometheus/rules.yaml'
const DASHBOARD = 'deploy/grafana/dashboard.json'
/** Milliseconds; only a failure takes as long. */
const PATIENCE_MS = 60_000
const OUTAGE_ALERTS = ['CognitoM2mKeysUnavailable', 'CognitoM2mKeysStale', 'CognitoM2mUpstreamDown']

function check(condition, problem) {
  if (!condition) throw new Error(`prometheus: ${problem}`)
}

/** Polls until a condition holds. */
async function until(what, condition) {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const result = await condition()
    if (result) return result
    check(performance.now() < end, `${what} did not happen in ${PATIENCE_MS / 1000} s`)
    await new Promise((go) => setTimeout(go, 250))
  }
}

/** Starts a program and returns the first match of a pattern in what it prints. */
async function start(command, args, stream, pattern, env = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const other = stream === 'stdout' ? 'stderr' : 'stdout'
  child[other].resume()
  for await (const line of createInterface({ input: child[stream] })) {
    const found = pattern.exec(line)
    if (found) {
      child[stream].resume()
      return { found, stop }
    }
  }
  throw new Error(`prometheus: ${command} ended before it listened`)
}

const ANY_PORTS = Object.fromEntries(
  ['PORT', 'POOL_PORT', 'DASHBOARD_PORT', 'PROXY_PORT', 'METRICS_PORT'].map((name) => [name, '0']),
)

/** The example of `npm start`, as a process of its own. */
async function startExample() {
  const args = ['.examples/orders/main.js', '--json']
  const { found, stop } = await start('node', args, 'stdout', /^\{.*\}$/, ANY_PORTS)
  return { ...JSON.parse(found[0]), stop }
}

/** The same parts in this process, where their user pool can fail. */
async function startOutageApp() {
  const [{ createOrdersApi }, { startOrdersPool }, { createMetricsServer }] = await Promise.all(
    ['app', 'pool', 'metrics'].map((name) => import(`../.examples/orders/${name}.js`)),
  )
  const { createTokenProxy } = await import('../.examples/token-proxy/app.js')
  const { createTokenClient } = await import('cognito-m2m/client')
  const pool = await startOrdersPool()
  let clock = 0
  const app = await createOrdersApi({
    ...pool.options(),
    monotonicNow: () => performance.now() + clock,
  })
  const clients = pool.clients.map(({ clientId }) => clientId)
  const proxy = await createTokenProxy({ tokenEndpoint: pool.tokenEndpoint, clients })
  const { clientId, clientSecrets } = pool.clients[0]
  const proxyUrl = await proxy.listen({ host: '127.0.0.1', port: 0 })
  const client = createTokenClient({
    tokenEndpoint: `${proxyUrl}/oauth2/token`,
    clientId,
    clientSecret: clientSecrets[0],
  })
  const operations = createMetricsServer([app.cognito, proxy.tokenProxy, client])
  const metrics = `${await operations.listen({ host: '127.0.0.1', port: 0 })}/metrics`
  await app.cognito.ready()
  return {
    app,
    pool,
    proxy,
    client,
    metrics,
    passTime: (ms) => {
      clock += ms
    },
    stop: async () => {
      await client.close()
      for (const it of [operations, proxy, app]) await it.close()
      await pool.close()
    },
  }
}

/** Requests of every kind until it is stopped: the rates of Prometheus need some in each interval. */
function sendTraffic({ app, pool, proxy, client, passTime }, example) {
  let isRunning = true
  let round = 0
  const [reader] = pool.clients
  const headersOf = (clientId, secret) => ({
    authorization: `Basic ${btoa(`${clientId}:${secret}`)}`,
    'content-type': 'application/x-www-form-urlencoded',
  })
  const requestToken = (secret, scope) =>
    proxy.inject({
      method: 'POST',
      url: '/oauth2/token',
      headers: headersOf(reader.clientId, secret),
      payload: `grant_type=client_credentials${scope ? `&scope=${encodeURIComponent(scope)}` : ''}`,
    })
  const getOrders = (token) =>
    app.inject({ url: '/orders', headers: token ? { authorization: `Bearer ${token}` } : {} })
  const old = pool.accessToken({ scopes: reader.scopes })
  const send = async () => {
    round += 1
    await getOrders(old)
    await getOrders(undefined)
    await getOrders(pool.accessToken({ scopes: ['orders/none'] }))
    await getOrders(pool.accessToken({ scopes: reader.scopes, claims: { jti: `${round}` } }))
    await requestToken(reader.clientSecrets[0])
    // A wrong secret is never cached: each is a request to the user pool.
    await requestToken(`wrong${round}`)
    await client.getToken({ scopes: reader.scopes }).catch(() => {})
    await fetch(`${example.api}/orders`)
    // Keys are refreshed every 5 minutes; without a refresh, the clock makes them stale.
    if (round % 4 === 0) passTime(330_000)
    if (round % 10 === 0) await proxy.tokenProxy.invalidate({ clientId: reader.clientId })
  }
  const loop = (async () => {
    while (isRunning) {
      await send()
      await new Promise((go) => setTimeout(go, 400))
    }
  })()
  return async () => {
    isRunning = false
    await loop
  }
}

function writeConfiguration(folder, targets) {
  const scaled = readFileSync(RULES, 'utf8').replace(
    /(for: |\[)(\d+)m\b/g,
    (_, prefix, minutes) => `${prefix}${minutes}s`,
  )
  writeFileSync(join(folder, 'rules.yaml'), scaled)
  const scrape = Object.entries(targets).map(
    ([job, url]) =>
      `  - { job_name: ${job}, static_configs: [{ targets: ['${new URL(url).host}'] }] }`,
  )
  const lines = [
    'global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }',
    'rule_files: [rules.yaml]',
    'scrape_configs:',
    ...scrape,
  ]
  writeFileSync(join(folder, 'prometheus.yaml'), `${lines.join('\n')}\n`)
  execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yaml')])
}

async function startPrometheus(folder) {
  const args = [
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
  ]
  const pattern = /"Listening on" address=(127\.0\.0\.1:\d+)/
  const { found, stop } = await start('prometheus', args, 'stderr', pattern)
  // It listens before its storage is open.
  await until('the start of Prometheus', async () => (await fetch(`http://${found[1]}/-/ready`)).ok)
  const get = async (path, parameters = {}) => {
    const response = await fetch(
      `http://${found[1]}/api/v1/${path}?${new URLSearchParams(parameters)}`,
    )
    const { status, data, error } = await response.json()
    check(status === 'success', `${JSON.stringify(parameters)}: ${error}`)
    return data
  }
  return {
    stop,
    query: async (query) => (await get('query', { query })).result,
    alerts: async () => (await get('alerts')).alerts,
  }
}

/** Every query of the dashboard, with Grafana's variables replaced. */
function listQueries() {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8'))
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replaceAll('$job', '.+').replaceAll('$__rate_interval', '5s'),
    })),
  )
}

async function checkDashboard(prometheus) {
  const queries = listQueries()
  for (const { title, query } of queries) {
    await until(`data of "${title}": ${query}`, async () => {
      const result = await prometheus.query(query)
      return result.some(({ value }) => value[1] !== 'NaN')
    })
  }
  return queries.length
}

async function checkOutage(prometheus, { pool }) {
  const firing = async () =>
    (await prometheus.alerts())
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => labels)
  const names = async () => new Set((await firing()).map(({ alertname }) => alertname))
  for (const name of OUTAGE_ALERTS) {
    check(!(await names()).has(name), `${name} fires without an outage`)
  }
  await pool.setJwksFault('503')
  await pool.setTokenFault('500')
  pool.rotateKeys({ keepOld: true })
  for (const name of OUTAGE_ALERTS) {
    await until(`${name} fires`, async () => (await names()).has(name))
  }
  const jobs = new Set((await firing()).map(({ job }) => job))
  check(!jobs.has('example'), 'an alert fires for npm start, which has no outage')
  await pool.setJwksFault(null)
  await pool.setTokenFault(null)
  for (const name of OUTAGE_ALERTS) {
    await until(`${name} clears`, async () => !(await names()).has(name))
  }
}

const folder = mkdtempSync(join(tmpdir(), 'cognito-m2m-prometheus-'))
const ends = [async () => rmSync(resolve(folder), { recursive: true, force: true })]
try {
  const example = await startExample()
  ends.push(example.stop)
  const outage = await startOutageApp()
  ends.push(outage.stop)
  ends.push(sendTraffic(outage, example))
  writeConfiguration(folder, { example: example.metrics, outage: outage.metrics })
  const prometheus = await startPrometheus(folder)
  ends.push(prometheus.stop)
  const count = await checkDashboard(prometheus)
  await checkOutage(prometheus, outage)
  process.stdout.write(
    `prometheus: ${count} queries of the dashboard return data; ${OUTAGE_ALERTS.join(' and ')} fire and clear\n`,
  )
} finally {
  for (const end of ends.reverse()) await end()
}
