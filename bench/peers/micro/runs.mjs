/** Runs every micro measurement, each in fresh processes that take turns. */
import { ask, start } from '../machine.mjs'
import { FRESH } from './cases.mjs'
import { IN_FLIGHT_FRESH } from './in-flight.mjs'
import { subjects } from './subjects.mjs'

/** New tokens that every process may take as its own: none has seen another's. */
export const MICRO_FRESH = Math.max(FRESH, IN_FLIGHT_FRESH)

/** What importing the plugin may load. */
const ALLOWED = [
  /^node:/,
  /\/dist\/(core|adapters\/fastify|chunks)\/[^.]+\.js$/,
  /\/node_modules\/(aws-jwt-verify|fastify-plugin)\//,
]
/** The measuring process's own. */
const OWN = /\/bench\/peers\/[^/]+(\/[^/]+)?\.mjs$/

async function inFreshProcess(file, message, core) {
  const child = start(file, { core })
  try {
    return await ask(child, message)
  } finally {
    child.disconnect()
  }
}

/** Every name's values over all runs. */
function collect(runs) {
  const names = Object.keys(runs[0])
  return Object.fromEntries(names.map((name) => [name, runs.map((run) => run[name])]))
}

/** Each subject's cases; a round goes through all of them, so that every one meets the same machine. */
async function measureSubjects({ settings, credentials, cores, progress }) {
  const runs = new Map(Object.keys(subjects).map((subject) => [subject, []]))
  for (let round = 0; round < settings.processes; round += 1) {
    for (const [subject, kept] of runs) {
      const run = (open, core) =>
        inFreshProcess('micro/process.mjs', { open, subject, credentials }, core)
      kept.push({
        ...(await run('hits', cores?.measured)),
        ...(await run('cold', cores?.measured)),
        // Its threads are to have the other cores: not pinned.
        ...(await run('inFlight')),
        ...(await run('memory', cores?.measured)),
      })
    }
    progress(`micro: round ${round + 1} of ${settings.processes}`)
  }
  return Object.fromEntries([...runs].map(([subject, kept]) => [subject, collect(kept)]))
}

/** Ours and theirs in turns, and what ours loads besides itself and its two dependencies. */
async function measureImports({ settings, cores }) {
  const ours = []
  const theirs = []
  for (let pair = 0; pair < 3 * settings.processes; pair += 1) {
    const run = (open) => inFreshProcess('micro/import-one.mjs', { open }, cores?.measured)
    const [one, other] = pair % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours']
    const taken = { [one]: await run(one), [other]: await run(other) }
    ours.push(taken.ours)
    theirs.push(taken.theirs)
  }
  const list = { open: 'ours', list: true }
  const { modules } = await inFreshProcess('micro/import-one.mjs', list)
  const files = modules.filter((url) => url.startsWith('file:') && !OWN.test(url))
  return {
    milliseconds: ours.map(({ milliseconds }) => milliseconds),
    ratios: ours.map(({ cpu }, index) => cpu / theirs[index].cpu),
    files: files.length,
    others: modules.filter((url) => !OWN.test(url) && !ALLOWED.some((it) => it.test(url))),
  }
}

/** @returns By subject and name, one value per process; and what importing ours came to. */
export async function measureMicro(run) {
  return { subjects: await measureSubjects(run), imports: await measureImports(run) }
}
