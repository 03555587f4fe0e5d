/**
 * Rounds of one framework: every server is started anew, and within each load they take turns in
 * slices of some tens of milliseconds, in random order. CPU per request is held against the bare
 * framework's of the same load and round.
 */
import { ask, start } from '../machine.mjs'
import { CLIENTS, MANY } from '../settings.mjs'
import { LOADS } from './loads.mjs'

/**
 * V8 collects garbage and shrinks the young generation of a process that is idle for some seconds. Servers that wait
 * for their turn then cost up to twice as much per request, until it has grown again. A server under load never does that.
 */
const SERVER_FLAGS = ['--no-memory-reducer']
/** Requests per connection before a slice, uncounted: connections are open and caches of the processor warm. */
const PROLOGUE = 4
/** Slices of one load before it is measured, at most. */
const MAX_SLICES = 16
/** Requests of such a slice. */
const WARM_UP_REQUESTS = 1500
/** The last slices may cost this much of those before. */
const STEADY = 0.97
/** Loads whose latency is measured too. */
const PACED = ['warm', 'new']
/** The least any protected route can do with a new token; it looks at nothing else. */
const VERIFY = 'one crypto.verify'

function shuffled(list) {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0])
}

async function statusOf(port, token) {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  await response.arrayBuffer()
  return response.status
}

/** A token with the signature of another. */
function forged([one, other]) {
  const end = one.lastIndexOf('.')
  return one.slice(0, end) + other.slice(other.lastIndexOf('.'))
}

/** What does not tell good tokens from bad ones is not worth measuring. */
async function check({ name, port }, { warm, expired, foreign }) {
  const good = await statusOf(port, warm[0])
  if (good !== 200) throw new Error(`${name}: ${good} for a good token`)
  if (name === 'bare' || name === VERIFY) return
  const bad = { garbage: 'aaaa.bbbb.cccc', expired: expired[0], forged: forged(warm) }
  for (const [kind, token] of Object.entries(bad)) {
    const status = await statusOf(port, token)
    if (status !== 401) throw new Error(`${name}: ${status} instead of 401, ${kind} token`)
  }
  // Not every peer answers 401 to these, but none may let them in.
  for (const token of [foreign[0], undefined]) {
    const status = await statusOf(port, token)
    if (status < 400) throw new Error(`${name}: ${status} for another pool's token or none`)
  }
}

/** One slice: the server's CPU over so many requests in microseconds, and how long they took in milliseconds. */
async function slice(
  { server, port, name },
  { load, shared, settings, seed, credentials, requests },
) {
  const common = { port, credentials, isBare: name === 'bare' }
  const { connections } = settings
  const prologue = { ...common, load, seed, requests: connections * PROLOGUE }
  const { wrong: early } = await ask(shared, { ...prologue, connections })
  const before = await ask(server, {})
  const { wrong, elapsed } = await ask(shared, { ...common, load, seed: seed + 1, requests })
  const after = await ask(server, {})
  await ask(shared, {})
  if (early + wrong > 0) throw new Error(`${name}, ${load}: ${early + wrong} wrong answers`)
  return { cpu: after.cpu - before.cpu, waited: after.waited - before.waited, elapsed }
}

/**
 * Runs slices of a load until the server's cost is steady: the mean of the last three slices is not more than 3 %
 * below the mean of the three before. A server of Node compiles its code meanwhile, and some have a path that only
 * this load reaches. It stops at `MAX_SLICES` in any case.
 */
async function warmUp(target, run) {
  await fillCaches(target, run)
  const costs = []
  while (costs.length < MAX_SLICES) {
    const seed = costs.length + 1
    const { cpu } = await slice(target, { ...run, seed, requests: WARM_UP_REQUESTS })
    costs.push(cpu / WARM_UP_REQUESTS)
    const [before, last] = [costs.slice(-6, -3), costs.slice(-3)].map(mean)
    if (costs.length >= 2 * 3 && last > before * STEADY) return costs.length
  }
  return costs.length
}

function mean(values) {
  return values.reduce((sum, it) => sum + it, 0) / values.length
}

/** Each token of a load once, so that what can be kept is kept: the load before may have pushed it out. */
async function fillCaches({ port, name }, { load, shared, settings, credentials }) {
  const each = { warm: CLIENTS, many: MANY }[load]
  if (each === undefined) return
  const common = { port, credentials, isBare: name === 'bare', seed: 1 }
  const { connections } = settings
  await ask(shared, { ...common, load: `each of ${load}`, requests: each, connections })
  await ask(shared, {})
}

/** Latencies at a steady rate below saturation, in milliseconds from when a request was due. */
async function paced({ port, name }, { load, shared, settings, seed, credentials }) {
  const { connections, rate, seconds } = settings
  const common = { port, credentials, isBare: name === 'bare', load, seed: seed + 2 }
  const answer = await ask(shared, { ...common, connections, requests: rate * seconds, rate })
  await ask(shared, {})
  if (answer.wrong > 0) throw new Error(`${name}, ${load}: ${answer.wrong} wrong answers`)
  return answer.p99
}

async function openAll(names, { framework, told, cores }) {
  const servers = []
  for (const name of names) {
    const env = { NODE_ENV: 'production' }
    const server = start('http/server.mjs', { core: cores?.servers, env, args: SERVER_FLAGS })
    const { port } = await ask(server, { framework, open: name, told })
    servers.push({ name, server, port })
  }
  return servers
}

/** Takes one load through all servers; per server CPU microseconds per request, and requests per second. */
async function oneLoad(servers, load, run) {
  const sums = new Map(servers.map(({ name }) => [name, { cpu: 0, elapsed: 0 }]))
  for (const target of servers) await fillCaches(target, { ...run, load })
  for (let pass = 0; pass < run.settings.passes; pass += 1) {
    const seed = run.round * 1000 + pass * 10 + 100
    for (const target of shuffled(servers)) {
      const { requests } = run.settings
      const { cpu, waited, elapsed } = await slice(target, { ...run, load, seed, requests })
      const sum = sums.get(target.name)
      sum.cpu += cpu
      sum.elapsed += elapsed
      run.core.busy += cpu / 1e6
      run.core.waited += waited
    }
  }
  const requests = run.settings.passes * run.settings.requests
  return new Map(
    [...sums].map(([name, { cpu, elapsed }]) => [
      name,
      { micros: cpu / requests, perSecond: (1000 * requests) / elapsed },
    ]),
  )
}

/** Per server, the p99 of one load at a steady rate. */
async function latenciesOf(servers, load, run) {
  const latencies = new Map()
  const seed = run.round * 1000 + 900
  for (const target of shuffled(servers)) {
    await fillCaches(target, { ...run, load })
    latencies.set(target.name, await paced(target, { ...run, load, seed }))
  }
  return latencies
}

/** How many new tokens one server may be asked for in a round. */
export function freshNeeded({ passes, requests, connections, rate, seconds }) {
  const prologue = connections * PROLOGUE
  const slices = MAX_SLICES * (WARM_UP_REQUESTS + prologue) + passes * (requests + prologue)
  // All of one load, and 1 % of another by chance.
  return Math.ceil((slices + rate * seconds) * 1.05) + 100
}

/**
 * @param names The servers, `bare` among them.
 * @param progress Called with a line of text after each round.
 * @returns By load and server `micros`, `ratios` (bare ÷ this), `toVerify` (one crypto.verify ÷ this),
 *   `perSecond`, and `p99` of some loads, one of each per round; and `waited`, how long servers queued for their core per second
 *   they had it.
 */
export async function measureRounds(names, { framework, settings, told, cores, shared, progress }) {
  const results = Object.fromEntries(Object.keys(LOADS).map((load) => [load, {}]))
  const core = { busy: 0, waited: 0 }
  const load = start('http/load.mjs', { core: cores?.load })
  try {
    for (let round = 0; round < settings.rounds; round += 1) {
      const begun = performance.now()
      const servers = await openAll(shuffled(names), { framework, told, cores })
      await ask(load, { forget: true })
      try {
        if (round === 0) for (const target of servers) await check(target, shared.credentials)
        const run = { round, settings, core, shared: load, credentials: shared.path }
        // Every load before any is measured: one more of them would compile code again.
        for (const kind of Object.keys(LOADS)) {
          for (const target of servers) await warmUp(target, { ...run, load: kind })
        }
        for (const kind of Object.keys(LOADS)) {
          keep(results[kind], await oneLoad(servers, kind, run))
        }
        // After all slices: a server that is nearly idle for seconds is not warm any more.
        for (const kind of PACED)
          keepLatencies(results[kind], await latenciesOf(servers, kind, run))
      } finally {
        for (const { server } of servers) server.disconnect()
      }
      const seconds = ((performance.now() - begun) / 1000).toFixed(0)
      progress(`${framework}: round ${round + 1} of ${settings.rounds}, ${seconds} s`)
    }
  } finally {
    load.disconnect()
  }
  return { loads: results, waited: core.waited / core.busy }
}

function keep(results, measured) {
  const bare = measured.get('bare')
  const verify = measured.get(VERIFY)
  for (const [name, { micros, perSecond }] of measured) {
    results[name] ??= { micros: [], ratios: [], toVerify: [], perSecond: [], p99: [] }
    const result = results[name]
    result.micros.push(micros)
    result.ratios.push(bare.micros / micros)
    result.toVerify.push(verify.micros / micros)
    result.perSecond.push(perSecond / bare.perSecond)
  }
}

function keepLatencies(results, latencies) {
  for (const [name, p99] of latencies) results[name].p99.push(p99 / latencies.get('bare'))
}
