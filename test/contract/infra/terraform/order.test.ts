/** The order of deployment in Terraform: references of any kind make a client wait for its resource server. */
import { dirname } from 'node:path'
import t from 'tap'
import { checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'
import { OrderGraph } from '../../../../src/contract/infra/resolve/order.ts'

const SERVER = `resource "aws_cognito_user_pool" "p" {}
resource "aws_cognito_user_pool_domain" "d" {
  user_pool_id = aws_cognito_user_pool.p.id
  domain       = "orders"
}
resource "aws_cognito_resource_server" "s" {
  user_pool_id = aws_cognito_user_pool.p.id
  identifier   = "orders"
  name         = "Orders"
  scope {
    scope_name        = "read"
    scope_description = "Read orders"
  }
}
`
const client = (more: string) => `resource "aws_cognito_user_pool_client" "c" {
  user_pool_id                         = aws_cognito_user_pool.p.id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = ["orders/read"]
  ${more}
}
`
const S = 'aws_cognito_resource_server.s'
const ORDER = ['scope-order']

/** Lists the codes of the findings in a module with the client, and in its local modules. */
async function check(more: string, blocks = '', modules: Readonly<Record<string, string>> = {}) {
  const files = { 'main.tf': `${SERVER}${client(more)}${blocks}`, ...modules }
  const list = (folder: string) =>
    Object.entries(files)
      .filter(([file]) => dirname(file) === folder)
      .map(([file, text]) => ({ file, text }))
  const model = await readTemplate(list('.'), { loadModule: list })
  return checkScopes(model).map(({ code }) => code)
}

t.test('references in expressions whose value does not depend on them', async (t) => {
  t.strictSame(await check(''), ORDER)
  for (const more of [
    `count = ${S}.id != "" ? 1 : 0`,
    `name = ${S}.id == "" ? "a" : "b"`,
    `name = !${S}.enabled ? "a" : "b"`,
    `name = -(${S}).size > 1 && true ? "a" : "b"`,
    `name = "%{if ${S}.id != ""}a%{endif}"`,
    `name = "%{for x in [${S}.id]}\${x}%{endfor}"`,
    `name = lookup({ a = "x" }, "a", ${S}.id)`,
    `name = coalesce("a", ${S}.id)`,
    `name = try("a", ${S}.id)`,
    `name = { a = "x" }[${S}.id]`,
    `name = ["x"][0 + ${S}.size]`,
    `tags = { (${S}.id) = "x" }`,
    `names = [for x in [] : ${S}.id]`,
    `names = [for x in ${S}.scope : x if true]`,
    `names = [{ a = ${S}.id }.a, ${S}.scope[*].scope_name]`,
    `depends_on = [${S}]`,
    `lifecycle {
    precondition {
      condition     = ${S}.id != ""
      error_message = "x"
    }
  }`,
  ])
    t.strictSame(await check(more), [], more)
  for (const more of [
    'name = "%{if true}a%{endif}"',
    'name = { a = "x" }["a"] == "x" ? "a" : "b"',
    'depends_on = [aws_cognito_user_pool.p]',
    'names = [for x in [{ id = 1 }] : x["id"] + x.id]',
    `lifecycle {
    ignore_changes = [${S}]
  }`,
  ])
    t.strictSame(await check(more), ORDER, more)
})

t.test('references through other blocks', async (t) => {
  const cases: [more: string, blocks: string][] = [
    ['name = local.a', `locals {\n  a = local.b\n  b = ${S}.id == "" ? "a" : "b"\n}\n`],
    ['depends_on = [local.a]', `locals { a = coalesce("a", ${S}.id) }\n`],
    ['depends_on = [time_sleep.w]', `resource "time_sleep" "w" { depends_on = [${S}] }\n`],
    [
      'name = data.x_y.d.id',
      `data "x_y" "d" {\n  depends_on = [time_sleep.w]\n}
resource "time_sleep" "w" { triggers = { a = ${S}.id } }\n`,
    ],
  ]
  for (const [more, blocks] of cases) {
    t.strictSame(await check(more, blocks), [], blocks)
    t.strictSame(await check('', blocks), ORDER, blocks)
  }
})

t.test('references through modules', async (t) => {
  const call = (more: string) => `module "m" {\n  source = "./m"\n  ${more}\n}\n`
  const output = (more: string) => `output "name" {\n  value = "x"\n  ${more}\n}\n`
  const wait = 'variable "wait" {}\n'
  const modules = (text: string) => ({ 'm/main.tf': text })
  const inner = `${wait}resource "time_sleep" "w" { triggers = { a = var.wait } }\n`
  const precondition =
    'precondition {\n    condition = var.wait != ""\n    error_message = "x"\n  }'
  const waiting: [call: string, module: string][] = [
    [`wait = ${S}.id`, `${inner}${output('depends_on = [time_sleep.w]')}`],
    [`wait = ${S}.id`, `${wait}${output(precondition)}`],
    [`depends_on = [${S}]`, output('')],
    [`for_each = { a = ${S}.id }`, output('')],
    [`for_each = { a = ${S}.id }`, `locals { a = 1 }\n${output('depends_on = [local.a]')}`],
    [
      `wait = ${S}.id`,
      `variable "wait" {\n  validation {\n    condition = var.wait != ""\n    error_message = "x"\n  }\n}\n${output('depends_on = [var.wait]')}`,
    ],
  ]
  for (const [more, text] of waiting) {
    t.strictSame(await check('name = module.m.name', call(more), modules(text)), [], more)
    t.strictSame(await check('name = module.m["a"].name', call(more), modules(text)), [], more)
    t.strictSame(await check('', call(more), modules(text)), ORDER, more)
  }
  const all = call(`wait = ${S}.id`)
  t.strictSame(await check('depends_on = [module.m]', all, modules(inner)), [])
  t.strictSame(await check('name = module.m.name', all, modules(`${wait}${output('')}`)), ORDER)
  const nested = {
    'm/main.tf': `${wait}module "n" {\n  source = "./n"\n  wait = var.wait\n}\n`,
    'm/n/main.tf': inner,
  }
  t.strictSame(await check('depends_on = [module.m]', all, nested), [])
  const remote = (more: string) =>
    `module "r" {\n  source = "x/y/z"\n  version = "1"\n  ${more}\n}\n`
  t.strictSame(await check('name = module.r.name', remote(`wait = ${S}.id`)), [])
  t.strictSame(await check('depends_on = [module.r]', remote(`wait = ${S}.id`)), [])
  t.strictSame(await check('name = module.r.name', remote(`depends_on = [${S}]`)), [])
  t.strictSame(await check('name = module.r.name', remote('wait = "x"')), ORDER)
})

t.test('references in the configuration of a provider', async (t) => {
  const provider = (more: string) => `provider "aws" {\n  alias = "other"\n  ${more}\n}\n`
  const waiting: [blocks: string, modules?: Record<string, string>][] = [
    [provider(`default_tags { tags = { Server = ${S}.id } }`)],
    [`${provider('region = local.region')}locals { region = ${S}.id != "" ? "a" : "b" }\n`],
    [
      `module "m" {\n  source = "./m"\n  wait = ${S}.id\n}\n`,
      { 'm/main.tf': `variable "wait" {}\n${provider('region = var.wait')}` },
    ],
    [provider('token = ephemeral.x_token.t.value')],
  ]
  for (const [blocks, modules] of waiting)
    t.strictSame(await check('', blocks, modules), [], blocks)
  const other = `${provider('region = var.region')}variable "region" {}\n`
  t.strictSame(await check('', other), ORDER)
})

t.test('a resource server of another module', async (t) => {
  const auth = `${SERVER}output "pool" { value = aws_cognito_user_pool.p.id }\n`
  const read = (more: string) => {
    const main = `module "auth" {\n  source   = "./auth"\n  for_each = toset(["a"])\n}\n${client(more)}`
    const text = main.replace('aws_cognito_user_pool.p.id', 'module.auth["a"].pool')
    return readTemplate(
      { file: 'main.tf', text },
      { loadModule: () => [{ file: 'auth/main.tf', text: auth }] },
    )
  }
  const codes = async (more: string) => checkScopes(await read(more)).map(({ code }) => code)
  t.strictSame(await codes(''), ORDER)
  t.strictSame(await codes('depends_on = [module.auth]'), [])
})

t.test('a graph with too many references orders everything', async (t) => {
  const at = { file: 'main.tf', line: 1, column: 1 }
  const resource = (id: string, type: string) => ({
    id,
    type,
    at,
    properties: new Map(),
    complete: true,
    dependsOn: [],
    conditional: false,
  })
  const resources = [
    resource('aws_cognito_resource_server.s["a"]', 'AWS::Cognito::UserPoolResourceServer'),
    resource('aws_cognito_resource_server.s["b"]', 'AWS::Cognito::UserPoolResourceServer'),
    resource('aws_x.a', 'aws_x'),
    resource('aws_x.b', 'aws_x'),
  ]
  const graph = new OrderGraph()
  graph.addBlock('', 'aws_x.a', ['aws_cognito_resource_server.s'])
  const servers = resources.slice(0, 2).map(({ id }) => id)
  const list = (maxSteps?: number) =>
    graph
      .addServers(resources, maxSteps)
      .map(({ dependsOn, mayAwaitAny }) => (mayAwaitAny === true ? 'any' : dependsOn))
  t.strictSame(list(), [[], [], servers, []])
  t.strictSame(list(3), [[], [], servers, []])
  t.strictSame(list(2), ['any', 'any', 'any', 'any'], 'too many resource servers')
  t.strictSame(list(0), ['any', 'any', 'any', 'any'], 'too many references')
})

/** Lists the codes of the findings in a plan whose configuration has these members. */
async function checkPlan(
  client: object,
  module: object = {},
  more: object = {},
  configuration: object = {},
) {
  const resource = (type: string, name: string, values: object) => ({
    address: `${type}.${name}`,
    mode: 'managed',
    type,
    name,
    values,
  })
  const pool = { user_pool_id: 'eu-west-1_AbCdEfGhI' }
  const resources = [
    resource('aws_cognito_resource_server', 's', {
      ...pool,
      identifier: 'orders',
      scope: [{ scope_name: 'read', scope_description: 'x' }],
    }),
    resource('aws_cognito_user_pool_client', 'c', {
      ...pool,
      generate_secret: true,
      allowed_oauth_flows_user_pool_client: true,
      allowed_oauth_flows: ['client_credentials'],
      allowed_oauth_scopes: ['orders/read'],
    }),
  ]
  const { resources: others = [], ...members } = module as { resources?: object[] }
  const text = JSON.stringify({
    format_version: '1.2',
    planned_values: { root_module: { resources } },
    configuration: {
      root_module: {
        resources: [
          { address: 'aws_cognito_resource_server.s' },
          { address: 'aws_cognito_user_pool_client.c', ...client },
          ...others,
        ],
        ...members,
      },
      ...configuration,
    },
    ...more,
  })
  return checkScopes(await readTemplate({ file: 'plan.json', text })).map(({ code }) => code)
}

const refer = (...references: string[]) => ({ expressions: { name: { references } } })

t.test('the configuration of a plan', async (t) => {
  t.strictSame(await checkPlan(refer('var.x')), ORDER)
  t.strictSame(await checkPlan({ count_expression: { references: [S] } }), [])
  t.strictSame(await checkPlan({ provisioners: [{ type: 'x', ...refer(S) }] }), [])
  const sleep = { resources: [{ address: 'time_sleep.w', depends_on: [S] }] }
  t.strictSame(await checkPlan(refer('time_sleep.w.id', 'time_sleep.w'), sleep), [])
  t.strictSame(await checkPlan(refer('var.x'), sleep), ORDER)
  const data = { resources: [{ address: 'data.x_y.d', ...refer(`${S}.id`, S) }] }
  t.strictSame(await checkPlan(refer('data.x_y.d[0].id', 'data.x_y.d'), data), [])
  const module = (call: object, output: object = {}, called: object = {}) => ({
    module_calls: { m: { ...call, module: { outputs: { name: output }, ...called } } },
  })
  const name = refer('module.m["a.b"].name', 'module.m["a.b"]', 'module.m')
  const wait = { expressions: { wait: { references: [S] } } }
  const value = { expression: { references: ['var.wait'] } }
  t.strictSame(await checkPlan(name, module(wait, value)), [])
  t.strictSame(await checkPlan(name, module(wait)), ORDER)
  t.strictSame(await checkPlan(name, module(wait, { depends_on: ['var.wait'] })), [])
  t.strictSame(await checkPlan(name, module({ for_each_expression: { references: [S] } })), [])
  t.strictSame(await checkPlan(name, module({ depends_on: [S] })), [])
  t.strictSame(
    await checkPlan(name, module({}, { expression: { references: ['local.x'] } })),
    [],
    'a plan has no local values',
  )
  const sleeping = { resources: [{ address: 'time_sleep.w', depends_on: ['var.wait'] }] }
  t.strictSame(await checkPlan({ depends_on: ['module.m'] }, module(wait, {}, sleeping)), [])
  t.strictSame(await checkPlan({ depends_on: ['module.m'] }, module({}, {}, sleeping)), ORDER)
})

t.test('the configuration of providers in a plan', async (t) => {
  const provider = (reference: string, more: object = {}) => ({
    provider_config: {
      aws: { name: 'aws', ...more, expressions: { region: { references: [reference] } } },
    },
  })
  const check = (config: object, module: object = {}) =>
    checkPlan(refer('var.x'), module, {}, config)
  t.strictSame(await check(provider(`${S}.id`)), [])
  t.strictSame(await check(provider('local.region')), [], 'a plan has no local values')
  t.strictSame(await check(provider('var.region')), ORDER)
  const module = { module_calls: { m: { expressions: { wait: { references: [S] } } } } }
  const called = provider('var.wait', { module_address: 'module.m["a"]' })
  t.strictSame(await check(called, module), [])
  t.strictSame(await check(called), ORDER)
  const token = { resources: [{ address: 'ephemeral.x_token.t', ...refer(S) }] }
  t.strictSame(await check(provider('ephemeral.x_token.t.value'), token), [])
  t.strictSame(await check(provider('ephemeral.x_token.t.value')), ORDER)
})

t.test('conditions in a plan, whose references are unknown', async (t) => {
  const checks = (kind: string, to_display: string) => ({
    checks: [{ address: { kind, to_display } }],
  })
  const own = checks('resource', 'aws_cognito_user_pool_client.c')
  t.strictSame(await checkPlan(refer('var.x'), {}, own), [])
  t.strictSame(await checkPlan(refer('var.x'), {}, checks('var', 'var.x')), ORDER)
  const module = { module_calls: { m: { module: { outputs: { name: {} } } } } }
  const output = checks('output_value', 'module.m.output.name')
  t.strictSame(await checkPlan(refer('module.m.name'), module, output), [])
  t.strictSame(await checkPlan(refer('var.x'), module, output), ORDER)
})

t.test('a configuration with more modules than Terraform creates', async (t) => {
  let module: object = { resources: [{ address: 'time_sleep.w', depends_on: ['var.wait'] }] }
  for (let depth = 0; depth < 60; depth += 1) module = { module_calls: { m: { module } } }
  t.strictSame(await checkPlan(refer('var.x'), module), ORDER)
})
