output "token_endpoint" {
  value = "https://${aws_cognito_user_pool_domain.main.domain}/oauth2/token"
}

output "client_ids" {
  value = { for name, client in aws_cognito_user_pool_client.machine : name => client.id }
}

output "url" {
  value = "${aws_api_gateway_stage.orders.invoke_url}/orders"
}
