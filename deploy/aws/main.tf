# Alarms and a dashboard of the log lines of cognito-m2m. Written by a test: see deploy/README.md.
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
  namespace = "CognitoM2m"
  filters = {
    KeysUnavailable = {
      metric  = "KeysUnavailable"
      pattern = "{ $.msg = \"cognito-m2m: request rejected\" && ($.code = \"ERR_KEYS_UNAVAILABLE\") }"
      value   = "1"
    }
    DecisionsFail = {
      metric  = "DecisionsFail"
      pattern = "{ $.msg = \"cognito-m2m: access cannot be decided\" }"
      value   = "1"
    }
    Denied = {
      metric  = "Denied"
      pattern = "{ $.msg = \"cognito-m2m: request rejected\" && ($.code = \"ERR_SCOPE_INSUFFICIENT\" || $.code = \"ERR_CLIENT_NOT_ALLOWED\" || $.code = \"ERR_ACCESS_DENIED\") }"
      value   = "1"
    }
    CallersWithoutToken = {
      metric  = "CallersWithoutToken"
      pattern = "{ $.msg = \"cognito-m2m: callers got no token\" }"
      value   = "$.ERR_UPSTREAM_UNAVAILABLE"
    }
    BudgetExhausted = {
      metric  = "BudgetExhausted"
      pattern = "{ $.msg = \"cognito-m2m: callers got no token\" }"
      value   = "$.ERR_OVER_BUDGET"
    }
    TokenClientFailing = {
      metric  = "TokenClientFailing"
      pattern = "{ $.msg = \"cognito-m2m: the token request failed\" }"
      value   = "1"
    }
    NotReady = {
      metric  = "NotReady"
      pattern = "{ $.msg = \"cognito-m2m: no key set yet: requests with a token get 503\" }"
      value   = "1"
    }
    NotReadyEnd = {
      metric  = "NotReady"
      pattern = "{ $.msg = \"cognito-m2m: the key set is fresh again\" }"
      value   = "0"
    }
    KeysStale = {
      metric  = "KeysStale"
      pattern = "{ $.msg = \"cognito-m2m: the key set is stale\" }"
      value   = "1"
    }
    KeysStaleEnd = {
      metric  = "KeysStale"
      pattern = "{ $.msg = \"cognito-m2m: the key set is fresh again\" }"
      value   = "0"
    }
    UpstreamDown = {
      metric  = "UpstreamDown"
      pattern = "{ $.msg = \"cognito-m2m: Cognito issues no tokens\" }"
      value   = "1"
    }
    UpstreamDownEnd = {
      metric  = "UpstreamDown"
      pattern = "{ $.msg = \"cognito-m2m: Cognito issues tokens again\" }"
      value   = "0"
    }
    StoreDegraded = {
      metric  = "StoreDegraded"
      pattern = "{ $.msg = \"cognito-m2m: the token store fails: tokens are kept in memory until it is back\" }"
      value   = "1"
    }
    StoreDegradedEnd = {
      metric  = "StoreDegraded"
      pattern = "{ $.msg = \"cognito-m2m: the token store is back\" }"
      value   = "0"
    }
  }
  alarms = {
    KeysUnavailable = {
      description = "Requests get 503 without keys; needs the option rejectionLog. docs/runbook.md, CognitoM2mKeysUnavailable"
      statistic   = "Sum"
      period      = 300
      periods     = 1
      threshold   = 10
      missing     = "notBreaching"
    }
    DecisionsFail = {
      description = "Your code threw during a decision: 500. docs/runbook.md, CognitoM2mDecisionsFail"
      statistic   = "Sum"
      period      = 300
      periods     = 1
      threshold   = 1
      missing     = "notBreaching"
    }
    Denied = {
      description = "Clients with a genuine token get 403; needs the option rejectionLog. docs/runbook.md, CognitoM2mDenied"
      statistic   = "Sum"
      period      = 300
      periods     = 3
      threshold   = 50
      missing     = "notBreaching"
    }
    CallersWithoutToken = {
      description = "Callers of a token proxy got no token: Cognito is down. docs/runbook.md, CognitoM2mCallersWithoutToken"
      statistic   = "Sum"
      period      = 300
      periods     = 1
      threshold   = 10
      missing     = "notBreaching"
    }
    BudgetExhausted = {
      description = "Callers of a token proxy got no token: it may not send more requests. docs/runbook.md, CognitoM2mCallersWithoutToken"
      statistic   = "Sum"
      period      = 300
      periods     = 1
      threshold   = 10
      missing     = "notBreaching"
    }
    TokenClientFailing = {
      description = "Token requests of a token client fail. docs/runbook.md, CognitoM2mTokenClientFailing"
      statistic   = "Sum"
      period      = 300
      periods     = 2
      threshold   = 5
      missing     = "notBreaching"
    }
    NotReady = {
      description = "An instance has no key set: requests with a token get 503. docs/runbook.md, CognitoM2mNotReady"
      statistic   = "Minimum"
      period      = 60
      periods     = 1
      threshold   = 1
      missing     = "ignore"
    }
    KeysStale = {
      description = "Fetches of keys fail, and the keys are older than 15 minutes. docs/runbook.md, CognitoM2mKeysStale"
      statistic   = "Minimum"
      period      = 60
      periods     = 1
      threshold   = 1
      missing     = "ignore"
    }
    UpstreamDown = {
      description = "Cognito issues no tokens to a token proxy. docs/runbook.md, CognitoM2mUpstreamDown"
      statistic   = "Minimum"
      period      = 60
      periods     = 1
      threshold   = 1
      missing     = "ignore"
    }
    StoreDegraded = {
      description = "The token store fails: tokens are kept in memory. docs/runbook.md, CognitoM2mStoreDegraded"
      statistic   = "Minimum"
      period      = 60
      periods     = 1
      threshold   = 1
      missing     = "ignore"
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "line" {
  for_each       = local.filters
  name           = "${var.name}-${each.key}"
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
  alarm_name          = "${var.name}-${each.key}"
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
  dashboard_body = jsonencode({
    widgets = [
      {
        type   = "alarm"
        x      = 0
        y      = 0
        width  = 24
        height = 4
        properties = {
          title  = "Alarms"
          alarms = [for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.arn]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 4
        width  = 12
        height = 6
        properties = {
          title  = "Keys"
          region = "${data.aws_region.current.name}"
          view   = "timeSeries"
          period = 300
          stat   = "Sum"
          metrics = [
            ["CognitoM2m", "NotReady"],
            ["CognitoM2m", "KeysStale"],
            ["CognitoM2m", "KeysUnavailable"],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 4
        width  = 12
        height = 6
        properties = {
          title  = "Decisions"
          region = "${data.aws_region.current.name}"
          view   = "timeSeries"
          period = 300
          stat   = "Sum"
          metrics = [
            ["CognitoM2m", "DecisionsFail"],
            ["CognitoM2m", "Denied"],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 10
        width  = 12
        height = 6
        properties = {
          title  = "Token proxy"
          region = "${data.aws_region.current.name}"
          view   = "timeSeries"
          period = 300
          stat   = "Sum"
          metrics = [
            ["CognitoM2m", "UpstreamDown"],
            ["CognitoM2m", "CallersWithoutToken"],
            ["CognitoM2m", "BudgetExhausted"],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 10
        width  = 12
        height = 6
        properties = {
          title  = "Token clients and stores"
          region = "${data.aws_region.current.name}"
          view   = "timeSeries"
          period = 300
          stat   = "Sum"
          metrics = [
            ["CognitoM2m", "TokenClientFailing"],
            ["CognitoM2m", "StoreDegraded"],
          ]
        }
      },
      {
        type   = "log"
        x      = 0
        y      = 16
        width  = 24
        height = 6
        properties = {
          title  = "Rejected requests by code and route"
          region = "${data.aws_region.current.name}"
          view   = "table"
          query  = "SOURCE '${var.log_group_name}' | filter msg = 'cognito-m2m: request rejected' | stats count(*) + sum(suppressed) as requests by code, route | sort requests desc | limit 20"
        }
      },
    ]
  })
}
