/** `npm run release:check`: refuses to publish what is not ready. npm runs it before each `npm publish`. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { listRefusals } from './release.mjs'

/** Written by .ci/run: the commit that passed the gate, if the working tree had no changes. */
const GATE = '.gate'

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const refusals = listRefusals({
  manifest,
  changelog: readFileSync('CHANGELOG.md', 'utf8'),
  head: git('rev-parse', 'HEAD'),
  gate: existsSync(GATE) ? readFileSync(GATE, 'utf8').trim() : '',
  changes: git('status', '--porcelain'),
  env: process.env,
})
for (const refusal of refusals) process.stderr.write(`release:check: ${refusal}\n`)
if (refusals.length > 0) process.exitCode = 1
else process.stdout.write(`release:check: ${manifest.name} ${manifest.version} can be published\n`)
