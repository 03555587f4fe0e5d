/** deploy/grafana/dashboard.json is what test/support/grafana-dashboard.ts creates. `UPDATE_DOCS=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { METRIC_LIST, toPrometheusName } from '../../src/metrics/catalog.ts'
import { createDashboard } from '../support/grafana-dashboard.ts'

const FILE = 'deploy/grafana/dashboard.json'

t.test('the file is up to date', async (t) => {
  const text = `${JSON.stringify(createDashboard(), null, 2)}\n`
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text)
  else t.equal(readFileSync(FILE, 'utf8'), text)
})

t.test('every metric of the catalog is in a panel, and no other', async (t) => {
  const panels = createDashboard().panels ?? []
  const expressions = panels.flatMap((panel) =>
    ('targets' in panel ? (panel.targets ?? []) : []).map((target) => String(target['expr'])),
  )
  const used = new Set(expressions.flatMap((expr) => expr.match(/\bcognito_m2m_\w+/g) ?? []))
  const names = METRIC_LIST.map((metric) =>
    metric.type === 'histogram' ? `${toPrometheusName(metric)}_bucket` : toPrometheusName(metric),
  )
  t.strictSame([...used].sort(), names.sort())
  t.ok(expressions.every((expr) => expr.includes('job=~"$job"')))
})

t.test('panels have their own ids and do not overlap', async (t) => {
  const panels = createDashboard().panels ?? []
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const cells = panels.flatMap(({ gridPos }) => {
    const { x, y, w, h } = gridPos as { x: number; y: number; w: number; h: number }
    return Array.from(
      { length: w * h },
      (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`,
    )
  })
  t.equal(new Set(cells).size, cells.length)
})
