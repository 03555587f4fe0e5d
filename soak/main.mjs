/**
 * Minutes of mixed load on a Fastify and an Express server while their user pool is killed, hung,
 * corrupted, rotated and restarted: `npm run soak [-- --seconds 60]`. Exits with 1 where a single
 * decision was wrong. `npm run soak -- proxy` is about the token proxy, `npm run soak -- regions` about two Regions.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ask, Load, RATE } from './load.mjs'
import { soakProxy } from './proxy/main.mjs'
import { soakRegions } from './regions/main.mjs'
import { clock, RehearsedPool } from './rehearsed-pool.mjs'
import { Report } from './report.mjs'
import { acts } from './story.mjs'
import { keyStore } from './timing.mjs'

const FRAMEWORKS = ['fastify', 'express']

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string' } },
  allowPositionals: true,
})
const SOAKS = { proxy: soakProxy, regions: soakRegions }
const [name] = positionals
if (positionals.length > 1 || (name !== undefined && !Object.hasOwn(SOAKS, name))) {
  throw new Error(
    `arguments: expected nothing, "proxy" or "regions", got "${positionals.join(' ')}"`,
  )
}
const seconds = Number(values.seconds ?? (name === 'proxy' ? 120 : 60))
if (!(seconds > 0)) throw new Error(`--seconds is ${values.seconds}: pass a number above 0`)

async function open(framework, options) {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)))
  child.send({ framework, options })
  const [{ port }] = await once(child, 'message')
  return { child, port }
}

/** Plays acts until the time is over, each on time whatever its beginning took. */
async function play(pool, load) {
  const end = clock() + seconds * 1000
  let due = clock()
  for (let turn = 0; due < end; turn += 1) {
    const act = acts[turn % acts.length]
    // An act of its own each time: a story told twice has rows for each telling.
    load.act = { ...act }
    if (turn === 0) load.start()
    await act.begin?.(pool)
    due = Math.min(end, due + act.seconds * 1000)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - clock())))
  }
}

async function main() {
  const pool = new RehearsedPool()
  await pool.start()
  const servers = {}
  try {
    for (const name of FRAMEWORKS) servers[name] = await open(name, { ...pool.options(), keyStore })
    const ports = Object.fromEntries(FRAMEWORKS.map((name) => [name, servers[name].port]))
    process.stdout.write(
      `Node ${process.version}, ${seconds} s, ${RATE} requests/s to each of ${FRAMEWORKS.join(' and ')}; refresh every ${keyStore.refreshInterval} s, cooldown ${keyStore.cooldown} s, fetch timeout ${keyStore.fetchTimeout} s\n\n`,
    )
    const { token } = pool.request('valid')
    for (const port of Object.values(ports)) await ask(port, token)
    pool.learned()
    const report = new Report(pool.outages)
    const load = new Load({ ports, pool, onAnswer: (answer) => report.take(answer) })
    await play(pool, load)
    await load.stop()
    if (!report.print(pool.fetches)) process.exitCode = 1
  } finally {
    for (const { child } of Object.values(servers)) child.disconnect()
    await pool.close()
  }
}

await (name === undefined ? main() : SOAKS[name](seconds))
