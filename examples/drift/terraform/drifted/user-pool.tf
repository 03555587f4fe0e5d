data "aws_region" "current" {}

data "aws_route53_zone" "main" {
  name = var.domain_name
}

resource "aws_cognito_user_pool" "main" {
  name                = "orders-${var.stage}"
  deletion_protection = "ACTIVE"

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "admin_only"
      priority = 1
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cognito_user_pool_domain" "main" {
  domain          = "auth.${var.domain_name}"
  user_pool_id    = aws_cognito_user_pool.main.id
  certificate_arn = var.certificate_arn
}

resource "aws_route53_record" "auth" {
  zone_id = data.aws_route53_zone.main.zone_id
  name    = aws_cognito_user_pool_domain.main.domain
  type    = "A"

  alias {
    name                   = aws_cognito_user_pool_domain.main.cloudfront_distribution
    zone_id                = aws_cognito_user_pool_domain.main.cloudfront_distribution_zone_id
    evaluate_target_health = false
  }
}

resource "aws_cognito_resource_server" "orders" {
  user_pool_id = aws_cognito_user_pool.main.id
  identifier   = "orders"
  name         = "Orders API"

  scope {
    scope_name        = "read"
    scope_description = "Read orders"
  }

  scope {
    scope_name        = "write"
    scope_description = "Create and change orders"
  }

  scope {
    scope_name        = "export"
    scope_description = "Export all orders of a day"
  }

  scope {
    scope_name        = "orders/delete" # drift: cognito-limit at orders/delete, scope-unused at orders/delete
    scope_description = "Delete orders"
  }

  scope {
    scope_name        = "refund" # drift: scope-unused at refund
    scope_description = "Refund orders"
  }
}

resource "aws_cognito_resource_server" "stock" {
  user_pool_id = aws_cognito_user_pool.main.id
  identifier   = "https://api.${var.domain_name}/stock"
  name         = "Stock API"

  scope {
    scope_name        = "read"
    scope_description = "Read stock"
  }
}

resource "aws_ssm_parameter" "user_pool_arn" {
  name  = "/orders/${var.stage}/user-pool-arn"
  type  = "String"
  value = aws_cognito_user_pool.main.arn
}
