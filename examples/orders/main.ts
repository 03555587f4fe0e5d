/**
 * `npm start`: a local user pool, the orders API, a token proxy, the usage dashboard and metrics. Tokens and HTTP are
 * real.
 */
import { parseArgs } from 'node:util'
import { OptionError } from 'cognito-m2m'
import type { LocalUserPool } from 'cognito-m2m/testing'
import type { FastifyInstance } from 'fastify'
import { createTokenProxy } from '../token-proxy/app.js'
import { createOrdersApi } from './app.js'
import { createDashboard } from './dashboard.js'
import { createMetricsServer } from './metrics.js'
import { startOrdersPool } from './pool.js'

function readPort(name: string, defaultPort: number): number {
  const text = process.env[name] ?? String(defaultPort)
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Error(
    `${name}: expected a port from 0 to 65535, got ${JSON.stringify(text)}. Set ${name} to one, or to 0 for any.`,
  )
}

async function listen(app: FastifyInstance, name: string, port: number): Promise<string> {
  try {
    return await app.listen({ host: '127.0.0.1', port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'which is in use' : `which cannot be used (${code})`
    throw new Error(
      `${name}: expected a free port, got ${port}, ${reason}. Choose another port, or 0 for any.`,
    )
  }
}

/** The address of the dashboard, and its credentials. */
interface Dashboard {
  readonly url: string
  readonly user: string
  readonly password: string
}

/** The addresses of all servers. */
interface Addresses {
  readonly api: string
  /** The token endpoint of the proxy. */
  readonly tokenProxy: string
  /** What Prometheus scrapes. */
  readonly metrics: string
  readonly dashboard: Dashboard
}

/** One line for programs, or curl lines for people. */
function announce(addresses: Addresses, pool: LocalUserPool, json: boolean): string {
  const { api, tokenProxy, dashboard, metrics } = addresses
  const { issuer, jwksUri, tokenEndpoint } = pool
  const clients = pool.clients.map(({ clientId, clientSecrets, scopes }) => ({
    clientId,
    clientSecret: clientSecrets[0] as string,
    scopes,
  }))
  if (json) return JSON.stringify({ ...addresses, issuer, jwksUri, tokenEndpoint, clients })
  const [reader, writer] = clients as [(typeof clients)[0], (typeof clients)[0]]
  const token = (client: typeof reader): string =>
    `$(curl -s -u ${client.clientId}:${client.clientSecret} -d grant_type=client_credentials ${tokenEndpoint} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`
  const post = `-X POST -H 'content-type: application/json' -d '{"item":"Tea"}'`
  return `
  Orders API       ${api}
  Local user pool  ${issuer}
  Token proxy      ${tokenProxy}
  Usage dashboard  ${dashboard.url}  (user ${dashboard.user}, password ${dashboard.password})
  Metrics          ${metrics}  (loopback only)

For Prometheus, scrape_configs:
  - { job_name: orders, static_configs: [{ targets: ['${new URL(metrics).host}'] }] }

Paste these into another terminal:

# 401: no token
curl -i ${api}/orders

# 200: ${reader.clientId} has ${reader.scopes.join(' ')}
READER=${token(reader)}
curl -i -H "Authorization: Bearer $READER" ${api}/orders

# 403: ${reader.clientId} may not write
curl -i -H "Authorization: Bearer $READER" ${post} ${api}/orders

# 201: ${writer.clientId} has ${writer.scopes.join(' ')}
WRITER=${token(writer)}
curl -i -H "Authorization: Bearer $WRITER" ${post} ${api}/orders

# 200: from the proxy, which requests one token for all callers with the same client and scopes
curl -i -u ${reader.clientId}:${reader.clientSecret} -d grant_type=client_credentials ${tokenProxy}

Ctrl-C ends all of them.
`
}

/** The option of the pool is `port`; here it is set by POOL_PORT. */
async function startPool(port: number): Promise<LocalUserPool> {
  try {
    return await startOrdersPool(port)
  } catch (error) {
    if (!(error instanceof OptionError) || error.option !== 'port') throw error
    throw new Error(`POOL_PORT: ${error.problem}`)
  }
}

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { json: flag, demo: flag } })
  const [port, poolPort] = [readPort('PORT', 3000), readPort('POOL_PORT', 3001)]
  const dashboardPort = readPort('DASHBOARD_PORT', 3002)
  const [proxyPort, metricsPort] = [readPort('PROXY_PORT', 3003), readPort('METRICS_PORT', 3004)]
  const pool = await startPool(poolPort)
  const apps: FastifyInstance[] = []
  const close = async (): Promise<void> => {
    for (const app of apps) await app.close()
    await pool.close()
  }
  try {
    const app = await createOrdersApi({ ...pool.options(), keyStore: { startup: 'require' } })
    apps.push(app)
    const clients = pool.clients.map(({ clientId }) => clientId)
    const proxy = await createTokenProxy({ tokenEndpoint: pool.tokenEndpoint, clients })
    apps.push(proxy)
    const sources = [pool, app.cognito, proxy.tokenProxy]
    const { app: page, user, password } = await createDashboard(sources, values.demo)
    apps.push(page)
    const operations = createMetricsServer([app.cognito, proxy.tokenProxy])
    apps.push(operations)
    const api = await listen(app, 'PORT', port)
    const url = await listen(page, 'DASHBOARD_PORT', dashboardPort)
    const tokenProxy = `${await listen(proxy, 'PROXY_PORT', proxyPort)}/oauth2/token`
    const metrics = `${await listen(operations, 'METRICS_PORT', metricsPort)}/metrics`
    const addresses = { api, tokenProxy, metrics, dashboard: { url, user, password } }
    process.stdout.write(`${announce(addresses, pool, values.json)}\n`)
  } catch (error) {
    await close()
    throw error
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close())
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
})
