/** The rules of Prometheus: names of the catalog, an entry in the runbook, and the unit tests of promtool. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { METRIC_LIST, toPrometheusName } from '../../src/metrics/catalog.ts'

const RULES = 'deploy/prometheus/rules.yaml'
const TESTS = 'deploy/prometheus/rules.test.yaml'

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: { readonly severity?: string }
  readonly annotations?: { readonly summary: string; readonly runbook: string }
}

const { groups } = parse(readFileSync(RULES, 'utf8')) as {
  groups: readonly { readonly rules: readonly Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)
const alerts = rules.filter(({ alert }) => alert !== undefined)
const known = new Set([
  ...METRIC_LIST.flatMap((metric) => {
    const name = toPrometheusName(metric)
    return metric.type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  }),
  ...rules.flatMap(({ record }) => record ?? []),
])

t.test('every expression uses metrics of the catalog and recorded ones', async (t) => {
  for (const { expr } of rules) {
    const names = expr.match(/\bcognito_m2m[\w:]+/g) ?? []
    t.ok(names.length > 0, expr)
    for (const name of names) t.ok(known.has(name), name)
  }
})

t.test(
  'every alert has a time, a severity and an entry of three commands in the runbook',
  async (t) => {
    const page = readFileSync('docs/runbook.md', 'utf8')
    t.ok(alerts.length > 10)
    for (const { alert = '', for: time, labels, annotations } of alerts) {
      t.match(time, /^\d+m$/, alert)
      t.match(labels?.severity, /^(page|ticket)$/, alert)
      t.equal(annotations?.runbook, `docs/runbook.md#${alert.toLowerCase()}`)
      const [, entry = ''] = page.split(`\n## ${alert}\n`)
      const [text = ''] = entry.split('\n## ')
      t.match(text, /^\n- \*\*Meaning\*\* \((page|ticket)\): /, alert)
      t.ok(text.startsWith(`\n- **Meaning** (${labels?.severity}): `), alert)
      const [, commands = ''] = /```sh\n(.*?)```/s.exec(text) ?? []
      const lines = commands.replaceAll('\\\n', '').trim().split('\n')
      t.equal(lines.length, 3, alert)
      t.match(text, '\n- **Change**: ', alert)
      for (const line of lines) t.equal(spawnSync('bash', ['-n', '-c', line]).status, 0, line)
      for (const name of commands.match(/\bcognito_m2m[\w:]*(?=[{[ ])/g) ?? []) {
        t.ok(known.has(name), name)
      }
    }
    t.strictSame(
      [...page.matchAll(/^## (CognitoM2m\w+)$/gm)].map(([, alert]) => alert),
      alerts.map(({ alert }) => alert),
    )
  },
)

t.test(
  'every alert is tested: that it fires, that it waits, and that a healthy service fires none',
  async (t) => {
    const { tests } = parse(readFileSync(TESTS, 'utf8')) as {
      tests: readonly {
        readonly alert_rule_test?: readonly { alertname: string; exp_alerts: readonly unknown[] }[]
      }[]
    }
    const cases = tests.flatMap((it) => it.alert_rule_test ?? [])
    for (const { alert = '' } of alerts) {
      const counts = cases.filter((it) => it.alertname === alert).map((it) => it.exp_alerts.length)
      t.strictSame(counts, [0, 1, 0], alert)
    }
  },
)

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const skip =
  hasPromtool || process.env['CI'] === 'true'
    ? false
    : 'promtool is not installed (apt: prometheus)'

t.test('promtool accepts the rules, and its unit tests pass', { skip }, async (t) => {
  for (const args of [
    ['check', 'rules', '--lint-fatal', RULES],
    ['test', 'rules', TESTS],
  ]) {
    t.match(execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' }), 'SUCCESS')
  }
})
