/**
 * What a flood of refusals does to valid traffic: `npm run bench -- flood`. Exits with 1 where the p99
 * of valid requests more than doubles (median of the pairs), a decision is wrong or unknown kids
 * made more fetches than their budget, with 2 where the machine was too busy to tell.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startUserPool } from '../dist/testing/index.js'
import { quantile } from './measure.mjs'
import { allowedCores, ask, start } from './processes.mjs'
import { table } from './table.mjs'
import { clients, pool as offlinePool } from './tokens.mjs'

const LIMIT = 2
/** Seconds. */
const SLICE = 0.5
/** Share of a slice that server and load together may wait for a core before it is taken again. */
const MAX_WAITED = 0.05

/** What may be spent at once on unknown kids, and seconds until one more: the defaults. */
const BUDGET = 3
const COOLDOWN = 5

const { values: options } = parseArgs({
  options: {
    kind: { type: 'string', default: 'bad-signature' },
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    valid: { type: 'string', default: '300' },
    flood: { type: 'string', default: '1500' },
    patience: { type: 'string', default: '40' },
    only: { type: 'string', default: 'fastify,express' },
  },
})
/** `bad-signature` or `unknown-kid`. */
const forged = options.kind
const [pairs, validRate, floodRate] = ['pairs', 'valid', 'flood'].map((it) => Number(options[it]))
/** Of each run: of unknown kids 20,000 requests, which takes longer at a lower rate. */
const seconds = Number(options.seconds ?? (forged === 'unknown-kid' ? 20_000 / floodRate : 6))
/** How many slices of a pair may be taken again before the machine is too busy to judge. */
const patience = Number(options.patience)
const frameworks = options.only.split(',')

/** Unknown kids make an API fetch, so its keys come over HTTP; else they are given. */
const pool = forged === 'unknown-kid' ? await startUserPool({ clients }) : offlinePool
/** No refresh of its own while this runs: every fetch but the first is the flood's. */
const keyStore = { refreshInterval: 86_400, cooldown: COOLDOWN }

/** `plain` is the same flood at a route that answers 401 without the package: the framework's share. */
const KINDS = {
  quiet: { path: '/orders', rate: 0 },
  plain: { path: '/plain', rate: floodRate },
  flood: { path: '/orders', rate: floodRate },
}

/** One slice of a run: what the load saw, and the server's CPU time meanwhile. */
async function slice({ server, load, port }, kind) {
  const { path, rate } = KINDS[kind]
  const tokens = pool.clients.map(({ clientId }) => pool.accessToken({ clientId }))
  const before = await ask(server, {})
  const begun = performance.now()
  const seen = await ask(load, {
    port,
    path,
    forged,
    tokens,
    validRate,
    floodRate: rate,
    seconds: SLICE,
  })
  const after = await ask(server, {})
  const wall = (performance.now() - begun) / 1000
  const waited = after.waited - before.waited + seen.loadWaited
  return { ...seen, cpu: after.cpu - before.cpu, waited, wall }
}

function sum(counted) {
  const total = {}
  for (const [status, count] of counted.flatMap(Object.entries)) {
    total[status] = (total[status] ?? 0) + count
  }
  return total
}

/** The slices of one run taken together. */
function summary(slices) {
  const total = (key) => slices.reduce((all, it) => all + it[key], 0)
  const latencies = slices.flatMap((it) => it.latencies)
  const [valid, flood] = [sum(slices.map((it) => it.valid)), sum(slices.map((it) => it.flood))]
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    busy: total('cpu') / total('wall'),
    waited: total('waited') / total('wall'),
    valid,
    flood,
    failed:
      Object.keys(valid).some((it) => it !== '200') ||
      Object.keys(flood).some((it) => it !== '401'),
  }
}

/**
 * A quiet run, a plain flood and one of forged tokens, in alternating slices and alternating order:
 * whatever else the machine does for some seconds meets all. Slices in which server or load had to wait for their
 * core are taken again: what they would show is the other work on this machine.
 */
async function onePair(target) {
  const slices = { quiet: [], plain: [], flood: [] }
  let again = 0
  while (slices.quiet.length < seconds / SLICE && again < patience) {
    const order = Object.keys(slices)
    if (slices.quiet.length % 2 === 1) order.reverse()
    const taken = {}
    for (const kind of order) taken[kind] = await slice(target, kind)
    if (order.some((kind) => taken[kind].waited > MAX_WAITED * SLICE)) again += 1
    else for (const kind of order) slices[kind].push(taken[kind])
  }
  if (slices.quiet.length * SLICE < seconds / 2) return undefined
  const [quiet, plain, flood] = Object.values(slices).map(summary)
  return { again, quiet, plain, flood }
}

async function measure(framework, cores) {
  const begun = { at: performance.now(), fetches: pool.jwksRequests }
  const server = start('flood-server.mjs', cores[0])
  const load = start('flood-load.mjs', cores[1])
  try {
    const { port } = await ask(server, {
      open: framework,
      options: { ...pool.options(), keyStore },
    })
    const target = { server, load, port }
    for (let index = 0; index < 3; index += 1) await slice(target, 'flood')
    const results = []
    for (let pair = 0; pair < pairs; pair += 1) results.push(await onePair(target))
    const elapsed = (performance.now() - begun.at) / 1000
    return {
      results: results.filter((it) => it !== undefined),
      // One of them at start.
      fetches: pool.jwksRequests - begun.fetches - 1,
      allowed: BUDGET + Math.floor(elapsed / COOLDOWN),
    }
  } finally {
    server.disconnect()
    load.disconnect()
  }
}

function counts(statuses) {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')
}

function percent(share) {
  return Number.isNaN(share) ? '?' : `${(share * 100).toFixed(0)} %`
}

function report(framework, { results, fetches, allowed }) {
  const cells = ({ p50, p99, busy, waited, valid, flood }) => [
    ...[p50, p99].map((it) => it.toFixed(2)),
    ...[busy, waited].map(percent),
    counts(valid),
    counts(flood),
  ]
  const rows = results.flatMap((pair, index) =>
    Object.keys(KINDS).map((kind) => [
      `${framework} ${index + 1} ${kind}`,
      ...cells(pair[kind]),
      kind === 'quiet' ? '' : (pair[kind].p99 / pair.quiet.p99).toFixed(2),
    ]),
  )
  const head = ['run', 'p50 ms', 'p99 ms', 'server', 'waited', 'valid', 'bad', 'p99 ratio']
  const failed = results.some((pair) => Object.keys(KINDS).some((kind) => pair[kind].failed))
  const medianOf = (kind) =>
    quantile(
      results.map((pair) => pair[kind].p99 / pair.quiet.p99),
      0.5,
    )
  const median = medianOf('flood')
  const again = results.reduce((all, it) => all + it.again, 0)
  const { verdict, code } = judge(results, failed || fetches > allowed, median)
  const fetched =
    forged === 'unknown-kid' ? `; ${fetches} fetches for them, ${allowed} allowed` : ''
  process.stdout.write(
    `${table([head, ...rows])}\n\n${framework}: median ratio ${median.toFixed(2)} of ${results.length} pairs, limit ${LIMIT}: ${verdict} (plain ${medianOf('plain').toFixed(2)}; ${again} slices taken again${fetched})\n\n`,
  )
  return code
}

/** Too few pairs are no reason to pass: that is told apart from both answers by an exit code of 2. */
function judge(results, failed, median) {
  if (failed) return { verdict: 'WRONG DECISION OR TOO MANY FETCHES', code: 1 }
  if (results.length * 2 <= pairs) return { verdict: 'not judged: the machine is busy', code: 2 }
  return median > LIMIT ? { verdict: 'OVER', code: 1 } : { verdict: 'ok', code: 0 }
}

async function main() {
  const cores = allowedCores()
  const pinned = cores.length > 0 ? 'server and load on a core each' : 'nothing pinned'
  process.stdout.write(
    `Node ${process.version}, ${cpus()[0]?.model}, ${pinned}\n` +
      `valid ${validRate}/s of 50 clients, ${forged} ${floodRate}/s, 50 connections each, ${seconds.toFixed(1)} s each in slices of ${SLICE} s\n\n`,
  )
  const codes = []
  for (const framework of frameworks) {
    codes.push(report(framework, await measure(framework, cores)))
  }
  await pool.close?.()
  process.exitCode = codes.includes(1) ? 1 : Math.max(...codes)
}

await main()
