/** Writes the alarms of deploy/aws, as CloudFormation and as Terraform, from one list of log lines and alarms. */
import { toHcl } from './hcl.ts'

interface NamedAlarm {
  /** As in Prometheus, without `CognitoM2m`. Its metric has the same name. */
  readonly name: string
  readonly description: string
}

/** An alarm on the number of lines, or on the sum of a field of the lines. */
interface CountAlarm extends NamedAlarm {
  readonly line: string
  /** Further conditions, in the syntax of metric filters. */
  readonly where?: string
  /** A field of the line that is added up. Default: the lines are counted. */
  readonly field?: string
  readonly threshold: number
  /** Periods of 5 minutes. */
  readonly periods: number
}

/** An alarm on a state: one line begins it, another one ends it. */
interface StateAlarm extends NamedAlarm {
  readonly begin: string
  readonly end: string
}

const REJECTED = 'request rejected'
const isCode = (...codes: readonly string[]): string =>
  codes.map((code) => `$.code = "${code}"`).join(' || ')

const COUNTS: readonly CountAlarm[] = [
  {
    name: 'KeysUnavailable',
    description: 'Requests get 503 without keys; needs the option rejectionLog',
    line: REJECTED,
    where: isCode('ERR_KEYS_UNAVAILABLE'),
    threshold: 10,
    periods: 1,
  },
  {
    name: 'DecisionsFail',
    description: 'Your code threw during a decision: 500',
    line: 'access cannot be decided',
    threshold: 1,
    periods: 1,
  },
  {
    name: 'Denied',
    description: 'Clients with a genuine token get 403; needs the option rejectionLog',
    line: REJECTED,
    where: isCode('ERR_SCOPE_INSUFFICIENT', 'ERR_CLIENT_NOT_ALLOWED', 'ERR_ACCESS_DENIED'),
    threshold: 50,
    periods: 3,
  },
  {
    name: 'CallersWithoutToken',
    description: 'Callers of a token proxy got no token: Cognito is down',
    line: 'callers got no token',
    field: 'ERR_UPSTREAM_UNAVAILABLE',
    threshold: 10,
    periods: 1,
  },
  {
    name: 'BudgetExhausted',
    description: 'Callers of a token proxy got no token: it may not send more requests',
    line: 'callers got no token',
    field: 'ERR_OVER_BUDGET',
    threshold: 10,
    periods: 1,
  },
  {
    name: 'TokenClientFailing',
    description: 'Token requests of a token client fail',
    line: 'the token request failed',
    threshold: 5,
    periods: 2,
  },
]

const STATES: readonly StateAlarm[] = [
  {
    name: 'NotReady',
    description: 'An instance has no key set: requests with a token get 503',
    begin: 'no key set yet: requests with a token get 503',
    end: 'the key set is fresh again',
  },
  {
    name: 'KeysStale',
    description: 'Fetches of keys fail, and the keys are older than 15 minutes',
    begin: 'the key set is stale',
    end: 'the key set is fresh again',
  },
  {
    name: 'UpstreamDown',
    description: 'Cognito issues no tokens to a token proxy',
    begin: 'Cognito issues no tokens',
    end: 'Cognito issues tokens again',
  },
  {
    name: 'StoreDegraded',
    description: 'The token store fails: tokens are kept in memory',
    begin: 'the token store fails: tokens are kept in memory until it is back',
    end: 'the token store is back',
  },
]

export const ALARMS: readonly NamedAlarm[] = [...COUNTS, ...STATES]

const NAMESPACE = 'CognitoM2m'
const COUNT_PERIOD = 300
/**
 * Most lines that begin or end a state are written once. Of both in one period, the end counts (`Minimum`), because no
 * later line would clear the alarm. Without lines the alarm keeps its state.
 */
const STATE_PERIOD = 60

/** What both dialects say about one metric filter. */
interface Filter {
  readonly metric: string
  readonly line: string
  readonly where?: string | undefined
  readonly value: string
}

/** By the name of the filter: `KeysStale`, `KeysStaleEnd`. */
export function listFilters(): ReadonlyMap<string, Filter> {
  const filters = new Map<string, Filter>()
  for (const { name, line, where, field } of COUNTS) {
    filters.set(name, {
      metric: name,
      line,
      where,
      value: field === undefined ? '1' : `$.${field}`,
    })
  }
  for (const { name, begin, end } of STATES) {
    filters.set(name, { metric: name, line: begin, value: '1' })
    filters.set(`${name}End`, { metric: name, line: end, value: '0' })
  }
  return filters
}

function toPattern({ line, where }: Filter): string {
  const isLine = `$.msg = "cognito-m2m: ${line}"`
  return where === undefined ? `{ ${isLine} }` : `{ ${isLine} && (${where}) }`
}

/** What both dialects say about one alarm. */
interface AlarmProperties {
  readonly description: string
  readonly statistic: string
  readonly period: number
  readonly periods: number
  readonly threshold: number
  readonly missing: string
}

const RUNBOOK_ENTRIES: Readonly<Record<string, string>> = { BudgetExhausted: 'CallersWithoutToken' }

function listAlarms(): ReadonlyMap<string, AlarmProperties> {
  const describe = ({ name, description }: NamedAlarm): string =>
    `${description}. docs/runbook.md, CognitoM2m${RUNBOOK_ENTRIES[name] ?? name}`
  const counts = COUNTS.map((alarm): [string, AlarmProperties] => [
    alarm.name,
    {
      description: describe(alarm),
      statistic: 'Sum',
      period: COUNT_PERIOD,
      periods: alarm.periods,
      threshold: alarm.threshold,
      missing: 'notBreaching',
    },
  ])
  const states = STATES.map((alarm): [string, AlarmProperties] => [
    alarm.name,
    {
      description: describe(alarm),
      statistic: 'Minimum',
      period: STATE_PERIOD,
      periods: 1,
      threshold: 1,
      missing: 'ignore',
    },
  ])
  return new Map([...counts, ...states])
}

const INSIGHTS =
  "filter msg = 'cognito-m2m: request rejected' | stats count(*) + sum(suppressed) as requests by code, route | sort requests desc | limit 20"

/** The dashboard, with the placeholders of a dialect. */
function createBody(region: string, logGroup: string, alarms: unknown): object {
  const chart = (title: string, of: readonly string[], y: number, x: number) => ({
    type: 'metric',
    x,
    y,
    width: 12,
    height: 6,
    properties: {
      title,
      region,
      view: 'timeSeries',
      period: COUNT_PERIOD,
      stat: 'Sum',
      metrics: of.map((name) => [NAMESPACE, name]),
    },
  })
  return {
    widgets: [
      {
        type: 'alarm',
        x: 0,
        y: 0,
        width: 24,
        height: 4,
        properties: { title: 'Alarms', alarms },
      },
      chart('Keys', ['NotReady', 'KeysStale', 'KeysUnavailable'], 4, 0),
      chart('Decisions', ['DecisionsFail', 'Denied'], 4, 12),
      chart('Token proxy', ['UpstreamDown', 'CallersWithoutToken', 'BudgetExhausted'], 10, 0),
      chart('Token clients and stores', ['TokenClientFailing', 'StoreDegraded'], 10, 12),
      {
        type: 'log',
        x: 0,
        y: 16,
        width: 24,
        height: 6,
        properties: {
          title: 'Rejected requests by code and route',
          region,
          view: 'table',
          query: `SOURCE '${logGroup}' | ${INSIGHTS}`,
        },
      },
    ],
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The text of deploy/aws/alarms.yaml. */
export function writeCloudFormation(): string {
  const body = createBody(
    '$' + '{AWS::Region}',
    '$' + '{LogGroupName}',
    ALARMS.map(({ name }) => `$\{${name}Alarm.Arn}`),
  )
  const filters = [...listFilters()].map(
    ([name, filter]) => `  ${name}Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroupName
      FilterPattern: ${quote(toPattern(filter))}
      MetricTransformations:
        - { MetricNamespace: ${NAMESPACE}, MetricName: ${filter.metric}, MetricValue: ${quote(filter.value)} }
`,
  )
  const alarms = [...listAlarms()].map(
    ([name, { description, statistic, period, periods, threshold, missing }]) => `  ${name}Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub '$\{AWS::StackName}-${name}'
      AlarmDescription: ${quote(description)}
      Namespace: ${NAMESPACE}
      MetricName: ${name}
      Statistic: ${statistic}
      Period: ${period}
      EvaluationPeriods: ${periods}
      Threshold: ${threshold}
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: ${missing}
      AlarmActions: [!Ref AlarmTopicArn]
      OKActions: [!Ref AlarmTopicArn]
`,
  )
  return `# Alarms and a dashboard of the log lines of cognito-m2m. Written by a test: see deploy/README.md.
AWSTemplateFormatVersion: '2010-09-09'
Description: Alarms and a dashboard of the log lines of cognito-m2m
Parameters:
  LogGroupName:
    Type: String
    Description: Log group with the JSON lines of the API, the token proxy or the calling service
  AlarmTopicArn:
    Type: String
    Description: ARN of the SNS topic that gets the alarms
Resources:
${[...filters, ...alarms].join('')}  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Sub '$\{AWS::StackName}'
      DashboardBody: !Sub ${quote(JSON.stringify(body))}
`
}

/** Stands for an expression of Terraform. */
const ARNS = 'the ARNs of all alarms'

/** The text of deploy/aws/main.tf. */
export function writeTerraform(): string {
  const body = createBody(
    '$' + '{data.aws_region.current.name}',
    '$' + '{var.log_group_name}',
    ARNS,
  )
  const filters = [...listFilters()].map(([name, filter]) => [
    name,
    { metric: filter.metric, pattern: toPattern(filter), value: filter.value },
  ])
  return `# Alarms and a dashboard of the log lines of cognito-m2m. Written by a test: see deploy/README.md.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

variable "name" {
  type        = string
  description = "Prefix of all names"
  default     = "cognito-m2m"
}

variable "log_group_name" {
  type        = string
  description = "Log group with the JSON lines of the API, the token proxy or the calling service"
}

variable "alarm_topic_arn" {
  type        = string
  description = "ARN of the SNS topic that gets the alarms"
}

data "aws_region" "current" {}

locals {
  namespace = "${NAMESPACE}"
  filters = ${toHcl(Object.fromEntries(filters), 1)}
  alarms = ${toHcl(Object.fromEntries(listAlarms()), 1)}
}

resource "aws_cloudwatch_log_metric_filter" "line" {
  for_each       = local.filters
  name           = "$\{var.name}-$\{each.key}"
  log_group_name = var.log_group_name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = local.namespace
    name      = each.value.metric
    value     = each.value.value
  }
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each            = local.alarms
  alarm_name          = "$\{var.name}-$\{each.key}"
  alarm_description   = each.value.description
  namespace           = local.namespace
  metric_name         = each.key
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_dashboard" "cognito_m2m" {
  dashboard_name = var.name
  dashboard_body = jsonencode(${toHcl(body, 1).replace(JSON.stringify(ARNS), '[for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.arn]')})
}
`
}
