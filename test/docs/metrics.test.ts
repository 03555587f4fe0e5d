/** docs/metrics.md has the catalog of metrics and labels. `UPDATE_DOCS=1` writes the first table again. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { ATTRIBUTES, METRIC_LIST, toPrometheusName } from '../../src/metrics/catalog.ts'

const PAGE = 'docs/metrics.md'
const HEAD =
  '| Prometheus | OpenTelemetry | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- | --- |\n'

const table = METRIC_LIST.map((definition) => {
  const labels = definition.labels.map((label) => `\`${label}\``).join(', ')
  const { name, type, unit, help } = definition
  const names = `\`${toPrometheusName(definition)}\` | \`${name}\``
  return `| ${names} | ${type} | ${unit === '' ? '' : `\`${unit}\``} | ${labels} | ${help} |\n`
}).join('')

t.test('the table of metrics is made of the catalog', async (t) => {
  const page = readFileSync(PAGE, 'utf8')
  const start = page.indexOf(HEAD) + HEAD.length
  const end = page.indexOf('\n\n', start - 1)
  const current = page.slice(start, end + 1)
  if (process.env['UPDATE_DOCS'] === '1') {
    writeFileSync(PAGE, page.slice(0, start) + table + page.slice(end + 1))
  } else t.equal(current, table)
})

t.test('the table of labels has every label with its attribute', async (t) => {
  const page = readFileSync(PAGE, 'utf8')
  const labels = page.slice(page.indexOf('| label | attribute |'))
  const rows = [...labels.matchAll(/^\| `(\w+)` \| `([\w.]+)` \| .+ \|$/gm)]
  t.strictSame(
    rows.map(([, label, attribute]) => [label, attribute]),
    Object.entries(ATTRIBUTES),
  )
})
