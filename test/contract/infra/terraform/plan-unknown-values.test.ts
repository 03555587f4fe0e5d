/** Values of a plan that only the deployment determines: their references do not show the functions around them. */
import t from 'tap'
import { checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'

type Json = { [name: string]: unknown }

const POOL = 'aws_cognito_user_pool'
const SERVER = 'aws_cognito_resource_server'
const CLIENT = 'aws_cognito_user_pool_client'
const API = 'aws_apigatewayv2_api'
const SCOPES = { name: 'n', scope: [{ scope_name: 'read', scope_description: 'd' }] }

/** Terraform lists `pool.id` and then `pool`. */
const refer = (...references: string[]): Json => ({
  references: references.flatMap((one) => [one, one.slice(0, one.lastIndexOf('.'))]),
})

interface Planned {
  readonly address: string
  readonly values: Json
  /** The unknown arguments, with their expressions. */
  readonly unknown?: Json
  readonly expressions?: Json
}

const planned = (
  address: string,
  values: Json,
  expressions: Json = {},
  unknown: Json = Object.fromEntries(Object.keys(expressions).map((name) => [name, true])),
): Planned => ({ address, values, expressions, unknown })

async function check(...all: Planned[]): Promise<string[]> {
  const parse = (address: string) => {
    const [type = '', label = ''] = address.split('.')
    return { type, name: label.replace(/\[.*/, '') }
  }
  const resources = all.map(({ address, values }) => {
    return { address, mode: 'managed', ...parse(address), values }
  })
  const configurations = all.map(({ address, expressions }) => {
    const { type, name } = parse(address)
    return { address: `${type}.${name}`, mode: 'managed', type, name, expressions }
  })
  const text = JSON.stringify({
    format_version: '1.2',
    planned_values: { root_module: { resources } },
    configuration: { root_module: { resources: configurations } },
    resource_changes: all.map(({ address, unknown }) => ({
      address,
      change: { after_unknown: unknown },
    })),
  })
  const findings = checkScopes(await readTemplate({ file: 'plan.json', text }))
  return findings.map(({ severity, code, resource }) => `${severity} ${code} ${resource}`)
}

const pool = planned(`${POOL}.p`, { name: 'p' })
const ofPool = (attribute = 'id') => ({ user_pool_id: refer(`${POOL}.p.${attribute}`) })

t.test('the id of a pool may be computed from another attribute', async (t) => {
  for (const attribute of ['id', 'arn', 'endpoint']) {
    const server = planned(`${SERVER}.s`, { ...SCOPES, identifier: 'orders' }, ofPool(attribute))
    t.strictSame(await check(pool, server), [], attribute)
  }
})

t.test('ARNs and issuers may be composed of the id', async (t) => {
  const rest = planned('aws_api_gateway_rest_api.a', { name: 'a' })
  const api = planned(`${API}.a`, { name: 'a' })
  for (const references of [
    refer(`${POOL}.p.id`),
    refer('var.account', `${POOL}.p.id`),
    refer('data.aws_caller_identity.current.account_id', `${POOL}.p.id`),
  ]) {
    const expressions = { provider_arns: references, rest_api_id: refer(`${rest.address}.id`) }
    for (const [values, unknown] of [
      [{}, true],
      [{ provider_arns: [null] }, [true]],
      [{}, [true]],
    ] as const) {
      const authorizer = planned(
        'aws_api_gateway_authorizer.g',
        { name: 'g', type: 'COGNITO_USER_POOLS', ...values },
        expressions,
        { provider_arns: unknown, rest_api_id: true },
      )
      t.strictSame(await check(pool, rest, authorizer), [])
    }
  }
  const client = planned(`${CLIENT}.c`, { name: 'c' }, ofPool())
  for (const attribute of ['id', 'endpoint']) {
    for (const [audience, value, unknown] of [
      [{ constant_value: ['a1b2c3'] }, ['a1b2c3'], [false]],
      [refer(`${CLIENT}.c.id`), [null], [true]],
    ] as const) {
      const authorizer = planned(
        'aws_apigatewayv2_authorizer.g',
        { name: 'g', authorizer_type: 'JWT', jwt_configuration: [{ audience: value }] },
        {
          jwt_configuration: [{ audience, issuer: refer('var.region', `${POOL}.p.${attribute}`) }],
          api_id: refer(`${API}.a.id`),
        },
        { jwt_configuration: [{ audience: unknown, issuer: true }], api_id: true },
      )
      t.strictSame(await check(pool, client, api, authorizer), [], attribute)
    }
  }
})

t.test('each argument of a block has its own references', async (t) => {
  const api = planned(`${API}.a`, { name: 'a' })
  const authorizer = planned(
    'aws_apigatewayv2_authorizer.g',
    { name: 'g', authorizer_type: 'JWT', jwt_configuration: [{ audience: [null] }] },
    {
      jwt_configuration: [
        { audience: refer(`${CLIENT}.c.id`), issuer: refer(`${POOL}.p.endpoint`) },
      ],
      api_id: refer(`${API}.a.id`),
    },
    { jwt_configuration: [{ audience: [true], issuer: true }], api_id: true },
  )
  const client = planned(`${CLIENT}.c`, { name: 'c' }, ofPool())
  const route = planned(
    'aws_apigatewayv2_route.r',
    { route_key: 'GET /', authorization_type: 'JWT', authorization_scopes: ['orders/raed'] },
    { api_id: refer(`${API}.a.id`), authorizer_id: refer('aws_apigatewayv2_authorizer.g.id') },
  )
  const server = planned(`${SERVER}.s`, { ...SCOPES, identifier: 'orders' }, ofPool())
  t.strictSame(await check(pool, client, server, api, authorizer, route), [
    'warning scope-unused aws_cognito_resource_server.s',
    'error scope-undefined aws_apigatewayv2_route.r',
  ])
})

t.test('values with the same reference may differ', async (t) => {
  const api = planned(`${API}.a`, { name: 'a' })
  const identifier = refer(`${API}.a.api_endpoint`)
  const servers = ['s', 't'].map((name) =>
    planned(`${SERVER}.${name}`, SCOPES, { ...ofPool(), identifier }),
  )
  t.strictSame(await check(pool, api, ...servers), [])
  const client = planned(
    `${CLIENT}.c`,
    {
      name: 'c',
      generate_secret: true,
      allowed_oauth_flows_user_pool_client: true,
      allowed_oauth_flows: ['client_credentials'],
    },
    { ...ofPool(), allowed_oauth_scopes: refer(`${SERVER}.s.identifier`) },
    { user_pool_id: true, allowed_oauth_scopes: [true] },
  )
  const domain = planned('aws_cognito_user_pool_domain.d', { domain: 'd' }, ofPool())
  t.strictSame(await check(pool, domain, api, servers[0] as Planned, client), [])
})

t.test('instances of a resource server may be in several pools', async (t) => {
  const instances = (expression: Json) =>
    ['a', 'b'].map((key) =>
      planned(
        `${SERVER}.s["${key}"]`,
        { ...SCOPES, identifier: 'orders' },
        { user_pool_id: expression },
      ),
    )
  const references = (...names: string[]): Json => ({ references: names })
  for (const expression of [
    references('data.aws_cognito_user_pool.p', 'each.key'),
    references('each.value.pool', 'each.value'),
    references('each.value.pool', 'each.value', `${POOL}.p.id`, `${POOL}.p`),
    references('terraform_data.pools.output', 'terraform_data.pools', `${POOL}.p.id`, `${POOL}.p`),
    references('local.pools', 'each.key', `${POOL}.p.id`, `${POOL}.p`),
  ])
    t.strictSame(await check(pool, ...instances(expression)), [], JSON.stringify(expression))
  const pools = ['a', 'b'].map((key) => planned(`${POOL}.p["${key}"]`, { name: key }))
  t.strictSame(await check(...pools, ...instances(references(`${POOL}.p`, 'each.key'))), [])
  t.strictSame(
    await check(pool, ...instances(refer(`${POOL}.p.id`))),
    [`error identifier-repeated ${SERVER}.s["b"]`],
    'one pool',
  )
})

t.test('a sensitive value may be that of a variable', async (t) => {
  const arguments_ = { user_pool_id: refer('var.pool_id', `${POOL}.p.id`) }
  const read = async (sensitive: Json) => {
    const resources = [
      { address: `${POOL}.p`, mode: 'managed', type: POOL, name: 'p', values: {} },
      ...['s', 't'].map((name) => ({
        address: `${SERVER}.${name}`,
        mode: 'managed',
        type: SERVER,
        name,
        values: { ...SCOPES, identifier: 'orders', user_pool_id: 'eu-west-1_Secret' },
        sensitive_values: sensitive,
      })),
    ]
    const configurations = ['s', 't'].map((name) => ({
      address: `${SERVER}.${name}`,
      expressions: name === 's' ? { user_pool_id: refer(`${POOL}.p.id`) } : arguments_,
    }))
    const text = JSON.stringify({
      format_version: '1.2',
      planned_values: { root_module: { resources } },
      configuration: { root_module: { resources: configurations } },
    })
    return checkScopes(await readTemplate({ file: 'plan.json', text })).map(({ code }) => code)
  }
  t.strictSame(await read({ user_pool_id: true }), [])
  t.strictSame(await read({}), ['identifier-repeated'], 'a known value')
})
