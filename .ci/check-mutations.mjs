/**
 * `npm run check:mutations`: plants mistakes in correct templates, and prints how many of them `checkScopes` finds. Exits
 * with 1 below the target, or with a finding on an original. `--list-missed` lists what was missed, with file and line.
 * `--write` writes the table into docs/check.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatTable, getShare, runMutations, sumRows, TARGET } from './mutations/run.mjs'
import { replaceTable } from './mutations/table.mjs'

const PAGE = 'docs/check.md'

const { values: flags } = parseArgs({
  options: { 'list-missed': { type: 'boolean' }, write: { type: 'boolean' } },
})
const { units, rows, missed, problems } = await runMutations()
const table = formatTable(rows)
process.stdout.write(`${units} units\n\n${table}`)
if (flags['list-missed']) {
  for (const { place, change, expected, codes } of missed) {
    const edits = change.map(
      ([before, after]) => `${JSON.stringify(before)} → ${JSON.stringify(after)}`,
    )
    const got = codes.length === 0 ? 'nothing' : codes.join(', ')
    process.stdout.write(
      `${place}: ${edits.join(', ')}: expected ${expected.join(' or ')}, got ${got}\n`,
    )
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`)
if (flags.write) writeFileSync(PAGE, replaceTable(readFileSync(PAGE, 'utf8'), table))
const share = getShare(sumRows(rows))
process.stdout.write(
  `mutations: ${Math.floor(share * 1000) / 10} % found, target ${TARGET * 100} %\n`,
)
if (share < TARGET || problems.length > 0) process.exitCode = 1
