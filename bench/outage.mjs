/**
 * What an outage of the key set costs valid traffic: `npm run bench -- outage`. CPU time per request
 * while the endpoint fails in each way, against the quiet slices around it. Exits with 1 where a
 * median is over the limit or a request was not answered 200, with 2 where the machine was too busy.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startUserPool } from '../dist/testing/index.js'
import { quantile } from './measure.mjs'
import { allowedCores, ask, start } from './processes.mjs'
import { table } from './table.mjs'
import { clients } from './tokens.mjs'

const LIMIT = 1.1
/** Seconds: one attempt in each. Short, as a shared machine changes its speed from one to the next. */
const SLICE = 1
/** Seconds of the same traffic before each slice: its connections and code paths are alike then. */
const SETTLE = 0.3
/** Not a fault and not judged: a good fetch every second. What it is off by 1 is the machine's. */
const CONTROL = 'healthy'
/** Share of a slice that server and load together may wait for a core before it is taken again. */
const MAX_WAITED = 0.05
/** Seconds: the server's clocks leap over a minute with every attempt. */
const VALIDITY = 30 * 86_400

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '21' },
    rate: { type: 'string', default: '500' },
    patience: { type: 'string', default: '300' },
    faults: { type: 'string', default: 'refuse,reset,hang,drip,500,garbage,huge,bomb' },
  },
})
const [rounds, rate] = [Number(options.rounds), Number(options.rate)]
/** How many slices may be taken again before the machine is too busy to judge. */
let patience = Number(options.patience)
const endpoints = [CONTROL, ...options.faults.split(',')]

class BusyError extends Error {}
class WrongDecisionError extends Error {}

function shuffled(list) {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0])
}

/** Valid traffic for some seconds, all of it answered 200. */
async function drive({ load, port, tokens }, seconds) {
  const traffic = { port, forged: 'bad-signature', tokens, validRate: rate, floodRate: 0 }
  const { valid, loadWaited } = await ask(load, { ...traffic, seconds })
  if (Object.keys(valid).join() !== '200') throw new WrongDecisionError(JSON.stringify(valid))
  return { requests: valid['200'], loadWaited }
}

/** CPU microseconds per request, and attempts per second. */
async function measured(target, action) {
  const before = await ask(target.server, { action })
  const { requests, loadWaited } = await drive(target, SLICE)
  const after = await ask(target.server, { action: 'rest' })
  const waited = after.waited - before.waited + loadWaited
  if (waited <= MAX_WAITED * SLICE || Number.isNaN(waited)) {
    return {
      micros: (after.cpu - before.cpu) / requests,
      attempts: (after.fetches - before.fetches) / SLICE,
      failing: after.failing,
    }
  }
  patience -= 1
  if (patience === 0) throw new BusyError()
  return measured(target, action)
}

/** A healthy pool whose keys were just fetched; nothing is fetched for a minute. */
async function quiet(target) {
  await target.pool.setJwksFault(null)
  await ask(target.server, { action: 'leap' })
  await drive(target, SETTLE)
  const slice = await measured(target, 'rest')
  if (slice.failing) throw new WrongDecisionError('the server did not recover')
  return slice
}

async function attempting(target, endpoint) {
  const fault = endpoint === CONTROL ? null : endpoint
  await target.pool.setJwksFault(fault)
  await drive(target, SETTLE)
  const slice = await measured(target, 'attempt')
  if (slice.failing === (fault === null)) throw new WrongDecisionError(`${endpoint}: no such state`)
  return slice
}

/** Every endpoint in each round, in random order, each between two quiet slices. */
async function measureRounds(target) {
  const results = new Map(endpoints.map((it) => [it, { micros: [], ratios: [], attempts: [] }]))
  const quiets = []
  await quiet(target)
  for (const endpoint of endpoints) await attempting(target, endpoint)
  for (let round = 0; round < rounds; round += 1) {
    let before = await quiet(target)
    for (const endpoint of shuffled(endpoints)) {
      const { micros, attempts } = await attempting(target, endpoint)
      const after = await quiet(target)
      const result = results.get(endpoint)
      result.micros.push(micros)
      result.ratios.push((2 * micros) / (before.micros + after.micros))
      result.attempts.push(attempts)
      quiets.push(after.micros)
      before = after
    }
  }
  return { quiets, results }
}

function report({ quiets, results }) {
  const [median, q1, q3] = [0.5, 0.25, 0.75]
  const micros = (values) => [median, q1, q3].map((share) => quantile(values, share).toFixed(0))
  const rows = [...results].map(([endpoint, { micros: taken, ratios, attempts }]) => {
    const ratio = quantile(ratios, median)
    const spread = [q1, q3].map((share) => quantile(ratios, share).toFixed(3)).join('–')
    const over = endpoint !== CONTROL && ratio > LIMIT
    const verdict = endpoint === CONTROL ? '' : over ? 'OVER' : 'ok'
    const cells = [quantile(attempts, median).toFixed(1), ratio.toFixed(3), spread]
    return { over, cells: [endpoint, ...micros(taken), ...cells, verdict] }
  })
  const head = ['endpoint', 'µs CPU', 'q1', 'q3', 'attempts/s', 'ratio', 'q1–q3', '']
  const unit = ['quiet', ...micros(quiets), '0', '1', '', '']
  process.stdout.write(`${table([head, unit, ...rows.map(({ cells }) => cells)])}\n`)
  return rows.some(({ over }) => over) ? 1 : 0
}

/** The pool is in this process: what failing costs the endpoint is not the server's. */
async function main() {
  const cores = allowedCores()
  const pinned = cores.length > 0 ? 'server and load on a core each' : 'nothing pinned'
  process.stdout.write(
    `Node ${process.version}, ${cpus()[0]?.model}, ${pinned}\nFastify, valid ${rate}/s, ${rounds} rounds of ${SLICE} s each, limit ${LIMIT}\n\n`,
  )
  const pool = await startUserPool({ clients })
  const [server, load] = [start('outage-server.mjs', cores[0]), start('flood-load.mjs', cores[1])]
  try {
    const { port } = await ask(server, { action: 'open', options: pool.options() })
    const tokens = clients.map(({ clientId }) =>
      pool.accessToken({ clientId, expiresIn: VALIDITY }),
    )
    process.exitCode = report(await measureRounds({ server, load, pool, port, tokens }))
  } catch (error) {
    if (!(error instanceof BusyError)) throw error
    process.stdout.write('not judged: the machine is busy\n')
    process.exitCode = 2
  } finally {
    server.disconnect()
    load.disconnect()
    await pool.close()
  }
}

await main()
