/** Resource servers with one identifier that are in different pools, or never deployed together. */
import t from 'tap'
import { checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

const REPEATED = 'error identifier-repeated'

async function check(files: Readonly<Record<string, string>>): Promise<string[]> {
  const models = await Promise.all(Object.entries(files).map(([file, text]) => read(file, text)))
  return checkScopes(models)
    .filter(({ severity }) => severity === 'error')
    .map(({ severity, code, resource }) => `${severity} ${code} ${resource}`)
}

const server = (name: string, pool: string, more = '') => `
resource "aws_cognito_resource_server" "${name}" {
  ${more}
  user_pool_id = ${pool}
  identifier   = "orders"
  name         = "orders"
}`

const module = async (
  text: string,
  modules: Readonly<Record<string, string>> = {},
): Promise<string[]> => {
  const loadModule = (folder: string) => {
    const found = modules[folder]
    return found === undefined ? [] : [{ file: `${folder}/main.tf`, text: found }]
  }
  const model = await readTemplate({ file: 'main.tf', text }, { loadModule })
  return checkScopes(model)
    .filter(({ severity }) => severity === 'error')
    .map(({ severity, code, resource }) => `${severity} ${code} ${resource}`)
}

t.test('instances of Terraform resources in several pools', async (t) => {
  const pools = (repetition: string) => `resource "aws_cognito_user_pool" "p" {
  ${repetition}
  name = "p"
}`
  const keys = 'for_each = toset(["a", "b"])'
  const id = (index: string) => `aws_cognito_user_pool.p[${index}].id`
  for (const text of [
    `${pools(keys)}${server('s', id('each.key'), keys)}`,
    `${pools('count = 2')}${server('s', id('0'))}${server('t', id('1'))}`,
    `${pools('count = 2')}${server('s', id('count.index'), 'count = 2')}`,
    `${pools('count = 2')}${server('s', id('each.value'), 'for_each = { a = 0, b = 1 }')}`,
    `${pools(keys)}${server('s', id('var.first'))}${server('t', id('var.second'))}
variable "first" {}
variable "second" {}`,
    `${server('s', 'var.pools[each.key]', keys)}
variable "pools" {}`,
    `${server('s', 'data.aws_cognito_user_pool.p[local.pools[each.key]].id', keys)}
data "aws_cognito_user_pool" "p" {
  for_each     = var.pools
  user_pool_id = each.value
}
variable "pools" {}
locals { pools = var.pools }`,
    `${server('s', 'module.auth[local.pools[each.key]].pool_id', keys)}
module "auth" {
  source   = "registry/auth/aws"
  for_each = var.pools
}
variable "pools" {}
locals { pools = var.pools }`,
  ])
    t.strictSame(await module(text), [], text)
  const text = `${pools('')}${server('s', 'aws_cognito_user_pool.p.id', keys)}`
  t.strictSame(await module(text), [`${REPEATED} aws_cognito_resource_server.s["b"]`])
})

t.test('a module that is called twice', async (t) => {
  const called = `variable "pool_id" {}${server('s', 'var.pool_id')}`
  const owner = `resource "aws_cognito_user_pool" "p" {}${server('s', 'aws_cognito_user_pool.p.id')}`
  const calls = (first: string, second: string, more = '') => `
module "a" {
  source  = "./api"
  pool_id = ${first}
}
module "b" {
  source  = "./api"
  pool_id = ${second}
}
${more}`
  const pools = `resource "aws_cognito_user_pool" "a" {}
resource "aws_cognito_user_pool" "b" {}
variable "a" {}`
  const [a, b] = ['aws_cognito_user_pool.a.id', 'aws_cognito_user_pool.b.id']
  for (const [first, second] of [
    [a, b],
    [a, 'var.a'],
    [a, `var.a == "" ? ${b} : var.a`],
    [a, `var.a == "" ? ${a} : var.a`],
    [a, `coalesce(var.a, ${a})`],
    [`try(var.a, ${a})`, a],
  ] as const)
    t.strictSame(await module(calls(first, second, pools), { api: called }), [], second)
  t.strictSame(await module(calls(a, a, pools), { api: called }), [
    `${REPEATED} module.b.aws_cognito_resource_server.s`,
  ])
  t.strictSame(
    await module(
      calls(`join("", [${a}])`, `element(split("/", aws_cognito_user_pool.a.arn), 1)`, pools),
      {
        api: called,
      },
    ),
    [`${REPEATED} module.b.aws_cognito_resource_server.s`],
    'functions of one pool',
  )
  t.strictSame(
    await module(calls(a, `try(aws_cognito_user_pool.a.id, "eu-west-1_AbCdEfGhI")`, pools), {
      api: called,
    }),
    [],
    'a literal id is another pool',
  )
  t.strictSame(
    await module('module "a" { source = "./api" }\nmodule "b" { source = "./api" }', {
      api: owner,
    }),
    [],
  )
})

t.test('providers of other accounts and Regions', async (t) => {
  const data = (more: string) => `data "aws_ssm_parameter" "pool" {
  name = "/auth/pool-id"
  ${more}
}`
  const called = `${data('')}${server('s', 'data.aws_ssm_parameter.pool.value')}`
  const calls = (providers: string) => `
module "a" {
  source = "./api"
}
module "b" {
  source = "./api"
  ${providers}
}`
  t.strictSame(await module(calls('providers = { aws = aws.us }'), { api: called }), [])
  t.strictSame(await module(calls(''), { api: called }), [
    `${REPEATED} module.b.aws_cognito_resource_server.s`,
  ])
  const own = `${server('s', 'data.aws_ssm_parameter.pool.value')}${server('t', 'data.aws_ssm_parameter.us.value')}`
  const other = data('provider = aws.us').replace('"pool"', '"us"')
  t.strictSame(await module(`${own}\n${data('')}\n${other}`), [])
})

const resource = (id: string, pool: string, more = '') =>
  `  ${id}: { Type: AWS::Cognito::UserPoolResourceServer, ${more}Properties: { UserPoolId: ${pool}, Identifier: orders, Name: orders } }\n`
const POOL = '  Pool: { Type: AWS::Cognito::UserPool }\n'
const yaml = (
  ...resources: string[]
) => `Conditions: { A: !Equals [!Ref AWS::Region, a], B: !Not [{ Condition: A }] }
Parameters: { PoolId: { Type: String, Default: '' } }
Resources:
${resources.join('')}`
const exported = `${yaml(POOL)}Outputs: { Id: { Value: !Ref Pool, Export: { Name: pool-id } } }\n`

t.test('templates for two stages', async (t) => {
  const service = yaml(resource('Server', '!ImportValue pool-id'))
  t.strictSame(
    await check({ 'auth.yaml': exported, 'dev.yaml': service, 'prod.yaml': service }),
    [],
  )
  const own = yaml(POOL, resource('Server', '!Ref Pool'))
  t.strictSame(await check({ 'dev.yaml': own, 'prod.yaml': own }), [])
  for (const pool of ['!Ref PoolId', "'{{resolve:ssm:/auth/pool-id}}'", 'eu-west-1_AbCdEfGhI']) {
    const text = yaml(resource('Server', pool))
    t.strictSame(await check({ 'dev.yaml': text, 'prod.yaml': text }), [], pool)
  }
  const auth = exported.replace(POOL, `${POOL}${resource('Server', '!Ref Pool')}`)
  for (const files of [
    { 'auth.yaml': auth, 'api.yaml': service },
    { 'api.yaml': service, 'auth.yaml': auth },
  ])
    t.strictSame(await check(files), [`${REPEATED} Server`], 'the template with the pool')
})

t.test('conditions that select one of two pools', async (t) => {
  const choice = '!If [A, !Ref Pool, !Ref PoolId]'
  for (const second of [
    resource('Second', choice),
    resource('Second', '!Ref Pool', 'Condition: A, '),
    resource('Second', '!If [A, !Ref Pool, eu-west-1_AbCdEfGhI]'),
  ])
    t.strictSame(await check({ 'a.yaml': yaml(POOL, resource('Server', '!Ref Pool'), second) }), [])
  const conditional = POOL.replace('Type:', 'Condition: A, Type:')
  const both = [
    resource('Server', '!Ref Pool', 'Condition: A, '),
    resource('Second', '!Ref Pool', 'Condition: A, '),
  ]
  t.strictSame(await check({ 'a.yaml': yaml(conditional, ...both) }), [])
})

t.test('a client of a pool that may be an existing one', async (t) => {
  const choice = '!If [A, !Ref Pool, !Ref PoolId]'
  const client = (scope: string) =>
    `  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: ${choice}, AllowedOAuthFlows: [client_credentials], AllowedOAuthFlowsUserPoolClient: true, GenerateSecret: true, AllowedOAuthScopes: [${scope}] } }\n`
  t.strictSame(
    await check({ 'a.yaml': yaml(POOL, client('billing/read'), resource('Server', choice)) }),
    [],
    'the existing pool may have the resource server',
  )
  t.strictSame(await check({ 'a.yaml': yaml(POOL, client('billing/read')) }), [])
  const tf = `resource "aws_cognito_user_pool" "p" {}
variable "pool_id" {}
resource "aws_cognito_user_pool_client" "c" {
  user_pool_id                         = var.pool_id != "" ? var.pool_id : aws_cognito_user_pool.p.id
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  generate_secret                      = true
  allowed_oauth_scopes                 = ["billing/read"]
}`
  t.strictSame(await module(tf), [])
})
