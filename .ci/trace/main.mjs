/**
 * `npm run trace`: how many files of src run between a request and its response. Exits with 1 where a case is
 * over its limit. `-- --files` lists the files, `-- --functions` also what is called in each.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { startCoverage } from './coverage.mjs'

const { values: flags } = parseArgs({
  options: { files: { type: 'boolean' }, functions: { type: 'boolean' } },
})

const worker = new Worker(new URL('pool.mjs', import.meta.url))
const [pool] = await once(worker, 'message')
const coverage = await startCoverage()
// Loaded now, as coverage has to come first.
const { CASES } = await import('./cases.mjs')

function asLines({ name, functions }) {
  const called = flags.functions ? functions.map((it) => `      ${it}\n`) : []
  return [`  ${name}\n`, ...called].join('')
}

for (const { name, limit, run } of CASES) {
  const files = await run(pool, coverage.during)
  const isOver = files.length > limit
  if (isOver) process.exitCode = 1
  const counts = `${String(files.length).padStart(3)} files, limit ${String(limit).padStart(2)}`
  process.stdout.write(`${name.padEnd(24)}${counts}${isOver ? '  OVER' : ''}\n`)
  if (flags.files || flags.functions) process.stdout.write(files.map(asLines).join(''))
}
coverage.stop()
worker.postMessage('close')
