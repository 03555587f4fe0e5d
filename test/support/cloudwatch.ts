/** Writes the alarms of deploy/aws, as CloudFormation and as Terraform, from one list of log lines and alarms. */

/** A log line that counts, or that sets a state. */
interface Filter {
  readonly line: string
  /** Further conditions, in the syntax of metric filters. */
  readonly where?: string
  /** `1` counts the line or begins a state, `0` ends the state, `$.name` is a field of the line. */
  readonly value: string
}

interface Alarm {
  /** As in Prometheus, without `CognitoM2m`. */
  readonly name: string
  readonly description: string
  /** The first one names the metric; a second one may end the state. */
  readonly filters: readonly Filter[]
  readonly threshold: number
  /** Periods of 5 minutes. */
  readonly periods: number
}

const REJECTED = 'request rejected'
const isCode = (...codes: readonly string[]): string =>
  codes.map((code) => `$.code = "${code}"`).join(' || ')

export const ALARMS: readonly Alarm[] = [
  {
    name: 'NotReady',
    description: 'An instance has no key set: requests with a token get 503',
    filters: [
      { line: 'no key set yet: requests with a token get 503', value: '1' },
      { line: 'the key set is fresh again', value: '0' },
    ],
    threshold: 1,
    periods: 1,
  },
  {
    name: 'KeysStale',
    description: 'Fetches of keys fail, and the keys are older than 15 minutes',
    filters: [
      { line: 'the key set is stale', value: '1' },
      { line: 'the key set is fresh again', value: '0' },
    ],
    threshold: 1,
    periods: 1,
  },
  {
    name: 'KeysUnavailable',
    description: 'Requests get 503 without keys; needs the option rejectionLog',
    filters: [{ line: REJECTED, where: isCode('ERR_KEYS_UNAVAILABLE'), value: '1' }],
    threshold: 10,
    periods: 1,
  },
  {
    name: 'DecisionsFail',
    description: 'Your code threw during a decision: 500',
    filters: [{ line: 'access cannot be decided', value: '1' }],
    threshold: 1,
    periods: 1,
  },
  {
    name: 'Denied',
    description: 'Clients with a genuine token get 403; needs the option rejectionLog',
    filters: [
      {
        line: REJECTED,
        where: isCode('ERR_SCOPE_INSUFFICIENT', 'ERR_CLIENT_NOT_ALLOWED', 'ERR_ACCESS_DENIED'),
        value: '1',
      },
    ],
    threshold: 50,
    periods: 3,
  },
  {
    name: 'UpstreamDown',
    description: 'Cognito issues no tokens to a token proxy',
    filters: [
      { line: 'Cognito issues no tokens', value: '1' },
      { line: 'Cognito issues tokens again', value: '0' },
    ],
    threshold: 1,
    periods: 1,
  },
  {
    name: 'CallersWithoutToken',
    description: 'Callers of a token proxy got no token: Cognito is down',
    filters: [{ line: 'callers got no token', value: '$.ERR_UPSTREAM_UNAVAILABLE' }],
    threshold: 10,
    periods: 1,
  },
  {
    name: 'BudgetExhausted',
    description: 'Callers of a token proxy got no token: it may not send more requests',
    filters: [{ line: 'callers got no token', value: '$.ERR_OVER_BUDGET' }],
    threshold: 10,
    periods: 1,
  },
  {
    name: 'TokenClientFailing',
    description: 'Token requests of a token client fail',
    filters: [{ line: 'the token request failed', value: '1' }],
    threshold: 5,
    periods: 2,
  },
  {
    name: 'StoreDegraded',
    description: 'The token store fails: tokens are kept in memory',
    filters: [
      { line: 'the token store fails: tokens are kept in memory until it is back', value: '1' },
      { line: 'the token store is back', value: '0' },
    ],
    threshold: 1,
    periods: 2,
  },
]

const PERIOD = 300
const NAMESPACE = 'CognitoM2m'

const toPattern = ({ line, where }: Filter): string => {
  const isLine = `$.msg = "cognito-m2m: ${line}"`
  return where === undefined ? `{ ${isLine} }` : `{ ${isLine} && (${where}) }`
}

/** A state keeps its value until the line that ends it; a count without lines is 0. */
const isState = ({ filters }: Alarm): boolean => filters.length > 1
const toDescription = ({ name, description }: Alarm): string =>
  `${description}. docs/runbook.md, CognitoM2m${name === 'BudgetExhausted' ? 'CallersWithoutToken' : name}`

/** Names of resources: `KeysStale`, `KeysStaleEnd`. */
const toFilterNames = ({ name, filters }: Alarm): readonly (readonly [string, Filter])[] =>
  filters.map((filter, index) => [index === 0 ? name : `${name}End`, filter])

const INSIGHTS =
  "filter msg = 'cognito-m2m: request rejected' | stats count(*) + sum(suppressed) as requests by code, route | sort requests desc | limit 20"

/** The dashboard, with the placeholders of a dialect. */
function createBody(
  region: string,
  logGroup: string,
  toAlarmArn: (name: string) => string,
): object {
  const names = ALARMS.map(({ name }) => name)
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
      period: PERIOD,
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
        properties: { title: 'Alarms', alarms: names.map(toAlarmArn) },
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
    (name) => `$\{${name}Alarm.Arn}`,
  )
  const resources = ALARMS.flatMap((alarm) => {
    const { name, threshold, periods } = alarm
    const filters = toFilterNames(alarm).map(
      ([id, filter]) => `  ${id}Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroupName
      FilterPattern: ${quote(toPattern(filter))}
      MetricTransformations:
        - { MetricNamespace: ${NAMESPACE}, MetricName: ${name}, MetricValue: ${quote(filter.value)} }
`,
    )
    return [
      ...filters,
      `  ${name}Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub '$\{AWS::StackName}-${name}'
      AlarmDescription: ${quote(toDescription(alarm))}
      Namespace: ${NAMESPACE}
      MetricName: ${name}
      Statistic: ${isState(alarm) ? 'Maximum' : 'Sum'}
      Period: ${PERIOD}
      EvaluationPeriods: ${periods}
      Threshold: ${threshold}
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: ${isState(alarm) ? 'ignore' : 'notBreaching'}
      AlarmActions: [!Ref AlarmTopicArn]
      OKActions: [!Ref AlarmTopicArn]
`,
    ]
  })
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
${resources.join('')}  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Sub '$\{AWS::StackName}'
      DashboardBody: !Sub ${quote(JSON.stringify(body))}
`
}

/** The text of deploy/aws/main.tf. */
export function writeTerraform(): string {
  const body = createBody(
    '$' + '{data.aws_region.current.name}',
    '$' + '{var.log_group_name}',
    (name) => `$\{aws_cloudwatch_metric_alarm.${toSnakeCase(name)}.arn}`,
  )
  const resources = ALARMS.flatMap((alarm) => {
    const { name, threshold, periods } = alarm
    const filters = toFilterNames(alarm).map(
      ([id, filter]) => `resource "aws_cloudwatch_log_metric_filter" "${toSnakeCase(id)}" {
  name           = "$\{var.name}-${id}"
  log_group_name = var.log_group_name
  pattern        = ${JSON.stringify(toPattern(filter))}

  metric_transformation {
    namespace = "${NAMESPACE}"
    name      = "${name}"
    value     = ${JSON.stringify(filter.value)}
  }
}
`,
    )
    return [
      ...filters,
      `resource "aws_cloudwatch_metric_alarm" "${toSnakeCase(name)}" {
  alarm_name          = "$\{var.name}-${name}"
  alarm_description   = ${JSON.stringify(toDescription(alarm))}
  namespace           = "${NAMESPACE}"
  metric_name         = "${name}"
  statistic           = "${isState(alarm) ? 'Maximum' : 'Sum'}"
  period              = ${PERIOD}
  evaluation_periods  = ${periods}
  threshold           = ${threshold}
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "${isState(alarm) ? 'ignore' : 'notBreaching'}"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
`,
    ]
  })
  return `# Alarms and a dashboard of the log lines of cognito-m2m. Written by a test: see deploy/README.md.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
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

${resources.join('\n')}
resource "aws_cloudwatch_dashboard" "cognito_m2m" {
  dashboard_name = var.name
  dashboard_body = ${JSON.stringify(JSON.stringify(body))}
}
`
}

function toSnakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase()
}
