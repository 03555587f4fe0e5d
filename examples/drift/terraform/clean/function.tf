data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "orders" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
    resources = [aws_dynamodb_table.orders.arn, "${aws_dynamodb_table.orders.arn}/index/*"]
  }

  dynamic "statement" {
    for_each = var.stage == "production" ? ["exports"] : []

    content {
      actions   = ["s3:PutObject"]
      resources = ["arn:aws:s3:::orders-${statement.value}/*"]
    }
  }
}

resource "aws_iam_role" "orders" {
  name               = "orders-${var.stage}"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "orders" {
  role   = aws_iam_role.orders.id
  policy = data.aws_iam_policy_document.orders.json
}

resource "aws_lambda_function" "orders" {
  function_name    = "orders-${var.stage}"
  role             = aws_iam_role.orders.arn
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  handler          = "lambda.handler"
  filename         = "${path.module}/build/orders.zip"
  source_code_hash = filebase64sha256("${path.module}/build/orders.zip")
  timeout          = 10

  environment {
    variables = {
      TABLE        = aws_dynamodb_table.orders.name
      USER_POOL_ID = aws_cognito_user_pool.main.id
      ISSUER       = "https://${aws_cognito_user_pool.main.endpoint}"
    }
  }
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.orders.execution_arn}/*/*"
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders-${var.stage}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.stage == "production"
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/orders/${var.stage}/access"
  retention_in_days = var.stage == "production" ? 90 : 7
}

resource "aws_cloudwatch_log_group" "lambda" {
  count = var.stage == "production" ? 1 : 0

  name              = "/aws/lambda/${aws_lambda_function.orders.function_name}"
  retention_in_days = 90
}

resource "aws_cloudwatch_metric_alarm" "refusals" {
  alarm_name          = "orders-${var.stage}-refusals"
  alarm_description   = <<-EOT
    Many callers are refused: a scope or a client was changed on one side alone.
    Look at ${aws_cloudwatch_log_group.access.name}.
  EOT
  namespace           = "AWS/ApiGateway"
  metric_name         = "4XXError"
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = 0.2
  comparison_operator = "GreaterThanThreshold"

  dimensions = {
    ApiName = aws_api_gateway_rest_api.orders.name
    Stage   = aws_api_gateway_stage.orders.stage_name
  }
}
