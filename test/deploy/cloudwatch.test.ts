/** The alarms of deploy/aws: log lines that exist, entries in the runbook, the same in both dialects. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { parseDocument } from 'yaml'
import { AUTH_ERRORS } from '../../src/core/errors.ts'
import { ALARMS, listFilters, writeCloudFormation, writeTerraform } from '../support/cloudwatch.ts'

const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<{ locals: readonly object[]; resource: object }>
}

interface Locals {
  readonly filters: Record<string, { metric: string; pattern: string; value: string }>
  readonly alarms: Record<
    string,
    Record<'description' | 'statistic' | 'period' | 'periods' | 'threshold' | 'missing', unknown>
  >
}

const FILES = {
  'deploy/aws/alarms.yaml': writeCloudFormation,
  'deploy/aws/main.tf': writeTerraform,
}

t.test('the files are up to date', async (t) => {
  for (const [file, write] of Object.entries(FILES)) {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, write())
    else t.equal(readFileSync(file, 'utf8'), write(), file)
  }
})

t.test(
  'every alarm is about lines of docs/logs.md, with their fields, and codes that exist',
  async (t) => {
    const page = readFileSync('docs/logs.md', 'utf8')
    const runbook = readFileSync('docs/runbook.md', 'utf8')
    for (const { line, where = '', value } of listFilters().values()) {
      const row = page.split('\n').find((it) => it.includes(`\`cognito-m2m: ${line}\``)) ?? ''
      t.not(row, '', line)
      const fields = [...`${where} ${value}`.matchAll(/\$\.(\w+)/g)].map(([, field]) => field)
      for (const field of fields) t.match(row, `\`${field}\``, line)
      for (const [, code = ''] of where.matchAll(/"(\w+)"/g)) t.ok(code in AUTH_ERRORS, code)
    }
    for (const { name } of ALARMS) t.match(runbook, `\n## CognitoM2m${name}\n`, name)
  },
)

interface Template {
  readonly Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
}

function readTemplate(): [name: string, type: string, properties: Record<string, unknown>][] {
  const tags = ['!Ref', '!Sub'].map((tag) => ({ tag, resolve: (text: string) => text }))
  const document = parseDocument(writeCloudFormation(), { customTags: tags })
  t.strictSame(document.errors, [])
  return Object.entries((document.toJS() as Template).Resources).map(
    ([name, { Type, Properties }]) => [name, Type, Properties],
  )
}

t.test('CloudFormation and Terraform have the same filters and alarms', async (t) => {
  const { locals, resource } = await parse('main.tf', writeTerraform())
  const { filters, alarms } = Object.assign({}, ...locals) as Locals
  const expectedFilters = Object.entries(filters).map(([name, it]) => [
    `${name}Filter`,
    it.pattern,
    [{ MetricNamespace: 'CognitoM2m', MetricName: it.metric, MetricValue: it.value }],
  ])
  const expectedAlarms = Object.entries(alarms).map(([name, it]) => [
    `${name}Alarm`,
    name,
    [it.statistic, it.period, it.periods, it.threshold, it.missing, it.description],
  ])
  const template = readTemplate()
  t.strictSame(
    template
      .filter(([, type]) => type === 'AWS::Logs::MetricFilter')
      .map(([name, , it]) => [name, it['FilterPattern'], it['MetricTransformations']])
      .sort(),
    expectedFilters.sort(),
  )
  t.strictSame(
    template
      .filter(([, type]) => type === 'AWS::CloudWatch::Alarm')
      .map(([name, , it]) => [
        name,
        it['MetricName'],
        [
          it['Statistic'],
          it['Period'],
          it['EvaluationPeriods'],
          it['Threshold'],
          it['TreatMissingData'],
          it['AlarmDescription'],
        ],
      ])
      .sort(),
    expectedAlarms.sort(),
  )
  t.equal(expectedAlarms.length, ALARMS.length)
  t.strictSame(Object.keys(resource).sort(), [
    'aws_cloudwatch_dashboard',
    'aws_cloudwatch_log_metric_filter',
    'aws_cloudwatch_metric_alarm',
  ])
})

t.test('a state that begins and ends in one period has ended', async (t) => {
  for (const [name, type, { Statistic, EvaluationPeriods }] of readTemplate()) {
    const hasEnd = listFilters().has(name.replace(/Alarm$/, 'End'))
    if (type !== 'AWS::CloudWatch::Alarm' || !hasEnd) continue
    // The line that begins a state is written once: a second period would have no data, and the alarm would never fire.
    t.strictSame([Statistic, EvaluationPeriods], ['Minimum', 1], name)
  }
})

t.test('the dashboard is JSON of metrics that the filters write', async (t) => {
  const body = readTemplate().find(([name]) => name === 'Dashboard')?.[2]['DashboardBody']
  const { widgets } = JSON.parse(String(body)) as {
    widgets: readonly {
      properties: { metrics?: readonly (readonly string[])[]; alarms?: readonly string[] }
    }[]
  }
  const names = ALARMS.map(({ name }) => name).sort()
  const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? [])
  t.strictSame(metrics.map(([, name]) => name).sort(), names)
  const alarms = widgets.flatMap(({ properties }) => properties.alarms ?? [])
  t.strictSame(alarms.map((arn) => arn.replace(/^\$\{(\w+)Alarm\.Arn\}$/, '$1')).sort(), names)
})
