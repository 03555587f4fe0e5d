/** The whole mutation run of `check`, and the table in docs/check.md. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { formatTable, getShare, runMutations, sumRows, TARGET } from '../../.ci/mutations/run.mjs'
import { replaceTable } from '../../.ci/mutations/table.mjs'

t.test('mistakes that are planted in correct templates are found', async (t) => {
  const { units, rows, missed, problems } = await runMutations()
  t.ok(units >= 40, `${units} units`)
  t.ok(rows.length >= 14, `${rows.length} kinds`)
  t.strictSame(problems, [], 'no finding on an original, no wrong reason')
  const total = sumRows(rows)
  t.equal(missed.length, total.missed)
  t.ok(getShare(total) >= TARGET, `${total.found} of ${total.found + total.missed} found`)
  const page = readFileSync('docs/check.md', 'utf8')
  t.equal(replaceTable(page, formatTable(rows)), page, 'npm run check:mutations -- --write')
})
