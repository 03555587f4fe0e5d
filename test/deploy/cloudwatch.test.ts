/** The alarms of deploy/aws: log lines that exist, entries in the runbook, the same in both dialects. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { parseDocument } from 'yaml'
import { AUTH_ERRORS } from '../../src/core/errors.ts'
import { ALARMS, writeCloudFormation, writeTerraform } from '../support/cloudwatch.ts'

const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<{ resource: Resources }>
}
type Resources = Record<string, Record<string, readonly Record<string, unknown>[]>>

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
    for (const { name, filters } of ALARMS) {
      for (const { line, where = '', value } of filters) {
        const row = page.split('\n').find((it) => it.includes(`\`cognito-m2m: ${line}\``)) ?? ''
        t.not(row, '', line)
        const fields = [...`${where} ${value}`.matchAll(/\$\.(\w+)/g)].map(([, field]) => field)
        for (const field of fields) t.match(row, `\`${field}\``, line)
        for (const [, code = ''] of where.matchAll(/"(\w+)"/g)) t.ok(code in AUTH_ERRORS, code)
      }
      t.match(runbook, `\n## CognitoM2m${name}\n`, name)
    }
  },
)

interface Template {
  readonly Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
}

t.test('CloudFormation and Terraform have the same filters and alarms', async (t) => {
  const tags = ['!Ref', '!Sub'].map((tag) => ({ tag, resolve: (text: string) => text }))
  const document = parseDocument(writeCloudFormation(), { customTags: tags })
  t.strictSame(document.errors, [])
  const { Resources } = document.toJS() as Template
  const { resource } = await parse('main.tf', writeTerraform())
  const listOf = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type)
  const filters = Object.values(resource['aws_cloudwatch_log_metric_filter'] ?? {}).flat()
  t.strictSame(
    filters.map((it) => it['pattern']).sort(),
    listOf('AWS::Logs::MetricFilter')
      .map(({ Properties }) => Properties['FilterPattern'])
      .sort(),
  )
  const alarms = Object.values(resource['aws_cloudwatch_metric_alarm'] ?? {}).flat()
  t.strictSame(
    alarms
      .map((it) => [it['metric_name'], it['statistic'], it['threshold'], it['treat_missing_data']])
      .sort(),
    listOf('AWS::CloudWatch::Alarm')
      .map(({ Properties: it }) => [
        ...[it['MetricName'], it['Statistic'], it['Threshold'], it['TreatMissingData']],
      ])
      .sort(),
  )
  t.equal(alarms.length, ALARMS.length)
})

t.test('the dashboard is JSON of metrics that the filters write', async (t) => {
  const { resource } = await parse('main.tf', writeTerraform())
  const [dashboard] = resource['aws_cloudwatch_dashboard']?.['cognito_m2m'] ?? []
  const { widgets } = JSON.parse(String(dashboard?.['dashboard_body'])) as {
    widgets: readonly { properties: { metrics?: readonly (readonly string[])[] } }[]
  }
  const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? [])
  t.strictSame(metrics.map(([, name]) => name).sort(), ALARMS.map(({ name }) => name).sort())
})
