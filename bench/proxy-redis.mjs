/**
 * What a held token over Redis costs a caller, beside a route that makes one bare round trip to the same
 * Redis: `npm run bench -- proxy-redis [--quick]`. Both are asked in turn, over the same connections, so
 * that what disturbs one disturbs the other. Exits with 1 where the proxy's 99th percentile is more than
 * twice the bare one's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { quantile } from './measure.mjs'
import { allowedCores, start } from './processes.mjs'
import { table } from './table.mjs'

const LIMIT = 1.2
const CALLERS = 4
const FORM = 'application/x-www-form-urlencoded'
const BODY =
  'grant_type=client_credentials&client_id=billing&client_secret=s3cret&scope=orders%2Fread'

const quick = process.argv.includes('--quick')
const { rounds, calls } = quick ? { rounds: 5, calls: 1000 } : { rounds: 15, calls: 4000 }

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function startRedis() {
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk
    if (said.includes('Ready to accept connections')) break
  }
  child.stdout.resume()
  return { child, url: `redis://127.0.0.1:${port}` }
}

const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })

/** Milliseconds until the answer was read. */
async function timed(port, kind) {
  const begun = performance.now()
  const isProxy = kind === 'proxy'
  const sent = request({
    agent,
    port,
    host: '127.0.0.1',
    method: isProxy ? 'POST' : 'GET',
    path: isProxy ? '/oauth2/token' : '/bare',
    headers: isProxy ? { 'content-type': FORM, 'content-length': BODY.length } : {},
  })
  sent.end(isProxy ? BODY : undefined)
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 200) throw new Error(`${kind} answered ${response.statusCode}`)
  return performance.now() - begun
}

async function round(port) {
  const times = { bare: [], proxy: [] }
  const caller = async (first) => {
    for (let call = 0; call < calls / CALLERS; call += 1) {
      const kinds = (first + call) % 2 === 0 ? ['bare', 'proxy'] : ['proxy', 'bare']
      for (const kind of kinds) times[kind].push(await timed(port, kind))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index)))
  return times
}

const redis = await startRedis()
process.env.REDIS_URL = redis.url
const server = start('./proxy-redis-server.mjs', allowedCores()[0])
const [{ port }] = await once(server, 'message')
await round(port)
const all = { bare: [], proxy: [] }
const ratios = []
for (let done = 0; done < rounds; done += 1) {
  const times = await round(port)
  for (const kind of ['bare', 'proxy']) all[kind].push(...times[kind])
  ratios.push(quantile(times.proxy, 0.99) / quantile(times.bare, 0.99))
}
server.disconnect()
redis.child.kill('SIGKILL')
agent.destroy()

const share = (kind, at) => `${quantile(all[kind], at).toFixed(3)} ms`
const ratio = quantile(all.proxy, 0.99) / quantile(all.bare, 0.99)
const rows = ['bare', 'proxy'].map((kind) => [
  kind === 'bare' ? 'bare round trip' : 'held token',
  ...[0.5, 0.9, 0.99].map((at) => share(kind, at)),
])
process.stdout.write(`${table([['', 'p50', 'p90', 'p99'], ...rows])}\n`)
const spread = [0.25, 0.5, 0.75].map((at) => quantile(ratios, at).toFixed(2)).join(' – ')
process.stdout.write(
  `\np99 ${ratio.toFixed(2)} times the bare one's (rounds: ${spread}), at most ${LIMIT}: ${ratio > LIMIT ? 'OVER' : 'ok'}\n`,
)
process.exitCode = ratio > LIMIT ? 1 : 0
