/** Writes RESULT.md from Stryker's report: mutants and score per file. Ends with 1 below the threshold. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Percent of mutants that a test must detect. */
const MIN_SCORE = 95
const DETECTED = ['Killed', 'Timeout']
const STATUSES = [...DETECTED, 'Survived', 'NoCoverage']

const report = JSON.parse(
  readFileSync(join(import.meta.dirname, 'reports', 'mutation.json'), 'utf8'),
)
const files = Object.entries(report.files).map(([name, { mutants }]) => ({
  name,
  statuses: mutants.map(({ status }) => status).filter((status) => STATUSES.includes(status)),
}))

const score = (statuses) =>
  (100 * statuses.filter((status) => DETECTED.includes(status)).length) / statuses.length
const row = (name, statuses) => {
  const counts = STATUSES.map((status) => statuses.filter((it) => it === status).length)
  return `| ${[name, statuses.length, ...counts, `${score(statuses).toFixed(1)} %`].join(' | ')} |`
}

const all = files.flatMap(({ statuses }) => statuses)
const rows = files.filter(({ statuses }) => statuses.length > 0)
writeFileSync(
  join(import.meta.dirname, 'RESULT.md'),
  `# Result of the last mutation run

Written by \`npm run mutation\`; [README.md](README.md) says what the numbers mean.

| file | mutants | killed | timed out | survived | not covered | score |
| --- | --: | --: | --: | --: | --: | --: |
${rows.map(({ name, statuses }) => row(name, statuses)).join('\n')}
${row('**all**', all)}
`,
)
process.stdout.write(`${score(all).toFixed(1)} % of ${all.length} mutants detected\n`)
if (score(all) < MIN_SCORE) process.exitCode = 1
