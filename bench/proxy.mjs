/**
 * What a held token costs: `npm run bench -- proxy [--quick]`. CPU of the server process per request,
 * all threads, held against a bare Fastify route that parses the same form; in rounds in which both
 * take turns, each proxy slice between two bare ones. Exits with 1 where a hit is below the limit.
 */
import { cpus } from 'node:os'
import { quantile } from './measure.mjs'
import { allowedCores, ask, start } from './processes.mjs'
import { openLoad, requestsOf } from './proxy-load.mjs'
import { table } from './table.mjs'

/** Requests a second of CPU, proxy ÷ bare. */
const LIMIT = 0.9
const METHODS = ['post', 'basic']
const CONNECTIONS = 16
const WARM_UP = 15_000
const SLICE = 3000

const quick = process.argv.includes('--quick')
const rounds = quick ? 5 : 25

async function measured(server, load, requests) {
  const before = await ask(server, {})
  await load.run(requests, SLICE)
  const after = await ask(server, {})
  return (after.cpu - before.cpu) / SLICE
}

async function measureMethod(server, [bare, proxy], method) {
  const requests = requestsOf(method)
  for (const load of [bare, proxy]) await load.run(requests, WARM_UP)
  const taken = { bare: [], proxy: [], ratios: [] }
  let before = await measured(server, bare, requests)
  for (let round = 0; round < rounds; round += 1) {
    const micros = await measured(server, proxy, requests)
    const after = await measured(server, bare, requests)
    taken.proxy.push(micros)
    taken.bare.push(after)
    taken.ratios.push((before + after) / 2 / micros)
    before = after
  }
  return taken
}

function row(method, { bare, proxy, ratios }) {
  const ratio = quantile(ratios, 0.5)
  const micros = [bare, proxy].map((values) => quantile(values, 0.5).toFixed(1))
  const spread = [0.25, 0.75].map((share) => quantile(ratios, share).toFixed(3)).join('–')
  return [
    method,
    ...micros,
    ratio.toFixed(3),
    spread,
    String(LIMIT),
    ratio < LIMIT ? 'UNDER' : 'ok',
  ]
}

async function main() {
  const [core] = allowedCores()
  const server = start('proxy-server.mjs', core)
  const { ports } = await ask(server, {})
  const loads = await Promise.all(ports.map((port) => openLoad(port, CONNECTIONS)))
  const rows = []
  for (const method of METHODS) rows.push(row(method, await measureMethod(server, loads, method)))
  for (const load of loads) load.close()
  server.disconnect()
  const head = ['credentials', 'bare µs', 'proxy µs', 'bare ÷ proxy', 'q1–q3', 'limit', '']
  process.stdout.write(
    `Node ${process.version}, ${cpus()[0]?.model}, ${rounds} rounds\n\n${table([head, ...rows])}\n`,
  )
  if (rows.some((cells) => cells.at(-1) === 'UNDER')) process.exitCode = 1
}

await main()
