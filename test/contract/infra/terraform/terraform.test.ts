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
    ['[for s in ["a", "b"] : "x/${s}"]', ['x/a', 'x/b']],
    ['[for k, s in local.map : "x/${k}-${s}"]', ['…']],
    ['[for k, s in local.objects : "${k}/${s.name}${s["name"]}"]', ['o/nn', 'p/mm']],
    ['[for i, s in ["a"] : "${i}/${s}"]', [undefined, '…']],
    ['[for s in var.none : "x/${s}"]', ['…']],
    ['[for s in ["a"] : "x/${s}" if s != "a"]', ['…']],
    ['[for s in ["a"] : [for s in var.none : "x/${s}"]][0]', ['…']],
    [
      'flatten([for o in ["x", "y"] : [for s in ["a", "b"] : "${o}/${s}"]])',
      ['x/a', 'x/b', 'y/a', 'y/b'],
    ],
    ['[for s in ["a"] : each.value]', [undefined, '…']],
    ['values({ for s in ["b", "a"] : s => "x/${s}" })', ['x/a', 'x/b']],
    ['keys({ for s in [var.none] : s => "x" })', ['…']],
    ['values({ for s in ["a"] : s => "x/${s}"... })', ['…']],
    ['keys({ b = 1, a = 2 })', ['a', 'b']],
    ['keys(var.none)', ['…']],
    ['values(local.map)', ['…']],
    ['[lookup(local.objects.o, "name"), lookup({ a = "x" }, "b", "d")]', ['n', 'd']],
    [
      '[lookup(local.map, "z", "d"), lookup(var.none, "a"), lookup(local.map, var.none)]',
      [undefined, undefined, undefined, '…'],
    ],
    ['values(merge({ a = "x/a" }, null, { a = "y/a", b = "y/b" }))', ['y/a', 'y/b']],
    ['values(merge({ a = "x/a" }, var.none))', ['…']],
    [
      '[try("x/a", "b"), try(var.none, "b"), coalesce("x/b", "c"), coalesce("", "c"), coalesce(), one(), coalesce(["x"], "c")]',
      ['x/a', undefined, 'x/b', undefined, undefined, undefined, undefined, '…'],
    ],
    [
      '[replace("x:a", ":", "/"), replace("x-a", "/-/", "/"), replace(var.none, "a", "b"), replace("a", "b"), replace("a", var.none, "b")]',
      ['x/a', undefined, undefined, undefined, undefined, '…'],
    ],
    ['[trimspace(" x/a "), tonumber("5"), tobool(true)]', ['x/a', '5', 'true']],
    ['tolist(tomap({}))', ['…']],
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
  objects = { o = { name = "n" }, p = { name = "m" } }
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

t.test('dynamic blocks over known lists and maps', async (t) => {
  const server = async (dynamic: string, more = '') => {
    const { resourceServers, clients, dangling } = await read(
      't.tf',
      `resource "aws_cognito_resource_server" "s" {
  identifier = "o"
  scope {
    scope_name        = "first"
    scope_description = "d"
  }
  dynamic "scope" {
${dynamic}
  }
  timeouts { create = "1m" }
}
resource "aws_cognito_user_pool_client" "c" {
  allowed_oauth_scopes = aws_cognito_resource_server.s.scope_identifiers
}
variable "given" {}
${more}`,
    )
    t.strictSame(dangling, [])
    const [found] = resourceServers
    return [
      ...(found?.scopes.map(({ name }) => name?.value) ?? []),
      ...(found?.scopesComplete ? [] : ['…']),
      ...(clients[0]?.scopes?.complete ? [clients[0].scopes.items.length] : []),
    ]
  }
  const content = (name: string) => `content {\n scope_name = ${name}\n scope_description = "d"\n }`
  t.strictSame(await server(`for_each = ["a", "b"]\n${content('scope.value')}`), [
    'first',
    'a',
    'b',
    3,
  ])
  t.strictSame(await server(`for_each = { a = 1, b = 2 }\niterator = it\n${content('it.key')}`), [
    'first',
    'a',
    'b',
    3,
  ])
  t.strictSame(
    await server(
      `for_each = local.list\n${content('lookup(scope.value, "name")')}`,
      'locals { list = [{ name = "l" }] }\n',
    ),
    ['first', 'l', 3 - 1],
  )
  t.strictSame(await server(`for_each = []\n${content('scope.value')}`), ['first', 1])
  t.strictSame(await server(`for_each = ["a"]\n${content('scope.key')}`), ['first', undefined])
  const unknown = ['first', undefined, '…']
  t.strictSame(await server(`for_each = var.given\n${content('scope.value')}`), unknown)
  t.strictSame(await server(`for_each = { (var.given) = 1 }\n${content('scope.key')}`), unknown)
  t.strictSame(await server('for_each = ["a"]'), unknown)
  t.strictSame(await server(content('"a"')), unknown)
  const many = Array.from({ length: 201 }, (_, i) => `"${i}"`).join()
  t.strictSame(await server(`for_each = [${many}]\n${content('scope.value')}`), unknown)
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
    ['2:45 /p/x'],
    'each of another resource is another one',
  )
})

t.test('the references of a dynamic block are dependencies', async (t) => {
  const { clients } = await read(
    't.tf',
    `resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_user_pool_client" "c" {
  dynamic "analytics_configuration" {
    for_each = [aws_cognito_user_pool.p.arn]
    content { application_arn = analytics_configuration.value }
  }
}
`,
  )
  t.strictSame(clients[0]?.dependsOn, ['aws_cognito_user_pool.p'])
})

t.test('each instance of a resource server is referenced by its key', async (t) => {
  const text = (grant: string) => `locals {
  apis = {
    orders = ["read"]
    "a.b"  = ["x", "y"]
  }
}
resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_resource_server" "s" {
  for_each     = local.apis
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = each.key
  name         = "API \${each.key}"
  dynamic "scope" {
    for_each = each.value
    content {
      scope_name        = scope.value
      scope_description = "\${each.key} \${scope.value}"
    }
  }
}
resource "aws_cognito_user_pool_client" "c" {
  for_each             = local.apis
  allowed_oauth_scopes = ${grant}
}
variable "given" {}
`
  const server = (key: string) => `aws_cognito_resource_server.s["${key}"]`
  const clients = async (grant: string) => {
    const model = await read('t.tf', text(grant))
    t.strictSame(
      model.resourceServers.map(({ id, identifier, scopes, conditional }) => [
        id,
        identifier?.value,
        conditional,
        scopes.map(({ name, description }) => `${name?.value}: ${description?.value}`).join(),
      ]),
      [
        [server('orders'), 'orders', false, 'read: orders read'],
        [server('a.b'), 'a.b', false, 'x: a.b x,y: a.b y'],
      ],
    )
    return model.clients.map(({ scopes, dependsOn }) => [
      scopes?.items.map(({ value }) => value),
      scopes?.complete,
      dependsOn,
    ])
  }
  // Terraform creates every instance of a block before what refers to one of them.
  const all = [server('orders'), server('a.b')]
  t.strictSame(await clients('aws_cognito_resource_server.s[each.key].scope_identifiers'), [
    [['orders/read'], true, all],
    [['a.b/x', 'a.b/y'], true, [...all].reverse()],
  ])
  const fixed = [['orders/read'], true, all]
  t.strictSame(await clients('["${aws_cognito_resource_server.s["orders"].identifier}/read"]'), [
    fixed,
    fixed,
  ])
  const unknown = [[undefined], false, all]
  for (const key of ['["gone"]', '[var.given]', '[0]', '[*]', ''])
    t.strictSame(
      await clients(`[aws_cognito_resource_server.s${key}.identifier]`),
      [unknown, unknown],
      key,
    )
  t.strictSame(await clients('["x"]\n  depends_on = [aws_cognito_resource_server.s]'), [
    [['x'], true, all],
    [['x'], true, all],
  ])
  await t.rejects(
    read('t.tf', 'resource "aws_cognito_user_pool" "p" { for_each = aws_cognito_user_pool.p }'),
    {
      message:
        /^t\.tf:1:1: expected references of aws_cognito_user_pool\.p that end at a value, got a cycle/,
    },
  )
})
