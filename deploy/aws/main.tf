# Alarms and a dashboard of the log lines of cognito-m2m. Written by a test: see deploy/README.md.
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

resource "aws_cloudwatch_log_metric_filter" "not_ready" {
  name           = "${var.name}-NotReady"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: no key set yet: requests with a token get 503\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "NotReady"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "not_ready_end" {
  name           = "${var.name}-NotReadyEnd"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the key set is fresh again\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "NotReady"
    value     = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "not_ready" {
  alarm_name          = "${var.name}-NotReady"
  alarm_description   = "An instance has no key set: requests with a token get 503. docs/runbook.md, CognitoM2mNotReady"
  namespace           = "CognitoM2m"
  metric_name         = "NotReady"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "keys_stale" {
  name           = "${var.name}-KeysStale"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the key set is stale\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "KeysStale"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "keys_stale_end" {
  name           = "${var.name}-KeysStaleEnd"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the key set is fresh again\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "KeysStale"
    value     = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "keys_stale" {
  alarm_name          = "${var.name}-KeysStale"
  alarm_description   = "Fetches of keys fail, and the keys are older than 15 minutes. docs/runbook.md, CognitoM2mKeysStale"
  namespace           = "CognitoM2m"
  metric_name         = "KeysStale"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "keys_unavailable" {
  name           = "${var.name}-KeysUnavailable"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: request rejected\" && ($.code = \"ERR_KEYS_UNAVAILABLE\") }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "KeysUnavailable"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "keys_unavailable" {
  alarm_name          = "${var.name}-KeysUnavailable"
  alarm_description   = "Requests get 503 without keys; needs the option rejectionLog. docs/runbook.md, CognitoM2mKeysUnavailable"
  namespace           = "CognitoM2m"
  metric_name         = "KeysUnavailable"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "decisions_fail" {
  name           = "${var.name}-DecisionsFail"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: access cannot be decided\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "DecisionsFail"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "decisions_fail" {
  alarm_name          = "${var.name}-DecisionsFail"
  alarm_description   = "Your code threw during a decision: 500. docs/runbook.md, CognitoM2mDecisionsFail"
  namespace           = "CognitoM2m"
  metric_name         = "DecisionsFail"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "denied" {
  name           = "${var.name}-Denied"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: request rejected\" && ($.code = \"ERR_SCOPE_INSUFFICIENT\" || $.code = \"ERR_CLIENT_NOT_ALLOWED\" || $.code = \"ERR_ACCESS_DENIED\") }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "Denied"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "denied" {
  alarm_name          = "${var.name}-Denied"
  alarm_description   = "Clients with a genuine token get 403; needs the option rejectionLog. docs/runbook.md, CognitoM2mDenied"
  namespace           = "CognitoM2m"
  metric_name         = "Denied"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 50
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "upstream_down" {
  name           = "${var.name}-UpstreamDown"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: Cognito issues no tokens\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "UpstreamDown"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "upstream_down_end" {
  name           = "${var.name}-UpstreamDownEnd"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: Cognito issues tokens again\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "UpstreamDown"
    value     = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "upstream_down" {
  alarm_name          = "${var.name}-UpstreamDown"
  alarm_description   = "Cognito issues no tokens to a token proxy. docs/runbook.md, CognitoM2mUpstreamDown"
  namespace           = "CognitoM2m"
  metric_name         = "UpstreamDown"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "callers_without_token" {
  name           = "${var.name}-CallersWithoutToken"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: callers got no token\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "CallersWithoutToken"
    value     = "$.ERR_UPSTREAM_UNAVAILABLE"
  }
}

resource "aws_cloudwatch_metric_alarm" "callers_without_token" {
  alarm_name          = "${var.name}-CallersWithoutToken"
  alarm_description   = "Callers of a token proxy got no token: Cognito is down. docs/runbook.md, CognitoM2mCallersWithoutToken"
  namespace           = "CognitoM2m"
  metric_name         = "CallersWithoutToken"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "budget_exhausted" {
  name           = "${var.name}-BudgetExhausted"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: callers got no token\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "BudgetExhausted"
    value     = "$.ERR_OVER_BUDGET"
  }
}

resource "aws_cloudwatch_metric_alarm" "budget_exhausted" {
  alarm_name          = "${var.name}-BudgetExhausted"
  alarm_description   = "Callers of a token proxy got no token: it may not send more requests. docs/runbook.md, CognitoM2mCallersWithoutToken"
  namespace           = "CognitoM2m"
  metric_name         = "BudgetExhausted"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "token_client_failing" {
  name           = "${var.name}-TokenClientFailing"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the token request failed\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "TokenClientFailing"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "token_client_failing" {
  alarm_name          = "${var.name}-TokenClientFailing"
  alarm_description   = "Token requests of a token client fail. docs/runbook.md, CognitoM2mTokenClientFailing"
  namespace           = "CognitoM2m"
  metric_name         = "TokenClientFailing"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 5
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "store_degraded" {
  name           = "${var.name}-StoreDegraded"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the token store fails: tokens are kept in memory until it is back\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "StoreDegraded"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_metric_filter" "store_degraded_end" {
  name           = "${var.name}-StoreDegradedEnd"
  log_group_name = var.log_group_name
  pattern        = "{ $.msg = \"cognito-m2m: the token store is back\" }"

  metric_transformation {
    namespace = "CognitoM2m"
    name      = "StoreDegraded"
    value     = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "store_degraded" {
  alarm_name          = "${var.name}-StoreDegraded"
  alarm_description   = "The token store fails: tokens are kept in memory. docs/runbook.md, CognitoM2mStoreDegraded"
  namespace           = "CognitoM2m"
  metric_name         = "StoreDegraded"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_dashboard" "cognito_m2m" {
  dashboard_name = var.name
  dashboard_body = "{\"widgets\":[{\"type\":\"alarm\",\"x\":0,\"y\":0,\"width\":24,\"height\":4,\"properties\":{\"title\":\"Alarms\",\"alarms\":[\"${aws_cloudwatch_metric_alarm.not_ready.arn}\",\"${aws_cloudwatch_metric_alarm.keys_stale.arn}\",\"${aws_cloudwatch_metric_alarm.keys_unavailable.arn}\",\"${aws_cloudwatch_metric_alarm.decisions_fail.arn}\",\"${aws_cloudwatch_metric_alarm.denied.arn}\",\"${aws_cloudwatch_metric_alarm.upstream_down.arn}\",\"${aws_cloudwatch_metric_alarm.callers_without_token.arn}\",\"${aws_cloudwatch_metric_alarm.budget_exhausted.arn}\",\"${aws_cloudwatch_metric_alarm.token_client_failing.arn}\",\"${aws_cloudwatch_metric_alarm.store_degraded.arn}\"]}},{\"type\":\"metric\",\"x\":0,\"y\":4,\"width\":12,\"height\":6,\"properties\":{\"title\":\"Keys\",\"region\":\"${data.aws_region.current.name}\",\"view\":\"timeSeries\",\"period\":300,\"stat\":\"Sum\",\"metrics\":[[\"CognitoM2m\",\"NotReady\"],[\"CognitoM2m\",\"KeysStale\"],[\"CognitoM2m\",\"KeysUnavailable\"]]}},{\"type\":\"metric\",\"x\":12,\"y\":4,\"width\":12,\"height\":6,\"properties\":{\"title\":\"Decisions\",\"region\":\"${data.aws_region.current.name}\",\"view\":\"timeSeries\",\"period\":300,\"stat\":\"Sum\",\"metrics\":[[\"CognitoM2m\",\"DecisionsFail\"],[\"CognitoM2m\",\"Denied\"]]}},{\"type\":\"metric\",\"x\":0,\"y\":10,\"width\":12,\"height\":6,\"properties\":{\"title\":\"Token proxy\",\"region\":\"${data.aws_region.current.name}\",\"view\":\"timeSeries\",\"period\":300,\"stat\":\"Sum\",\"metrics\":[[\"CognitoM2m\",\"UpstreamDown\"],[\"CognitoM2m\",\"CallersWithoutToken\"],[\"CognitoM2m\",\"BudgetExhausted\"]]}},{\"type\":\"metric\",\"x\":12,\"y\":10,\"width\":12,\"height\":6,\"properties\":{\"title\":\"Token clients and stores\",\"region\":\"${data.aws_region.current.name}\",\"view\":\"timeSeries\",\"period\":300,\"stat\":\"Sum\",\"metrics\":[[\"CognitoM2m\",\"TokenClientFailing\"],[\"CognitoM2m\",\"StoreDegraded\"]]}},{\"type\":\"log\",\"x\":0,\"y\":16,\"width\":24,\"height\":6,\"properties\":{\"title\":\"Rejected requests by code and route\",\"region\":\"${data.aws_region.current.name}\",\"view\":\"table\",\"query\":\"SOURCE '${var.log_group_name}' | filter msg = 'cognito-m2m: request rejected' | stats count(*) + sum(suppressed) as requests by code, route | sort requests desc | limit 20\"}}]}"
}
