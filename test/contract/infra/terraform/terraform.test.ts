import t from 'tap'
import { readTemplate } from '../../../../src/contract/infra/index.ts'
import { describeFact, describeList, fixture, read } from '../../../support/templates.ts'

/** Reads the scopes of a client from an expression. */
async function scopes(expression: string, more = '') {
  const model = await read(
    't.tf',
    `resource "aws_cognito_resource_server" "s" {
  identifier = "orders"
  scope { scope_name = "a" }
  scope { scope_name = "b" }
}
resource "aws_cognito_resource_server" "many" {
  for_each = toset(["x"])
  identifier = each.key
}
resource "aws_cognito_user_pool_client" "c" {
  allowed_oauth_scopes = ${expression}
}
${more}
`,
  )
  const found = model.clients[0]?.scopes
  return [...(found?.items.map(({ value }) => value) ?? []), ...(found?.complete ? [] : ['…'])]
}

t.test('each fact of a module has its value and position', async (t) => {
  const model = await readTemplate(fixture('orders.tf'))
  t.equal(model.dialect, 'terraform')
  t.equal(describeFact(model.userPools[0]?.name), '12:10 orders-pool')
  t.equal(describeFact(model.domains[0]?.domain), '16:18 ? orders-<stage>')
  t.equal(describeFact(model.domains[0]?.userPool), '17:18 ? aws_cognito_user_pool.orders.id')
  const [server] = model.resourceServers
  t.strictSame(
    server?.scopes.map(({ name, description }) => [describeFact(name), describeFact(description)]),
    [
      ['25:25 read', '26:25 Read orders'],
      ['29:25 write', '30:25 Change orders'],
    ],
  )
  const [all, one] = model.clients
  t.strictSame(describeList(all?.scopes), ['41:42 orders/read', '41:42 orders/write'])
  t.equal(describeFact(all?.accessTokenValidity), '42:42 900')
  t.equal(all?.conditional, false)
  t.equal(one?.conditional, true)
  t.strictSame(describeList(one?.scopes), [
    '8:13 orders/read',
    '51:48 orders/write',
    '51:64 ?',
    '…',
  ])
  t.strictSame(one?.dependsOn, [
    ...['aws_cognito_user_pool.orders', 'aws_cognito_resource_server.orders'],
  ])
  t.equal(describeFact(model.parameters[0]?.value), '57:11 ? aws_cognito_user_pool.orders.arn')
  const [route] = model.routes
  t.equal(describeFact(route?.path), '79:26 /orders')
  t.equal(route?.authorizer, 'aws_api_gateway_authorizer.cognito')
  t.strictSame(describeList(route?.scopes), ['83:27 orders/read'])
  t.strictSame(model.dangling, [])
})

t.test('variable values override defaults', async (t) => {
  const model = await readTemplate([fixture('orders.tf')], { parameters: { stage: 'test' } })
  t.equal(describeFact(model.domains[0]?.domain), '16:18 orders-test')
})

t.test('expressions are resolved or unknown', async (t) => {
  const s = 'aws_cognito_resource_server.s'
  const cases: [string, (string | undefined)[]][] = [
    ['["x/a"]', ['x/a']],
    ['["x/\\u0061\\"$${q}"]', ['x/a"${q}']],
    [`${s}.scope_identifiers`, ['orders/a', 'orders/b']],
    [`[${s}.scope_identifiers[0]]`, [undefined, '…']],
    [`tolist(${s}.scope_identifiers)`, ['orders/a', 'orders/b']],
    [`["\${${s}.identifier}/a"]`, ['orders/a']],
    [`["\${${s}.user_pool_id}/a"]`, [undefined, '…']],
    [`[format("%s/%s%%", ${s}.identifier, "z")]`, ['orders/z%']],
    ['[format("%5s", "z")]', [undefined, '…']],
    ['[format("%s")]', [undefined, '…']],
    ['[format(var.none, "z")]', [undefined, '…']],
    [`formatlist("${'${'}${s}.identifier}/%s", ["a", "b"])`, ['orders/a', 'orders/b']],
    ['formatlist("%s/%s", ["a"], ["b"])', ['…']],
    ['concat(["x/a"], var.list)', ['x/a', 'l/a']],
    ['concat(["x/a"], var.none)', ['x/a', '…']],
    ['flatten([["x/a"], "x/b", var.list])', ['x/a', 'x/b', 'l/a']],
    ['flatten(var.none)', ['…']],
    [
      '[join("/", ["x", "a"]), join("/", var.none), join("/", [var.none])]',
      ['x/a', undefined, undefined, '…'],
    ],
    [
      '[lower("X/A"), upper("x/a"), tostring(5), lower(var.none)]',
      ['x/a', 'X/A', '5', undefined, '…'],
    ],
    [
      '[local.map.a, local.map["b"], local.list[1], local.map.c]',
      ['m/a', 'm/b', 'x/b', undefined, '…'],
    ],
    ['[for s in ["a"] : "x/${s}"]', ['…']],
    ['var.on ? ["x/a"] : []', ['…']],
    ['(["x/a"])', ['x/a']],
    ['aws_cognito_resource_server.many["x"].scope_identifiers', []],
    ['values(aws_cognito_resource_server.many)[*].identifier', ['…']],
    [
      '[data.aws_x.y.z, module.m.out, each.value, terraform.workspace]',
      [undefined, undefined, undefined, undefined, '…'],
    ],
    ['[data.aws_z.whole, data.aws_z.whole.id, module.z]', [undefined, undefined, undefined, '…']],
    ['concat(var.list...)', ['…']],
    ['["${~ "a" ~}/b", "%{ if true }a%{ endif }", ""]', [undefined, undefined, '', '…']],
    ['[<<-EOT\n    x/a\n  EOT\n]', [undefined, '…']],
    ['[" ", " ${local.map.a} ", "é ${1}"]', [' ', ' m/a ', 'é 1']],
    ['[null, "x/a"]', [undefined, 'x/a', '…']],
    ['[1, true, -1]', ['1', 'true', undefined, '…']],
  ]
  const more = `variable "list" { default = ["l/a"] }
variable "none" {}
variable "nothing" { default = null }
variable "on" { default = true }
data "aws_z" "whole" {}
module "z" { source = "./z" }
locals {
  map  = { a = "m/a", "b" : "m/b", (var.none) = "c" }
  list = ["x/a", "x/b"]
}`
  for (const [expression, expected] of cases) {
    t.strictSame(await scopes(expression, more), expected, expression)
  }
})

t.test('loops are incomplete, and undefined names are reported', async (t) => {
  const model = await read(
    't.tf',
    `resource "aws_cognito_resource_server" "s" {
  identifier = local.gone
  dynamic "scope" {
    for_each = var.gone
    content { scope_name = scope.value }
  }
}
output "o" { value = [aws_x_y.gone.id, aws_x_y.gone.id] }
module "m" { source = "./m" }
`,
  )
  t.equal(model.resourceServers[0]?.scopesComplete, false)
  t.equal(model.resourceServers[0]?.complete, false)
  t.equal(model.complete, false)
  t.strictSame(
    model.dangling.map(({ name, at }) => `${at.line}:${at.column} ${name}`),
    ['2:16 local.gone', '4:16 var.gone', '8:23 aws_x_y.gone', '8:40 aws_x_y.gone'],
  )
})

t.test('HTTP APIs: authorizer, routes, the default route', async (t) => {
  const model = await read(
    't.tf',
    `resource "aws_apigatewayv2_api" "a" { name = "a" }
resource "aws_apigatewayv2_authorizer" "j" {
  api_id = aws_apigatewayv2_api.a.id
  authorizer_type = "JWT"
  jwt_configuration { issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a" }
}
resource "aws_apigatewayv2_authorizer" "l" {
  api_id = aws_apigatewayv2_api.a.id
  authorizer_type = "REQUEST"
}
resource "aws_apigatewayv2_route" "g" {
  api_id = aws_apigatewayv2_api.a.id
  route_key = "get /orders"
  authorization_type = "JWT"
  authorizer_id = aws_apigatewayv2_authorizer.j.id
}
resource "aws_apigatewayv2_route" "d" {
  api_id = aws_apigatewayv2_api.a.id
  route_key = "$default"
}
resource "aws_apigatewayv2_route" "u" {
  route_key = var.key
  authorization_type = var.key
}
resource "aws_apigatewayv2_route" "i" { authorization_type = "AWS_IAM" }
variable "key" {}
`,
  )
  t.strictSame(
    model.authorizers.map(({ id, kind }) => [id, kind]),
    [['aws_apigatewayv2_authorizer.j', 'http']],
  )
  t.strictSame(
    model.routes.map(({ method, path, authorization }) => [
      method?.value,
      path?.value,
      authorization,
    ]),
    [
      ['GET', '/orders', 'cognito'],
      ['ANY', '/{proxy+}', 'none'],
      [undefined, undefined, undefined],
      [undefined, undefined, 'other'],
    ],
  )
})

t.test('for_each over a known map or set gives one client for each member', async (t) => {
  const client = (each: string, more = '') => `resource "aws_cognito_user_pool_client" "c" {
  for_each              = ${each}
  name                  = "api-${'$'}{each.key}"
  access_token_validity = each.value.hours
  allowed_oauth_scopes  = each.value.scopes
  ${more}
}
resource "aws_ssm_parameter" "p" {
  for_each = { x = { hours = 9 } }
  name     = "/p/${'$'}{each.key}"
  value    = each.value.hours
}
data "aws_ssm_parameter" "d" {
  for_each = { y = 1 }
  name     = "/d/${'$'}{each.key}"
}
locals {
  clients = {
    billing = { hours = 2, scopes = ["orders/read"] }
    shop    = { scopes = ["orders/read", "orders/write"] }
  }
}
variable "stages" {
  default = ["a", "b", "a"]
}
variable "given" {}
`
  const read_ = async (each: string, more?: string) => {
    const { clients } = await read('t.tf', client(each, more))
    return clients.map(({ id, conditional, name, scopes, accessTokenValidity }) => [
      ...[id.slice(id.indexOf('.') + 1), conditional, name?.value, accessTokenValidity?.value],
      describeList(scopes)?.join(' '),
    ])
  }
  t.strictSame(await read_('local.clients'), [
    ['c["billing"]', false, 'api-billing', 7200, '19:38 orders/read'],
    ['c["shop"]', false, 'api-shop', undefined, '20:27 orders/read 20:42 orders/write'],
  ])
  t.strictSame(await read_('toset(var.stages)'), [
    ['c["a"]', false, 'api-a', undefined, '…'],
    ['c["b"]', false, 'api-b', undefined, '…'],
  ])
  t.strictSame(await read_('{}'), [])
  const one = ['c', true, undefined, undefined, '…']
  t.strictSame(await read_('var.given'), [one])
  t.strictSame(await read_('toset([var.given, "a"])'), [one])
  t.strictSame(await read_('[{ a = 1 }]'), [one])
  t.strictSame(await read_('{ (var.given) = 1 }'), [one])
  t.strictSame(
    await read_(
      `toset([${'"a", '.repeat(3)}${Array.from({ length: 201 }, (_, i) => `"${i}"`).join()}])`,
    ),
    [one],
  )
  const [other] = (
    await read('t.tf', client('{ a = { scopes = [aws_ssm_parameter.p["x"].name] } }'))
  ).clients
  t.strictSame(
    describeList(other?.scopes),
    ['2:45 ? /p/<>', '…'],
    'each of another resource is another one',
  )
})
