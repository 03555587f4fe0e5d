resource "aws_api_gateway_rest_api" "orders" {
  name = "orders-${var.stage}"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_authorizer" "callers" {
  name                             = "callers"
  rest_api_id                      = aws_api_gateway_rest_api.orders.id
  type                             = "COGNITO_USER_POOLS"
  provider_arns                    = [aws_cognito_user_pool.main.id] # drift: authorizer-provider at aws_cognito_user_pool.main.id
  authorizer_result_ttl_in_seconds = 3600 # drift: lifetime-ttl at 3600
}

resource "aws_api_gateway_resource" "orders" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_rest_api.orders.root_resource_id
  path_part   = "orders"
}

resource "aws_api_gateway_resource" "order" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_resource.orders.id
  path_part   = "{id}"
}

resource "aws_api_gateway_resource" "refunds" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_resource.order.id
  path_part   = "refunds"
}

resource "aws_api_gateway_resource" "exports" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_rest_api.orders.root_resource_id
  path_part   = "exports"
}

resource "aws_api_gateway_resource" "health" {
  rest_api_id = aws_api_gateway_rest_api.orders.id
  parent_id   = aws_api_gateway_rest_api.orders.root_resource_id
  path_part   = "health"
}

resource "aws_api_gateway_method" "list_orders" { # drift: route-open-in-template at resource
  rest_api_id   = aws_api_gateway_rest_api.orders.id
  resource_id   = aws_api_gateway_resource.orders.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_method" "create_order" {
  rest_api_id          = aws_api_gateway_rest_api.orders.id
  resource_id          = aws_api_gateway_resource.orders.id
  http_method          = "POST"
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = aws_api_gateway_authorizer.callers.id
  authorization_scopes = ["orders/write", "orders/api"] # drift: scope-undefined at orders/api
}

resource "aws_api_gateway_method" "read_order" {
  rest_api_id          = aws_api_gateway_rest_api.orders.id
  resource_id          = aws_api_gateway_resource.order.id
  http_method          = "GET"
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = aws_api_gateway_authorizer.callers.id
  authorization_scopes = ["${aws_cognito_resource_server.order.identifier}/read"] # drift: reference-missing at aws_cognito_resource_server.order

  request_parameters = {
    "method.request.path.id" = true
  }
}

resource "aws_api_gateway_method" "refund_order" {
  rest_api_id          = aws_api_gateway_rest_api.orders.id
  resource_id          = aws_api_gateway_resource.refunds.id
  http_method          = "POST"
  authorization        = "JWT" # drift: authorizer-mismatch at JWT
  authorizer_id        = aws_api_gateway_authorizer.callers.id
  authorization_scopes = ["orders/refund"]
}

resource "aws_api_gateway_method" "export_orders" { # drift: authorizer-no-scopes at resource "aws_api_gateway_method" "export_orders"
  rest_api_id          = aws_api_gateway_rest_api.orders.id
  resource_id          = aws_api_gateway_resource.exports.id
  http_method          = "GET"
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = aws_api_gateway_authorizer.callers.id
}

resource "aws_api_gateway_method" "health" {
  rest_api_id   = aws_api_gateway_rest_api.orders.id
  resource_id   = aws_api_gateway_resource.health.id
  http_method   = "GET"
  authorization = "NONE"
}

locals {
  methods = {
    "GET /orders"               = aws_api_gateway_method.list_orders
    "POST /orders"              = aws_api_gateway_method.create_order
    "GET /orders/{id}"          = aws_api_gateway_method.read_order
    "POST /orders/{id}/refunds" = aws_api_gateway_method.refund_order
    "GET /exports"              = aws_api_gateway_method.export_orders
    "GET /health"               = aws_api_gateway_method.health
  }
}

resource "aws_api_gateway_integration" "orders" {
  for_each = local.methods

  rest_api_id             = each.value.rest_api_id
  resource_id             = each.value.resource_id
  http_method             = each.value.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.orders.invoke_arn
}

resource "aws_api_gateway_deployment" "orders" {
  rest_api_id = aws_api_gateway_rest_api.orders.id

  triggers = {
    redeployment = sha1(jsonencode([local.methods, aws_api_gateway_integration.orders]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "orders" {
  rest_api_id   = aws_api_gateway_rest_api.orders.id
  deployment_id = aws_api_gateway_deployment.orders.id
  stage_name    = var.stage

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId = "$context.requestId"
      client    = "$context.authorizer.claims.client_id"
      status    = "$context.status"
    })
  }
}
