/**
 * Rounds of one framework: every server is started anew, and within each load they take turns in
 * slices of some tens of milliseconds, in random order. CPU per request is held against the bare
 * framework's of the same load and round.
 */
import { ask, start } from '../machine.mjs'
import { CLIENTS, MANY } from '../settings.mjs'
import { LOADS } from './loads.mjs'

/** Requests per connection before a slice, uncounted: connections are open and caches of the processor warm. */
const PROLOGUE = 4
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

/** One slice: the server's CPU over so many requests, in microseconds. */
async function slice({ server, port, name }, { load, shared, settings, seed, credentials }) {
  const common = { port, credentials, isBare: name === 'bare' }
  const { connections, requests } = settings
  const prologue = { ...common, load, seed, requests: connections * PROLOGUE }
  const { wrong: early } = await ask(shared, { ...prologue, connections })
  const before = await ask(server, {})
  const { wrong } = await ask(shared, { ...common, load, seed: seed + 1, requests })
  const after = await ask(server, {})
  await ask(shared, {})
  if (early + wrong > 0) throw new Error(`${name}, ${load}: ${early + wrong} wrong answers`)
  return { cpu: after.cpu - before.cpu, waited: after.waited - before.waited }
}

/** Compiles the code: a server of Node is at its speed after some ten thousand requests. */
async function warmUp({ port, name }, { shared, settings, credentials }) {
  const common = { port, credentials, isBare: name === 'bare', seed: 1 }
  const { connections, warmUp: requests } = settings
  await ask(shared, { ...common, load: 'warm', requests, connections })
  await ask(shared, {})
}

/** Fills the caches with what the load has, and compiles what only it reaches. */
async function getUsedTo({ port, name }, { load, shared, settings, credentials }) {
  const common = { port, credentials, isBare: name === 'bare', seed: 1 }
  const { connections, warmUp: requests } = settings
  await ask(shared, { ...common, load, requests: Math.ceil(requests / 4), connections })
  const each = { warm: CLIENTS, many: MANY }[load]
  if (each !== undefined) await ask(shared, { ...common, load: `each of ${load}`, requests: each })
  await ask(shared, {})
}

async function openAll(names, { framework, told, cores }) {
  const servers = []
  for (const name of names) {
    const env = { NODE_ENV: 'production' }
    const server = start('http/server.mjs', { core: cores?.measured, env })
    const { port } = await ask(server, { framework, open: name, told })
    servers.push({ name, server, port })
  }
  return servers
}

/** Takes one load through all servers; CPU microseconds per request, by server. */
async function oneLoad(servers, load, run) {
  for (const target of servers) await getUsedTo(target, { ...run, load })
  const sums = new Map(servers.map(({ name }) => [name, 0]))
  for (let pass = 0; pass < run.settings.passes; pass += 1) {
    const seed = run.round * 1000 + pass * 10
    for (const target of shuffled(servers)) {
      const { cpu, waited } = await slice(target, { ...run, load, seed })
      sums.set(target.name, sums.get(target.name) + cpu)
      run.core.busy += cpu / 1e6
      run.core.waited += waited
    }
  }
  const requests = run.settings.passes * run.settings.requests
  return new Map([...sums].map(([name, cpu]) => [name, cpu / requests]))
}

/** How many new tokens one server may be asked for in a round. */
export function freshNeeded({ warmUp: first, passes, requests, connections }) {
  const oneLoadOf = first / 4 + passes * (requests + connections * PROLOGUE)
  // All of one load; 1 % of another, by chance.
  return Math.ceil(oneLoadOf * 1.05) + 100
}

/**
 * @param names The servers, `bare` among them.
 * @param progress Called with a line of text after each round.
 * @returns By load and server `micros`, `ratios` (bare ÷ this) and `toVerify` (one crypto.verify ÷
 *   this), one of each per round; and `waited`, how long servers queued for their core per second
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
        for (const target of servers) await warmUp(target, run)
        for (const kind of Object.keys(LOADS)) {
          keep(results[kind], await oneLoad(servers, kind, run))
        }
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

function keep(results, micros) {
  for (const [name, value] of micros) {
    results[name] ??= { micros: [], ratios: [], toVerify: [] }
    results[name].micros.push(value)
    results[name].ratios.push(micros.get('bare') / value)
    results[name].toVerify.push(micros.get(VERIFY) / value)
  }
}
