/**
 * Runs the examples; of orders, as the README says, the demo, the line for programs, and the curl lines
 * as a newcomer pastes them. Needs the package built. Ends only what it started.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

function check(condition, problem) {
  if (!condition) throw new Error(`examples: ${problem}`)
}

/** Starts the example on any ports and answers its output once `enough` of it is there. */
async function start(args, enough, env = {}) {
  const child = spawn('node', ['.examples/orders/main.js', ...args], {
    env: {
      ...process.env,
      PORT: '0',
      POOL_PORT: '0',
      DASHBOARD_PORT: '0',
      PROXY_PORT: '0',
      METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  for await (const chunk of child.stdout) {
    out += chunk
    if (enough.test(out)) break
  }
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return { code: child.exitCode, err }
  }
  return { out, stop }
}

/** The dashboard knows who asked above, and tells nobody without its password. */
async function checkDashboard({ url, user, password }, clients) {
  check((await fetch(url)).status === 401, 'the dashboard is open')
  const headers = { authorization: `Basic ${btoa(`${user}:${password}`)}` }
  check((await fetch(url, { headers })).status === 200, 'the dashboard is closed')
  const summary = await (await fetch(`${url}/data.json`, { headers })).json()
  for (const { clientId } of clients) {
    const row = summary.clients.find((it) => it.clientId === clientId)
    check(row.tokens.issued === 1 && row.requests.accepted > 0, `${clientId} is not counted`)
  }
}

/** Prometheus reads it on loopback alone; it counts what was called above. */
async function checkMetrics(url) {
  check(new URL(url).hostname === '127.0.0.1', 'metrics on loopback')
  const text = await (await fetch(url)).text()
  for (const line of [
    /^cognito_m2m_decisions_total\{code="ok",route="\/orders",pool="[^"]+"\} [1-9]/m,
    /^cognito_m2m_decisions_total\{code="ERR_TOKEN_MISSING",route="\/orders",pool="\(none\)"\} 1$/m,
    /^cognito_m2m_ready\{pool="[^"]+"\} 1$/m,
    /^cognito_m2m_proxy_upstream_available 1$/m,
  ]) {
    check(line.test(text), `metrics: no line ${line} in\n${text}`)
  }
}

/** `--demo` shows 90 days of generated counts. */
async function checkDemoData() {
  const { out, stop } = await start(['--json', '--demo'], /\n/)
  try {
    const { url, user, password } = JSON.parse(out).dashboard
    const headers = { authorization: `Basic ${btoa(`${user}:${password}`)}` }
    const summary = await (await fetch(`${url}/data.json`, { headers })).json()
    const days = (summary.at - summary.since) / 86_400
    check(days >= 90, `the generated data has ${days} days`)
    check(summary.forecast.cost > summary.month.cost && summary.budget > 0, 'no forecast')
    check(summary.anomalies.length > 0 && summary.savings.length > 0, 'nothing was found')
    check(
      summary.clients.some(({ unused }) => unused),
      'no client is unused',
    )
    const chart = await (await fetch(`${url}/chart.json?range=90d`, { headers })).json()
    check(
      chart.layers[0].values.every((it) => it > 0),
      'a day has no tokens',
    )
  } finally {
    await stop()
  }
}

/** Two callers, one token. */
async function checkProxy(url, { clientId, clientSecret }) {
  const ask = async () => {
    const headers = { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` }
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    return (await fetch(url, { method: 'POST', headers, body })).json()
  }
  const [one, other] = [await ask(), await ask()]
  check(one.token_type === 'Bearer', 'the proxy has no token')
  check(one.access_token === other.access_token, 'the proxy asked twice')
}

async function checkJson() {
  const { out, stop } = await start(['--json'], /\n/)
  try {
    check(out.split('\n').length === 2, 'more than one line')
    const { api, tokenEndpoint, tokenProxy, metrics, dashboard, clients, ...rest } = JSON.parse(out)
    check(Object.keys(rest).join() === 'issuer,jwksUri', 'members of the line')
    check((await fetch(`${api}/health`)).status === 200, 'health')
    check((await fetch(`${api}/health/ready`)).status === 200, 'readiness')
    check((await fetch(`${api}/orders`)).status === 401, 'no token')
    for (const { clientId, clientSecret, scopes } of clients) {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      })
      const { access_token } = await (await fetch(tokenEndpoint, { method: 'POST', body })).json()
      const headers = { authorization: `Bearer ${access_token}` }
      check((await fetch(`${api}/orders`, { headers })).status === 200, `${clientId} reads`)
      const order = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"item":"Tea"}',
      }
      const expected = scopes.includes('orders/write') ? 201 : 403
      check((await fetch(`${api}/orders`, order)).status === expected, `${clientId} writes`)
    }
    await checkDashboard(dashboard, clients)
    await checkProxy(tokenProxy, clients[0])
    await checkMetrics(metrics)
  } finally {
    check((await stop()).code === 0, 'does not end cleanly')
  }
}

async function checkCurlLines() {
  const { out, stop } = await start([], /Ctrl-C/)
  try {
    const expected = [...out.matchAll(/^# (\d{3}):/gm)].map(([, status]) => status)
    const answers = execFileSync(
      'bash',
      ['-c', out.slice(out.indexOf('#'), out.indexOf('Ctrl-C'))],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
    check(expected.length === 5, 'curl lines are missing')
    check(statuses.join() === expected.join(), `curl lines answer ${statuses}, not ${expected}`)
  } finally {
    await stop()
  }
}

async function checkRefusals() {
  const inUse = (name) =>
    new RegExp(
      `^${name}: expected a free port, got \\d+, which is in use\\. Choose another port, or 0 for any\\.\n$`,
    )
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const port = String(taken.address().port)
  for (const [env, line] of [
    [{ PORT: port }, inUse('PORT')],
    [{ DASHBOARD_PORT: port }, inUse('DASHBOARD_PORT')],
    [{ PROXY_PORT: port }, inUse('PROXY_PORT')],
    [{ METRICS_PORT: port }, inUse('METRICS_PORT')],
    [{ POOL_PORT: port }, inUse('POOL_PORT')],
    [
      { PORT: 'abc' },
      /^PORT: expected a port from 0 to 65535, got "abc"\. Set PORT to one, or to 0 for any\.\n$/,
    ],
    [
      { NODE_ENV: 'production' },
      /^cognito-m2m: NODE_ENV: expected development or test [^\n]+, got production\.[^\n]+\n$/,
    ],
  ]) {
    const { out, stop } = await start([], /^$/, env)
    const { code, err } = await stop()
    check(code === 1 && out === '' && line.test(err), `${JSON.stringify(env)} is answered ${err}`)
  }
  taken.close()
}

/** Metrics and spans of the outage it stages: rows as `console.table` prints them. */
function checkTelemetry() {
  const printed = execFileSync('node', ['.examples/opentelemetry/main.js'], { encoding: 'utf8' })
  const rows = printed.split('\n').map((line) => line.replace(/[│' ]+/g, ' ').trim())
  for (const row of [
    /^\d+ cognito_m2m.decisions reporting 2$/,
    /^\d+ cognito_m2m.decisions ERR_KEYS_UNAVAILABLE \(unverified\) 1$/,
    /^\d+ cognito_m2m.decision.duration \d/,
    /^\d+ cognito_m2m.jwks.fetches ERR_JWKS_STATUS 1$/,
    /^\d+ cognito_m2m.keys.age \d/,
    /^\d+ cognito_m2m.ready 1$/,
    /^\d+ cognito-m2m decision GET \/orders ERR_TOKEN_EXPIRED unset$/,
    /^\d+ cognito-m2m decision GET \/orders ERR_KEYS_UNAVAILABLE error$/,
    /^\d+ cognito-m2m fetch GET \/orders ERR_JWKS_STATUS error$/,
  ]) {
    check(
      rows.some((it) => row.test(it)),
      `telemetry: no row ${row} in\n${printed}`,
    )
  }
}

/** What it prints of a crowd, of a caller without the key, and of an outage. */
function checkTokenProxy() {
  const printed = execFileSync('node', ['.examples/token-proxy/main.js'], { encoding: 'utf8' })
  const expected = [
    'without the key: 403 access_denied',
    '100 callers: 200 Bearer, issued by the pool: 1',
    'the pool is gone: 200 Bearer',
  ]
  check(printed === `${expected.join('\n')}\n`, `token proxy prints\n${printed}`)
}

/** What two MCP clients and one without scopes get. docs/mcp.md quotes both guards, their lines, and their answers. */
function checkMcp() {
  const print = (name) => execFileSync('node', [`.examples/mcp/${name}.js`], { encoding: 'utf8' })
  const expected = [
    'without a token: 401',
    'orders for reader: tea',
    'reader needs the scope tools.write',
    'orders for writer: tea',
    'order created for writer',
    'stranger: 403',
  ]
  const printed = print('main')
  check(printed === `${expected.join('\n')}\n`, `MCP prints\n${printed}`)
  const page = readFileSync('docs/mcp.md', 'utf8')
  for (const [name, title] of [
    ['before', 'Before'],
    ['after', 'After'],
  ]) {
    const source = readFileSync(`examples/mcp/${name}.ts`, 'utf8')
    check(page.includes(`\n\`\`\`ts\n${source}\`\`\`\n`), `docs/mcp.md does not quote ${name}.ts`)
    const lines = source.slice(source.indexOf('export function')).trim().split('\n').length
    check(page.includes(`${title}: ${lines} lines`), `${name}.ts has ${lines} lines`)
  }
  const answers = print('compare')
  check(
    page.includes(`| --- | --- | --- |\n${answers}\n`),
    `docs/mcp.md lacks the rows\n${answers}`,
  )
}

/** Each line of the README, as a reader runs it there: what it prints, and that its clean twin is clean. */
function checkDrifts() {
  const cwd = 'examples/drift'
  const readme = readFileSync(`${cwd}/README.md`, 'utf8')
  const lines = /```sh\nnpx cognito-m2m (check [^\n]*)\n```\n\n```text\n(.*?)```/gs
  const env = { ...process.env, USER_POOL_ID: 'eu-west-1_AbCdEfGhI' }
  const run = (line) => {
    const args = ['../../dist/cli/main.js', ...line.split(' ')]
    const { status, stdout } = spawnSync('node', args, { cwd, env, encoding: 'utf8' })
    return { status, stdout }
  }
  const shown = [...readme.matchAll(lines)]
  check(shown.length === 3, 'drifts: lines are missing')
  for (const [, line, output] of shown) {
    const drifted = run(line)
    check(drifted.status === 1, `${line} ends with ${drifted.status}`)
    check(drifted.stdout === output, `${line} prints\n${drifted.stdout}`)
    const clean = run(line.replaceAll('drifted', 'clean'))
    check(clean.status === 0 && clean.stdout === '', `drifts: clean prints\n${clean.stdout}`)
  }
}

execFileSync('npx', ['tsc', '-p', 'examples/tsconfig.json'], { stdio: 'inherit' })
execFileSync('node', ['.examples/orders/demo.js'], { stdio: ['ignore', 'ignore', 'inherit'] })
await checkJson()
await checkDemoData()
await checkCurlLines()
await checkRefusals()
checkTelemetry()
checkTokenProxy()
checkMcp()
checkDrifts()
process.stdout.write(
  'examples: demo, JSON line, curl lines, refusals, telemetry, token proxy, MCP and drifts pass\n',
)
