import t from 'tap'
import { checkScopes, type InfraModel, readTemplate } from '../../../../src/contract/infra/index.ts'
import { describeFact, describeList, fixture } from '../../../support/templates.ts'

type Json = { [name: string]: unknown }

const PLAN = fixture('deployed/plan.json').text

/** Reads a plan after a change. */
const readPlan = (
  change: (plan: Json) => void = () => {},
  indent?: number,
): Promise<InfraModel> => {
  const plan = JSON.parse(PLAN) as Json
  change(plan)
  return readTemplate({ file: 'plan.json', text: JSON.stringify(plan, null, indent) })
}

/** Builds a minimal plan from resources of the root module. */
const plan = (
  resources: readonly Json[],
  configuration: readonly Json[] = [],
  more: Json = {},
): { file: string; text: string } => ({
  file: 'plan.json',
  text: JSON.stringify({
    format_version: '1.2',
    terraform_version: '1.9.5',
    planned_values: { root_module: { resources } },
    configuration: { root_module: { resources: configuration } },
    ...more,
  }),
})

const resource = (type: string, name: string, values: Json, more: Json = {}): Json => ({
  address: `${type}.${name}`,
  mode: 'managed',
  type,
  name,
  values,
  ...more,
})

t.test('each fact of a plan has its value and position', async (t) => {
  const model = await readTemplate(fixture('deployed/plan.json'))
  t.equal(model.dialect, 'terraform')
  t.equal(model.complete, true)
  const line = (text: string) => PLAN.slice(0, PLAN.indexOf(text)).split('\n').length
  const [pool] = model.userPools
  t.equal(pool?.id, 'module.auth.aws_cognito_user_pool.this')
  t.equal(pool?.at.line, line('"address": "module.auth.aws_cognito_user_pool.this"'))
  const [server] = model.resourceServers
  t.match(describeFact(server?.userPool), / \? ~module\.auth\.aws_cognito_user_pool\.this\.id$/)
  t.strictSame(
    server?.scopes.map(({ name }) => describeFact(name)),
    [`${line('"read"')}:35 read`, `${line('"write"')}:35 write`],
  )
  t.equal(server?.scopesComplete, true)
  t.strictSame(
    model.clients.map(({ id, conditional, generateSecret, accessTokenValidity, revocation }) => [
      id,
      conditional,
      generateSecret?.value,
      accessTokenValidity?.value,
      revocation,
    ]),
    [
      ['aws_cognito_user_pool_client.machine["billing"]', false, true, 900, undefined],
      ['aws_cognito_user_pool_client.machine["shop"]', false, true, 900, undefined],
    ],
    'an argument that only the provider computes has its default',
  )
  const [billing] = model.clients
  t.match(describeFact(billing?.userPool), / \? ~module\.auth\.aws_cognito_user_pool\.this\.id$/)
  t.strictSame(
    billing?.scopes?.items.map(({ value, refs }) => [value, refs]),
    [['orders/read', []]],
  )
  t.strictSame(billing?.dependsOn, [
    'module.auth.aws_cognito_resource_server.this',
    'module.auth.aws_cognito_user_pool.this',
  ])
  const [authorizer] = model.authorizers
  t.match(authorizer, { kind: 'rest', api: 'aws_api_gateway_rest_api.orders' })
  t.match(
    describeList(authorizer?.userPools)?.[0],
    / \? ~module\.auth\.aws_cognito_user_pool\.this/,
  )
  const [route] = model.routes
  t.equal(route?.authorizer, 'aws_api_gateway_authorizer.cognito')
  t.equal(route?.path?.value, '/orders')
  t.strictSame(
    route?.scopes?.items.map(({ value }) => value),
    ['orders/read'],
  )
  t.match(
    model.outputs.map(({ id, value }) => `${id} ${describeFact(value)}`),
    ['user_pool_id 1:1 ? ~module.auth.aws_cognito_user_pool.this.id', 'api_key 1:1 ?'],
  )
})

t.test('a correct plan has no findings, and a misspelled grant has one', async (t) => {
  t.strictSame(
    checkScopes(await readPlan()).filter(({ code }) => code !== 'scope-unused'),
    [],
  )
  const text = PLAN.replace(/("allowed_oauth_scopes": \[\s+)"orders.read"/, '$1"orders/raed"')
  const findings = checkScopes(await readTemplate({ file: 'plan.json', text }))
  const at = text.indexOf('"orders/raed"')
  t.match(findings, [
    {
      code: 'grant-undefined',
      line: text.slice(0, at).split('\n').length,
      column: at - text.lastIndexOf('\n', at),
    },
  ])
})

t.test('a deposed object of a state has no findings', async (t) => {
  const state = {
    format_version: '1.0',
    values: {
      root_module: {
        resources: [
          {
            address: 'aws_cognito_user_pool_client.c',
            mode: 'managed',
            name: 'c',
            type: 'aws_cognito_user_pool_client',
            deposed_key: '613fcc20',
            values: { allowed_oauth_flows: ['client_credentials'], generate_secret: false },
          },
        ],
      },
    },
  }
  const text = JSON.stringify(state)
  t.strictSame((await readTemplate({ file: 'state.json', text })).clients, [])
})

t.test('sensitive values and other resources never reach a model or a finding', async (t) => {
  const model = await readPlan()
  const text = JSON.stringify([model, checkScopes(model)])
  t.notMatch(text, 'sensitive-value')
  t.notMatch(text, 'aws_db_instance')
  t.notMatch(text, 'orders_admin')
  const parameters = model.parameters.map(({ name, value }) => [name?.value, describeFact(value)])
  t.match(parameters, [
    ['/orders/api-key', / \?$/],
    ['/orders/user-pool-id', / \? ~module\.auth\.aws_cognito_user_pool\.this\.id$/],
  ])
})

t.test('whatever is marked as sensitive is unknown', async (t) => {
  const client = (sensitive: Json | undefined, after?: Json) =>
    readTemplate(
      plan(
        [
          resource(
            'aws_cognito_user_pool_client',
            'c',
            { name: 'secret-name', allowed_oauth_scopes: ['o/a', 'secret/b'] },
            { sensitive_values: sensitive },
          ),
        ],
        [],
        {
          resource_changes: [
            { address: 'aws_cognito_user_pool_client.c', change: { after_sensitive: after } },
          ],
        },
      ),
    )
  for (const [sensitive, after] of [
    [{ name: true, allowed_oauth_scopes: [false, true] }, {}],
    [{}, { name: true, allowed_oauth_scopes: [false, true] }],
    [undefined, { name: true, allowed_oauth_scopes: [false, true] }],
  ] as const) {
    const model = await client(sensitive, after)
    t.notMatch(JSON.stringify(model), 'secret')
    t.equal(model.clients[0]?.name?.value, undefined)
    t.strictSame(
      model.clients[0]?.scopes?.items.map(({ value }) => value),
      ['o/a', undefined],
    )
  }
  const whole = await client({ allowed_oauth_scopes: true, name: true }, true as never)
  t.match(whole.clients[0]?.scopes, { items: [], complete: false })
})

t.test('deployed resources refer to each other by id and ARN', async (t) => {
  const state = {
    format_version: '1.0',
    terraform_version: '1.9.5',
    values: {
      root_module: {
        resources: [
          resource('aws_cognito_user_pool', 'p', {
            id: 'eu-west-1_AbCdEfGhI',
            arn: 'arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_AbCdEfGhI',
            name: 'p',
          }),
          resource('aws_cognito_resource_server', 's', {
            user_pool_id: 'eu-west-1_AbCdEfGhI',
            identifier: 'o',
            scope: [{ scope_name: 'a', scope_description: 'A' }],
          }),
          resource('aws_cognito_user_pool_client', 'c', {
            user_pool_id: 'eu-west-1_AbCdEfGhI',
            allowed_oauth_scopes: ['o/b'],
          }),
          resource('aws_api_gateway_rest_api', 'a', { id: 'api1', root_resource_id: 'root1' }),
          resource('aws_api_gateway_authorizer', 'z', {
            id: 'authorizer1',
            type: 'COGNITO_USER_POOLS',
            rest_api_id: 'api1',
            provider_arns: ['arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_AbCdEfGhI'],
          }),
          resource('aws_api_gateway_resource', 'r', {
            id: 'resource1',
            rest_api_id: 'api1',
            parent_id: 'root1',
            path_part: 'orders',
          }),
          resource('aws_api_gateway_method', 'm', {
            rest_api_id: 'api1',
            resource_id: 'resource1',
            authorizer_id: 'authorizer1',
            http_method: 'GET',
            authorization: 'COGNITO_USER_POOLS',
          }),
          resource('aws_cognito_user_pool_client', 'other', { user_pool_id: 'eu-west-1_Other' }),
        ],
      },
    },
  }
  const model = await readTemplate({ file: 'state.json', text: JSON.stringify(state) })
  t.match(model.clients[0]?.userPool, { value: undefined, refs: ['aws_cognito_user_pool.p'] })
  t.match(model.clients[1]?.userPool, { value: 'eu-west-1_Other' })
  t.match(model.authorizers[0]?.userPools?.items, [{ refs: ['aws_cognito_user_pool.p'] }])
  t.match(model.routes[0], {
    path: { value: '/orders' },
    authorizer: 'aws_api_gateway_authorizer.z',
  })
  t.equal(model.clients[0]?.mayAwaitAny, true, 'without a configuration')
  t.match(
    checkScopes(model).map(({ code }) => code),
    ['scope-unused', 'grant-undefined'],
  )
})

t.test('the secret of an imported client', async (t) => {
  const codes = async (values: Json) => {
    const model = await readTemplate(
      plan([
        resource('aws_cognito_user_pool_client', 'c', {
          user_pool_id: 'eu-west-1_AbCdEfGhI',
          allowed_oauth_flows_user_pool_client: true,
          allowed_oauth_flows: ['client_credentials'],
          allowed_oauth_scopes: ['orders/read'],
          ...values,
        }),
      ]),
    )
    t.notMatch(JSON.stringify(model), 's3cret')
    return checkScopes(model).map(({ code }) => code)
  }
  t.strictSame(await codes({ generate_secret: null, client_secret: 's3cret' }), [])
  t.strictSame(await codes({ generate_secret: false, client_secret: 's3cret' }), [])
  for (const none of ['', null, undefined]) {
    const found = await codes({ generate_secret: null, client_secret: none })
    t.strictSame(found, ['client-no-secret'], String(none))
  }
})

t.test('references of the configuration', async (t) => {
  const pools = ['a', 'b'].map((key) =>
    resource('aws_cognito_user_pool', 'p', {}, { address: `aws_cognito_user_pool.p["${key}"]` }),
  )
  const server = resource('aws_cognito_resource_server', 's', { identifier: 'o' })
  const client = resource('aws_cognito_user_pool_client', 'c', {})
  const read = async (references: readonly string[]) => {
    const configuration = {
      address: 'aws_cognito_user_pool_client.c',
      expressions: { user_pool_id: { references } },
    }
    const changes = [
      {
        address: 'aws_cognito_user_pool_client.c',
        change: { after_unknown: { user_pool_id: true } },
      },
    ]
    const { clients } = await readTemplate(
      plan(
        [...pools, server, client],
        [
          configuration,
          { address: 'aws_cognito_user_pool.p' },
          { address: 'aws_cognito_resource_server.s' },
        ],
        { resource_changes: changes },
      ),
    )
    const [found] = clients
    return [found?.userPool?.source, found?.dependsOn, ...(found?.mayAwaitAny ? ['any'] : [])]
  }
  const a = 'aws_cognito_user_pool.p["a"]'
  const b = 'aws_cognito_user_pool.p["b"]'
  t.strictSame(await read([`${a}.id`, a, 'aws_cognito_user_pool.p']), [
    { resource: a, attribute: 'id', isDerived: true },
    [a],
  ])
  t.strictSame(await read(['aws_cognito_user_pool.p', 'each.key']), [{}, [a, b]])
  t.strictSame(await read(['local.pool']), [{}, [], 'any'], 'a plan has no local values')
  t.strictSame(await read(['']), [{}, [], 'any'])
  t.strictSame(await read(['var.pool', 'count.index', 'path.module', 'terraform.workspace']), [
    {},
    [],
  ])
  t.strictSame(await read(['data.aws_ssm_parameter.p.value', 'data.aws_ssm_parameter.p']), [
    { resource: 'data.aws_ssm_parameter.p', attribute: 'value', isDerived: true },
    [],
  ])
  t.strictSame(await read(['module.gone.id', 'aws_x.gone.id']), [{}, []])
})

t.test('modules: variables, outputs, depends_on, and instances with keys', async (t) => {
  const module = (key: string, resources: readonly Json[]) => ({
    address: `module.m["${key}"]`,
    resources: resources.map((one) => ({
      ...one,
      address: `module.m["${key}"].${one['address']}`,
    })),
  })
  const client = resource('aws_cognito_user_pool_client', 'c', {})
  const addresses = ['a', 'b.c'].map((key) => `module.m["${key}"].aws_cognito_user_pool_client.c`)
  const text = JSON.stringify({
    format_version: '1.2',
    planned_values: {
      root_module: {
        resources: [
          resource('aws_cognito_user_pool', 'p', {}),
          resource('aws_cognito_user_pool_client', 'root', {}),
        ],
        child_modules: [
          module('a', [client]),
          module('b.c', [client]),
          {
            address: 'module.servers',
            resources: [
              {
                ...resource('aws_cognito_resource_server', 's', {}),
                address: 'module.servers.aws_cognito_resource_server.s',
              },
            ],
          },
        ],
      },
    },
    resource_changes: [...addresses, 'aws_cognito_user_pool_client.root'].map((address) => ({
      address,
      change: { after_unknown: { user_pool_id: true, name: true } },
    })),
    configuration: {
      root_module: {
        resources: [
          {
            address: 'aws_cognito_user_pool_client.root',
            expressions: {
              user_pool_id: { references: ['module.m["a"].pool', 'module.m["a"]', 'module.m'] },
            },
            depends_on: ['module.servers'],
          },
        ],
        module_calls: {
          m: {
            expressions: { pool: { references: ['aws_cognito_user_pool.p.id'] } },
            depends_on: ['module.servers'],
            module: {
              outputs: { pool: { expression: { references: ['var.pool'] } } },
              resources: [
                {
                  address: 'aws_cognito_user_pool_client.c',
                  expressions: { user_pool_id: { references: ['var.pool'] } },
                },
              ],
            },
          },
          servers: { module: {} },
        },
      },
    },
  })
  const { clients } = await readTemplate({ file: 'plan.json', text })
  const pool = 'aws_cognito_user_pool.p'
  t.strictSame(
    clients.map(({ id, userPool, dependsOn, name }) => [
      id,
      userPool?.source,
      [...dependsOn].sort(),
      name,
    ]),
    ['aws_cognito_user_pool_client.root', ...addresses].map((id) => [
      id,
      { resource: pool, attribute: 'id', isDerived: true },
      [pool, 'module.servers.aws_cognito_resource_server.s'],
      undefined,
    ]),
  )
})

t.test('an OpenAPI document in an API', async (t) => {
  const body = {
    openapi: '3.0.1',
    components: {
      securitySchemes: {
        cognito: {
          type: 'apiKey',
          'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: ['x'] },
        },
      },
    },
    paths: { '/orders': { get: { security: [{ cognito: ['o/a'] }] } } },
  }
  const read = async (text: string) => {
    const api = resource('aws_api_gateway_rest_api', 'a', { body: text })
    const { routes } = await readTemplate(plan([api]))
    return routes.map(({ method, path, scopes }) => [
      method?.value,
      path?.value,
      scopes?.items.map(({ value }) => value),
    ])
  }
  t.strictSame(await read(JSON.stringify(body)), [['GET', '/orders', ['o/a']]])
  const unread = [[undefined, undefined, undefined]]
  t.strictSame(await read('openapi: 3.0.1'), unread)
  t.strictSame(await read(`${'['.repeat(200)}${']'.repeat(200)}`), unread)
})

t.test('a plan with an error, or of targets only, is not complete', async (t) => {
  t.equal((await readPlan((one) => Object.assign(one, { errored: true }))).complete, false)
  t.equal((await readPlan((one) => Object.assign(one, { complete: false }))).complete, false)
})

t.test('positions in a plan on one line, and with sorted keys', async (t) => {
  const compact = await readPlan()
  t.equal(compact.userPools[0]?.at.line, 1)
  t.ok((compact.userPools[0]?.at.column as number) > 100)
  const sorted = await readPlan((one) => {
    const { planned_values: planned, resource_changes: changes } = one
    delete one['planned_values']
    delete one['resource_changes']
    Object.assign(one, { planned_values: planned, resource_changes: changes })
  }, 1)
  const ids = (model: InfraModel) => model.clients.map(({ id }) => id)
  t.strictSame(ids(sorted), ids(compact))
})

t.test('malformed plans: an error with a position, or nothing', async (t) => {
  const rejects = (text: string, message: RegExp) =>
    t.rejects(
      readTemplate({ file: 'plan.json', text }),
      { code: 'ERR_TEMPLATE_INVALID', message },
      text.slice(0, 60),
    )
  await rejects(PLAN.slice(0, 5_000), /^plan\.json:\d+:\d+: expected valid JSON/)
  await rejects(
    '{ "format_version": "1.0" }',
    /^plan\.json:1:1: expected a CloudFormation template/,
  )
  await rejects(
    '{ "format_version": 1, "values": { "root_module": {} } }',
    /^plan\.json:1:1: expected a CloudFormation template/,
  )
  await rejects(
    '{ "format_version": "2.0", "values": { "root_module": {} } }',
    /^plan\.json:1:1: expected format version 0 or 1 of a Terraform plan, got another one\./,
  )
  let nested = '{}'
  for (let depth = 0; depth < 60; depth++) nested = `{ "child_modules": [${nested}] }`
  await rejects(
    `{ "format_version": "1.0", "values": { "root_module": ${nested} } }`,
    /^plan\.json:1:1: expected at most 50 nested modules, got more\./,
  )
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const client = resource('aws_cognito_user_pool_client', 'c', { name: '@' })
  const { text } = plan([client])
  await rejects(text.replace('"@"', deep), /^plan\.json:1:\d+: expected at most 100 nested levels/)
  const odd = {
    format_version: '1.0',
    values: {
      root_module: {
        resources: [null, 1, {}, { address: 'x', type: 1 }, { address: 1, type: 'aws_x' }, client],
        child_modules: [null, { address: 'x', resources: {} }],
      },
    },
    resource_changes: [null, { change: 1 }],
    configuration: { root_module: { resources: [1], module_calls: [], outputs: { o: 1 } } },
  }
  const model = await readTemplate({ file: 'plan.json', text: JSON.stringify(odd) })
  t.equal(model.clients.length, 1)
})

t.test('references that go in a circle end', async (t) => {
  const call = { expressions: { a: { references: ['module.m.a'] } } }
  const odd = {
    format_version: '1.0',
    planned_values: {
      root_module: {
        resources: [resource('aws_cognito_user_pool_client', 'c', {})],
        child_modules: [{ address: 'module.m' }],
      },
    },
    configuration: {
      root_module: {
        resources: [
          {
            address: 'aws_cognito_user_pool_client.c',
            expressions: { name: { references: ['module.m.a'] } },
          },
        ],
        module_calls: {
          m: {
            ...call,
            module: { outputs: { a: { expression: { references: ['var.a', 'var.b'] } } } },
          },
        },
      },
    },
  }
  const text = JSON.stringify(odd).replace(
    '"a":{"references"',
    '"b":{"references":["module.m.a"]},"a":{"references"',
  )
  t.equal((await readTemplate({ file: 'plan.json', text })).clients.length, 1)
})

t.test('values that are known in part', async (t) => {
  const server = resource('aws_cognito_resource_server', 's', {
    identifier: 'o',
    scope: [{ scope_name: 'a' }],
  })
  const client = resource('aws_cognito_user_pool_client', 'c', {
    allowed_oauth_flows: [],
    access_token_validity: 5,
    token_validity_units: [],
  })
  const changes = [
    { address: 'aws_cognito_resource_server.s', after: { scope: [{ scope_description: true }] } },
    { address: 'aws_cognito_user_pool_client.c', after: { allowed_oauth_flows: [true] } },
  ].map(({ address, after }) => ({ address, change: { after_unknown: after } }))
  const expressions = {
    scope: [{ scope_description: { references: ['local.text'] } }],
    allowed_oauth_flows: { references: ['local.flows'] },
  }
  const model = await readTemplate(
    plan(
      [server, client],
      [
        { address: 'aws_cognito_resource_server.s', expressions },
        { address: 'aws_cognito_user_pool_client.c', expressions },
      ],
      { resource_changes: changes },
    ),
  )
  t.match(model.resourceServers[0]?.scopes, [
    { name: { value: 'a' }, description: { value: undefined } },
  ])
  t.match(model.clients[0]?.flows, { items: [{ value: undefined }], complete: false })
  t.equal(model.clients[0]?.accessTokenValidity?.value, 18_000, 'no unit, so hours')
})

t.test('nested modules, data sources of a module, and escaped addresses', async (t) => {
  const client = 'module.a.module.b["x"].aws_cognito_user_pool_client.c'
  const document = {
    format_version: '1.2',
    planned_values: {
      root_module: {
        child_modules: [
          {
            address: 'module.a',
            child_modules: [
              {
                address: 'module.a.module.b["x"]',
                resources: [
                  { ...resource('aws_cognito_user_pool_client', 'c', {}), address: client },
                ],
              },
            ],
          },
        ],
      },
    },
    resource_changes: [
      { address: client, change: { after_unknown: { user_pool_id: true, name: true } } },
    ],
    configuration: {
      root_module: {
        module_calls: {
          a: {
            module: {
              module_calls: {
                b: {
                  module: {
                    resources: [
                      {
                        address: 'aws_cognito_user_pool_client.c',
                        expressions: {
                          user_pool_id: { references: ['data.aws_ssm_parameter.p.value'] },
                          name: { references: ['module.gone.*.name'] },
                        },
                      },
                    ],
                  },
                },
              },
            },
          },
        },
      },
    },
  }
  const text = JSON.stringify(document)
  const source = {
    resource: 'module.a.module.b["x"].data.aws_ssm_parameter.p',
    attribute: 'value',
  }
  const { clients } = await readTemplate({ file: 'plan.json', text })
  t.match(clients, [{ id: client, userPool: { source } }])
  t.ok((clients[0]?.at.column as number) > 1)
  const escaped = await readTemplate({
    file: 'plan.json',
    text: text.replaceAll('"address"', '"a\\u0064dress"'),
  })
  t.match(escaped.clients, [{ id: client, at: { line: 1, column: 1 } }])
})

t.test('a plan of more than 20,000,000 characters is rejected', async (t) => {
  const text = `${' '.repeat(20_000_001)}${plan([]).text}`
  await t.rejects(readTemplate({ file: 'plan.json', text }), {
    message: /^plan\.json:1:1: expected at most 1048576 characters/,
  })
})
