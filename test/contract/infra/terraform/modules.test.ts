import { dirname } from 'node:path'
import t from 'tap'
import {
  checkScopes,
  type InfraModel,
  type ReadTemplateOptions,
  readTemplate,
} from '../../../../src/contract/infra/index.ts'
import { describeFact, describeList } from '../../../support/templates.ts'

type Files = Readonly<Record<string, string>>

const inFolder = (files: Files, folder: string) =>
  Object.entries(files)
    .filter(([file]) => dirname(file) === folder)
    .map(([file, text]) => ({ file, text }))

/** Reads the files of the folder `.`, and of the modules that they call. */
const readModule = (files: Files, options: ReadTemplateOptions = {}): Promise<InfraModel> =>
  readTemplate(inFolder(files, '.'), {
    loadModule: (folder) => inFolder(files, folder),
    ...options,
  })

const AUTH = `variable "identifier" { type = string }
variable "scopes" { type = map(string) }
variable "prefix" { default = "x" }
variable "domain" { default = null }
resource "aws_cognito_user_pool" "this" { name = "\${var.prefix}-pool" }
resource "aws_cognito_user_pool_domain" "this" {
  user_pool_id = aws_cognito_user_pool.this.id
  domain       = var.domain
}
resource "aws_cognito_resource_server" "this" {
  user_pool_id = aws_cognito_user_pool.this.id
  identifier   = var.identifier
  name         = var.identifier
  dynamic "scope" {
    for_each = var.scopes
    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}
output "pool_id" { value = aws_cognito_user_pool.this.id }
output "scopes" { value = aws_cognito_resource_server.this.scope_identifiers }
output "identifier" { value = aws_cognito_resource_server.this.identifier }
`
const CLIENT = `variable "name" {}
variable "pool" {}
variable "scopes" {}
resource "aws_cognito_user_pool_client" "this" {
  name                                 = var.name
  user_pool_id                         = var.pool
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = var.scopes
}
`
const MAIN = `module "auth" {
  source     = "./modules/auth"
  identifier = "orders"
  scopes = {
    read  = "Read orders"
    write = "Change orders"
  }
}
module "client" {
  source   = "./modules/client"
  for_each = {
    billing = ["\${module.auth.identifier}/read"]
    shop    = module.auth.scopes
  }
  name   = each.key
  pool   = module.auth.pool_id
  scopes = each.value
}
`
const FILES = { 'main.tf': MAIN, 'modules/auth/main.tf': AUTH, 'modules/client/main.tf': CLIENT }

t.test('module calls pass variables in and outputs out', async (t) => {
  const model = await readModule(FILES)
  t.equal(model.complete, true)
  t.strictSame(model.dangling, [])
  t.strictSame(model.files, ['main.tf', 'modules/auth/main.tf', 'modules/client/main.tf'])
  t.equal(model.userPools[0]?.id, 'module.auth.aws_cognito_user_pool.this')
  t.equal(describeFact(model.userPools[0]?.name), '5:50 x-pool')
  t.equal(model.domains[0]?.domain, undefined, 'null as the default of a variable is no value')
  const [server] = model.resourceServers
  t.equal(server?.id, 'module.auth.aws_cognito_resource_server.this')
  t.equal(describeFact(server?.identifier), '12:18 orders')
  t.strictSame(
    server?.scopes.map(({ at, name, description }) => [
      `${at.file}:${at.line}:${at.column}`,
      describeFact(name),
      describeFact(description),
    ]),
    [
      ['main.tf:5:13', '5:13 read', '5:13 Read orders'],
      ['main.tf:6:13', '6:13 write', '6:13 Change orders'],
    ],
    'the position of a generated scope is that of its value',
  )
  t.strictSame([server?.complete, server?.scopesComplete], [true, true])
  const [billing, shop, ...others] = model.clients
  t.strictSame(others, [])
  t.equal(billing?.id, 'module.client["billing"].aws_cognito_user_pool_client.this')
  t.equal(billing?.conditional, false)
  t.equal(describeFact(billing?.userPool), '6:42 ? module.auth.aws_cognito_user_pool.this.id')
  t.strictSame(describeList(billing?.scopes), ['12:16 orders/read'])
  t.strictSame(billing?.dependsOn, [
    'module.auth.aws_cognito_user_pool.this',
    'module.auth.aws_cognito_resource_server.this',
  ])
  t.equal(shop?.name?.value, 'shop')
  t.strictSame(
    shop?.scopes?.items.map(({ value }) => value),
    ['orders/read', 'orders/write'],
  )
  t.strictSame(checkScopes(model), [])
})

t.test('a mistake in an argument of a module is found at the argument', async (t) => {
  const files = { ...FILES, 'main.tf': MAIN.replace('.identifier}/read', '.identifier}/raed') }
  const findings = checkScopes(await readModule(files))
  t.match(findings, [{ file: 'main.tf', line: 12, code: 'grant-undefined' }])
})

t.test('comments in modules and variable files suppress findings', async (t) => {
  const comment = '# cognito-m2m-ignore grant-undefined: defined by another team'
  const client = CLIENT.replace('= var.scopes', '= ["orders/raed"]')
  const files = { ...FILES, 'modules/client/main.tf': client }
  t.match(checkScopes(await readModule(files)), [
    { code: 'scope-unused' },
    {},
    { code: 'grant-undefined' },
  ])
  const ignored = client.replace('  allowed_oauth_scopes', `  ${comment}\n  allowed_oauth_scopes`)
  const findings = checkScopes(await readModule({ ...files, 'modules/client/main.tf': ignored }))
  t.strictSame(new Set(findings.map(({ code }) => code)), new Set(['scope-unused']))
  const variable = { file: 'a.tfvars', text: `${comment}\nscopes = ["orders/raed"]\n` }
  const given = {
    ...FILES,
    'main.tf': `variable "scopes" {}\n${MAIN.replace('= each.value', '= var.scopes')}`,
  }
  const model = await readModule(given, { variables: [variable] })
  t.ok(model.files.includes('a.tfvars'))
  t.notMatch(
    checkScopes(model).map(({ code }) => code),
    ['grant-undefined'],
  )
})

t.test('modules and resources without instances', async (t) => {
  const call = (repeat: string, name: string) => ({
    'main.tf': `variable "zero" { default = 0 }
module "off" {
  source = "./off"
  scope  = aws_cognito_resource_server.s.identifier
  ${repeat}
}
resource "aws_cognito_resource_server" "s" { identifier = "o" }
resource "aws_cognito_user_pool_client" "c" {
  name = ${name}
}
resource "aws_cognito_user_pool_client" "d" {
  count                = var.zero
  allowed_oauth_scopes = [var.missing]
}
`,
    'off/main.tf': `variable "scope" {}
resource "aws_cognito_user_pool_client" "off" { name = "off" }
output "name" { value = var.scope }
`,
  })
  for (const repeat of ['count = 0', 'count = var.zero', 'for_each = {}', 'for_each = toset([])']) {
    for (const name of ['module.off[0].name', 'one(module.off[*].name)', 'module.off["a"].name']) {
      const { clients, dangling } = await readModule(call(repeat, name))
      t.strictSame(
        clients.map((one) => [one.id, one.name?.value, one.dependsOn]),
        [['aws_cognito_user_pool_client.c', undefined, ['aws_cognito_resource_server.s']]],
        `${repeat} ${name}`,
      )
      t.strictSame(dangling, [])
    }
  }
  for (const count of ['count = 1', 'count = var.given', 'count = "x"']) {
    const { clients } = await readModule(call(count, '"c"'))
    t.equal(clients.length, 2, count)
  }
})

t.test('a module under count, or with unknown keys, is one conditional instance', async (t) => {
  const call = (repeat: string, more = '') => ({
    'modules/client/main.tf': CLIENT,
    'main.tf': `variable "given" {}
module "client" {
  source = "./modules/client"
  ${repeat}
  name   = "a"
  pool   = "eu-west-1_a"
  scopes = ["x/a"]
}
${more}`,
  })
  for (const repeat of ['count = 2', 'for_each = var.given', 'for_each = toset([var.given])']) {
    const { clients } = await readModule(call(repeat))
    t.strictSame(
      clients.map(({ id, conditional }) => [id, conditional]),
      [['module.client.aws_cognito_user_pool_client.this', true]],
      repeat,
    )
  }
  t.strictSame((await readModule(call('for_each = {}'))).clients, [])
})

t.test('references to outputs of repeated modules', async (t) => {
  const child = `variable "name" {}
resource "aws_cognito_resource_server" "s" { identifier = var.name }
output "id" { value = var.name }
output "whole" { value = { list = [var.name] } }
`
  const client = (expression: string) => ({
    'm/main.tf': child,
    'main.tf': `module "keyed" {
  source   = "./m"
  for_each = toset(["a", "b"])
  name     = each.key
}
module "counted" {
  source = "./m"
  count  = 2
  name   = "c"
}
module "one" {
  source = "./m"
  name   = "o"
}
module "remote" { source = "terraform-aws-modules/x/aws" }
variable "given" {}
resource "aws_cognito_user_pool_client" "c" { allowed_oauth_scopes = [${expression}] }
`,
  })
  const cases: [string, string][] = [
    ['module.keyed["a"].id', 'a'],
    ['module.keyed["z"].id', '? module.keyed'],
    ['module.keyed[var.given].id', '? module.keyed'],
    ['values(module.keyed)[0].id', '?'],
    ['module.counted[0].id', 'c'],
    ['module.counted[*].id', '? module.counted'],
    ['module.one.id', 'o'],
    ['module.one.whole.list[0]', 'o'],
    ['module.one.gone', '?'],
    ['module.one', '? module.one'],
    ['module.remote.id', '? module.remote.id'],
  ]
  for (const [expression, expected] of cases) {
    const model = await readModule(client(expression))
    const [fact] = model.clients[0]?.scopes?.items ?? []
    t.equal(describeFact(fact)?.replace(/^\S+ |^\d+:\d+ /, ''), expected, expression)
    t.equal(model.complete, false)
    const dangling = expression.endsWith('gone') ? ['module.one.gone'] : []
    t.strictSame(
      model.dangling.map(({ name }) => name),
      dangling,
      expression,
    )
  }
})

t.test('depends_on a module is depends_on each of its resources', async (t) => {
  const files = {
    'main.tf': `module "servers" { source = "./servers" }
module "client" {
  source     = "./client"
  depends_on = [module.servers]
}
resource "aws_cognito_user_pool_client" "c" { depends_on = [module.servers] }
`,
    'servers/main.tf': 'module "inner" { source = "../inner" }',
    'inner/main.tf': 'resource "aws_cognito_resource_server" "s" { identifier = "o" }',
    'client/main.tf': 'module "inner" { source = "./inner" }',
    'client/inner/main.tf': 'resource "aws_cognito_user_pool_client" "c" {}',
  }
  const { clients } = await readModule(files)
  const server = 'module.servers.module.inner.aws_cognito_resource_server.s'
  t.strictSame(
    clients.map(({ id, dependsOn }) => [id, dependsOn]),
    [
      ['aws_cognito_user_pool_client.c', [server]],
      ['module.client.module.inner.aws_cognito_user_pool_client.c', [server]],
    ],
  )
})

t.test('values of variables inside of a module', async (t) => {
  const child = `variable "strict" {
  default  = "d"
  nullable = false
}
variable "loose" { default = "d" }
variable "required" {}
variable "secret" {
  default   = "d"
  sensitive = true
}
resource "aws_cognito_user_pool_client" "c" {
  name = var.strict
  allowed_oauth_scopes = [var.loose, var.required, var.secret, var.gone]
}
`
  const main = 'module "m" {\n  source = "./m"\n  strict = null\n  loose = null\n}\n'
  const model = await readModule({ 'main.tf': main, 'm/main.tf': child })
  t.equal(describeFact(model.clients[0]?.name), '12:10 d')
  t.strictSame(describeList(model.clients[0]?.scopes), [
    ...['13:27 ?', '13:38 ?', '13:52 ?', '13:64 ?', '…'],
  ])
  t.strictSame(model.dangling, [
    { at: { file: 'm/main.tf', line: 13, column: 64 }, name: 'var.gone' },
  ])
})

t.test('modules that cannot be read stay unknown', async (t) => {
  const files = { 'main.tf': MAIN }
  for (const options of [{}, { loadModule: () => undefined }, { loadModule: async () => [] }]) {
    const model = await readModule(files, options)
    t.equal(model.complete, false)
    t.strictSame([model.clients, model.resourceServers, model.dangling], [[], [], []])
  }
  const { complete } = await readTemplate({ file: 'main.tf', text: MAIN })
  t.equal(complete, false)
})

t.test('a folder is read once, and its path is relative to the call', async (t) => {
  const asked: string[] = []
  const server = 'resource "aws_cognito_resource_server" "s" { identifier = "o" }'
  const main = `module "a" { source = "../shared/" }
module "b" { source = "../shared" }
module "c" { source = "git::https://example.com/x.git" }
module "d" {}
module "e" { source = "\${var.x}/a" }
variable "x" {}
`
  const { resourceServers } = await readTemplate(
    { file: 'infra/prod/main.tf', text: main },
    {
      loadModule: async (folder) => {
        asked.push(folder)
        return [{ file: `${folder}/main.tf`, text: server }]
      },
    },
  )
  t.strictSame(asked, ['infra/shared'])
  t.strictSame(
    resourceServers.map(({ id, at }) => [id, at.file]),
    [
      ['module.a.aws_cognito_resource_server.s', 'infra/shared/main.tf'],
      ['module.b.aws_cognito_resource_server.s', 'infra/shared/main.tf'],
    ],
  )
})

t.test('OpenTofu: .tofu files, which replace .tf files of the same name', async (t) => {
  const server = (name: string) =>
    `resource "aws_cognito_resource_server" "${name}" { identifier = "${name}" }`
  const { resourceServers, dialect } = await readTemplate([
    { file: 'a.tf', text: server('ignored') },
    { file: 'a.tofu', text: server('a') },
    { file: 'b.tf.json', text: '{ "resource": 1 }' },
    { file: 'b.tofu.json', text: '{ "locals": { "b": 1 } }' },
    { file: 'c.tf', text: server('c') },
  ])
  t.equal(dialect, 'terraform')
  t.strictSame(
    resourceServers.map(({ identifier }) => identifier?.value),
    ['a', 'c'],
  )
})

t.test('override files change blocks of other files', async (t) => {
  const main = `locals { a = "main" }
resource "aws_cognito_resource_server" "s" {
  identifier = local.a
  name       = "main"
  scope { scope_name = "main" }
  timeouts {}
}
`
  const override = `locals { a = "override" }
resource "aws_cognito_resource_server" "s" {
  name = "override"
  dynamic "scope" {
    for_each = ["override"]
    content { scope_name = scope.value }
  }
}
resource "aws_cognito_resource_server" "new" { identifier = "new" }
`
  const { resourceServers } = await readModule({
    'aaa_override.tf': override,
    'main.tf': main,
    'override.tf.json': JSON.stringify({
      resource: { aws_cognito_resource_server: { s: { name: 'last' } } },
    }),
  })
  t.strictSame(
    resourceServers.map(({ identifier, name, scopes }) => [
      identifier?.value,
      name?.value,
      scopes.map((scope) => scope.name?.value),
    ]),
    [
      ['override', 'last', ['override']],
      ['new', undefined, []],
    ],
  )
})

t.test('modules that never end, or are too many, are an error at a call', async (t) => {
  const call = (folder: string, more = '') => `module "m" {\n  source = "${folder}"\n${more}}\n`
  await t.rejects(readModule({ 'main.tf': call('./m'), 'm/main.tf': call('../m') }), {
    message:
      'm/main.tf:1:1: expected modules that do not call each other in a cycle, got a cycle. Remove one call.',
  })
  await t.rejects(readModule({ 'main.tf': call('./m'), 'm/main.tf': call('../') }), {
    message: /^m\/main\.tf:1:1: expected modules that do not call each other in a cycle/,
  })
  const nested = (length: number): Files =>
    Object.fromEntries([
      ['main.tf', call('./m1')],
      ...Array.from({ length }, (_, i) => [
        `m${i + 1}/main.tf`,
        i + 1 === length ? '' : call(`../m${i + 2}`),
      ]),
    ])
  await t.resolves(readModule(nested(20)))
  await t.rejects(readModule(nested(21)), {
    message: /^m20\/main\.tf:1:1: expected at most 20 nested module calls, got more\./,
  })
  const many = Array.from({ length: 501 }, (_, i) => `module "m${i}" { source = "./m${i}" }`)
  await t.rejects(readModule({ 'main.tf': many.join('\n') }), {
    message: /^main\.tf:501:1: expected at most 500 local modules, got more\./,
  })
  const twice = (folder: string) =>
    ['a', 'b', 'c', 'd'].map((name) => `module "${name}" { source = "${folder}" }`).join('\n')
  const doubling = Object.fromEntries([
    ['main.tf', twice('./m1')],
    ...Array.from({ length: 6 }, (_, i) => [
      `m${i + 1}/main.tf`,
      i === 5 ? '' : twice(`../m${i + 2}`),
    ]),
  ])
  await t.rejects(readModule(doubling), {
    message: /^m\d\/main\.tf:\d:1: expected at most 1000 module instances, got more\./,
  })
})

t.test('modules that need each other are no cycle, unless one value does', async (t) => {
  const child = `variable "in" { default = "x" }
output "in" { value = var.in }
output "fixed" { value = "f" }
resource "aws_cognito_resource_server" "s" { identifier = var.in }
`
  const main = (a: string, b: string) => `module "a" {
  source = "./m"
  in     = ${a}
}
module "b" {
  source = "./m"
  in     = ${b}
}
`
  const good = await readModule({
    'main.tf': main('module.b.fixed', 'module.a.in'),
    'm/m.tf': child,
  })
  t.strictSame(
    good.resourceServers.map(({ identifier }) => identifier?.value),
    ['f', 'f'],
  )
  await t.rejects(readModule({ 'main.tf': main('module.b.in', 'module.a.in'), 'm/m.tf': child }), {
    message: /^.+:\d+:\d+: expected references of .+ that end at a value, got a cycle\./,
  })
  const each = `module "a" {
  source   = "./m"
  for_each = module.a
}
`
  await t.rejects(readModule({ 'main.tf': each, 'm/m.tf': child }), {
    message: /^main\.tf:1:1: expected references of module\.a that end at a value, got a cycle\./,
  })
})

t.test('an invalid result of loadModule', async (t) => {
  const source = { file: 'main.tf', text: MAIN }
  const rejects = (loadModule: unknown, message: string) =>
    t.rejects(readTemplate(source, { loadModule } as ReadTemplateOptions), {
      code: 'ERR_OPTION_INVALID',
      message,
    })
  await rejects(
    'm',
    'cognito-m2m: loadModule: expected a function, got "m". Pass a function that returns files.',
  )
  await rejects(
    () => 'm',
    'cognito-m2m: loadModule(): expected an array of files or undefined, got "m". Return the files.',
  )
  await rejects(
    () => [{ file: 'a.tf' }],
    'cognito-m2m: loadModule().text: expected the text of the file, got undefined. Pass a string.',
  )
  await t.rejects(readModule({ 'main.tf': MAIN, 'modules/auth/main.tf': 'x {' }), {
    code: 'ERR_TEMPLATE_INVALID',
    message: /^modules\/auth\/main\.tf:1:\d+: expected valid HCL/,
  })
})
