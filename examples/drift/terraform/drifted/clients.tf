locals {
  scopes = {
    for name in ["read", "write", "export", "refund"] : name => format("%s/%s", aws_cognito_resource_server.orders.identifier, name)
  }

  # Who calls, and what for. Minutes, as every token is renewed in time.
  clients = {
    storefront = {
      scopes  = ["orders/read", "orders/write"]
      minutes = 60
    }
    billing = {
      scopes  = ["orders/read", "orders/invoice"] # drift: grant-undefined at orders/invoice
      minutes = 60
    }
    data-lake = {
      scopes  = ["orders/export"]
      minutes = 15
    }
  }
}

resource "aws_cognito_user_pool_client" "machine" {
  for_each = local.clients

  name                                 = each.key
  user_pool_id                         = aws_cognito_user_pool.main.id
  generate_secret                      = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = each.value.scopes
  access_token_validity                = each.value.minutes
  enable_token_revocation              = true

  token_validity_units {
    access_token = "minutes"
  }

  depends_on = [aws_cognito_resource_server.orders]
}

# The warehouse is another account's: its client is handed over by hand.
resource "aws_cognito_user_pool_client" "warehouse" {
  name                                 = "warehouse"
  user_pool_id                         = aws_cognito_user_pool.main.id
  generate_secret                      = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes = [
    "${aws_cognito_resource_server.orders.identifier}/read",
    "https://api.example.com/stock/read", # drift: scope-order at https://api.example.com/stock/read
  ]
}

resource "aws_cognito_user_pool_client" "reconciliation" {
  name                                 = "reconciliation"
  user_pool_id                         = aws_cognito_user_pool.main.arn # drift: pool-reference at aws_cognito_user_pool.main.arn
  generate_secret                      = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = [format("%s/refunds", aws_cognito_resource_server.orders.identifier)] # drift: grant-undefined at format
}

# Operators sign in with a browser.
resource "aws_cognito_user_pool_client" "console" {
  name                                 = "console"
  user_pool_id                         = aws_cognito_user_pool.main.id
  generate_secret                      = true
  allowed_oauth_flows                  = ["code", "client_credentials"] # drift: flow-mixed at code
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["openid", "email"]
  callback_urls                        = ["https://console.${var.domain_name}/signed-in"]
  supported_identity_providers         = ["COGNITO"]
}

resource "aws_secretsmanager_secret" "machine" {
  for_each = aws_cognito_user_pool_client.machine

  name                    = "/orders/${var.stage}/${each.key}"
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "machine" {
  for_each = aws_cognito_user_pool_client.machine

  secret_id     = aws_secretsmanager_secret.machine[each.key].id
  secret_string = jsonencode({ clientId = each.value.id, clientSecret = each.value.client_secret })
}
