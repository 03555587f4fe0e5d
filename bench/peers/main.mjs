/**
 * The comparison with what a user would pick instead: `npm run bench -- peers [--quick]`. Writes tables
 * and charts to `results/`, or to `results/quick/`, which git does not keep.
 */
import { serveKeys, shareCredentials, signCredentials } from './credentials.mjs'
import { freshNeeded, measureRounds } from './http/rounds.mjs'
import { describeMachine, pinnedCores } from './machine.mjs'
import { MICRO_FRESH, measureMicro } from './micro/runs.mjs'
import { PEERS, writeReport } from './report/write.mjs'
import { readSettings } from './settings.mjs'

function progress(line) {
  process.stderr.write(`${line}\n`)
}

function chosen(framework, { peers }) {
  const [bare, verify, ours, ...others] = Object.keys(PEERS[framework])
  return [bare, verify, ours, ...others.filter((name) => peers.some((it) => name.includes(it)))]
}

async function measure(settings, cores) {
  progress('signing tokens')
  const credentials = signCredentials(Math.max(MICRO_FRESH, freshNeeded(settings)))
  const { path, remove } = shareCredentials(credentials)
  const { keys, close } = await serveKeys(credentials.pool.jwks)
  const told = { pool: credentials.pool, keys }
  const common = { settings, cores, progress }
  const machine = [
    ...describeMachine(cores !== undefined, settings.cores),
    `tokens of five scopes, ${credentials.warm[0].length} characters`,
  ]
  const results = { machine, settings, http: {} }
  try {
    if (settings.parts.includes('micro')) {
      results.micro = await measureMicro({ ...common, credentials: path })
    }
    for (const framework of Object.keys(PEERS)) {
      if (!settings.parts.includes(framework)) continue
      const names = chosen(framework, settings)
      const shared = { path, credentials }
      const run = { ...common, framework, told, shared }
      results.http[framework] = await measureRounds(names, run)
    }
  } finally {
    remove()
    close()
  }
  return results
}

const settings = readSettings(process.argv.slice(2))
const [major] = process.versions.node.split('.')
const name = settings.quick ? 'quick' : `node-${major}-cores-${settings.cores}`
const folder = new URL(`results/${name}/`, import.meta.url)
const results = await measure(settings, pinnedCores(settings.cores))
process.stdout.write(`${writeReport(results, folder)}\n`)
