/** Comments and metadata that suppress findings: where they apply, and what is invalid. */
import t from 'tap'
import { checkScopes, readTemplate } from '../../../../src/contract/infra/index.ts'

const NAMES: Readonly<Record<string, string>> = {
  yaml: 'template.yaml',
  hcl: 'main.tf',
  json: 'template.json',
  'tf-json': 'main.tf.json',
}

/** @returns `line code` of each finding. */
async function check(kind: string, text: string, options = {}): Promise<readonly string[]> {
  const model = await readTemplate({ file: NAMES[kind] as string, text })
  // The pools of these templates have no domain.
  const found = checkScopes(model, options).filter(({ code }) => code !== 'pool-no-domain')
  return found.map(({ line, code }) => `${line} ${code}`)
}

/** The client has no secret (line 12) and a scope that does not exist (line 15). */
const yaml = (changes: Readonly<Record<number, string>> = {}): string =>
  [
    'Resources:',
    '  Pool: { Type: AWS::Cognito::UserPool }',
    '  Server:',
    '    Type: AWS::Cognito::UserPoolResourceServer',
    '    Properties: { UserPoolId: !Ref Pool, Identifier: a, Name: a, Scopes: [{ ScopeName: r, ScopeDescription: d }] }',
    '  Client:',
    '    Type: AWS::Cognito::UserPoolClient',
    '    DependsOn: Server',
    '',
    '    Properties:',
    '      UserPoolId: !Ref Pool',
    '      GenerateSecret: false',
    '      AllowedOAuthFlowsUserPoolClient: true',
    '      AllowedOAuthFlows: [client_credentials]',
    '      AllowedOAuthScopes: [a/r, a/x]',
  ]
    .map((line, index) => changes[index + 1] ?? line)
    .join('\n')

const IGNORE = '# cognito-m2m-ignore'

t.test('YAML: a comment applies to the element on its line, or on the next line', async (t) => {
  const all = ['12 client-no-secret', '15 grant-undefined']
  t.strictSame(await check('yaml', yaml()), all)
  const scope = `      AllowedOAuthScopes: [a/r, a/x]`
  const cases: readonly [string, Readonly<Record<number, string>>, readonly string[]][] = [
    [
      'at the end of the line',
      { 15: `${scope} ${IGNORE} grant-undefined: why` },
      [all[0] as string],
    ],
    [
      'on the line before',
      { 14: `      AllowedOAuthFlows: [client_credentials]\n      ${IGNORE} grant-undefined: why` },
      [all[0] as string],
    ],
    [
      'before other comments and blank lines',
      {
        14: `      AllowedOAuthFlows: [client_credentials]\n      ${IGNORE} grant-undefined: why\n\n      # more`,
      },
      [all[0] as string],
    ],
    [
      'before the properties',
      { 9: `    ${IGNORE} grant-undefined, client-no-secret: both are known` },
      [],
    ],
    [
      'before the resource',
      { 5: `${yaml().split('\n')[4]}\n  ${IGNORE} client-no-secret grant-undefined : why` },
      [],
    ],
    [
      'at the end of the key',
      { 6: `  Client: ${IGNORE} client-no-secret: a: b` },
      ['15 grant-undefined'],
    ],
    [
      'two comments',
      { 9: `    ${IGNORE} grant-undefined: why\n    ${IGNORE} client-no-secret: why` },
      [],
    ],
    [
      'in a list, on a line of an item',
      { 15: `      AllowedOAuthScopes:\n      - a/r\n      - a/x ${IGNORE} grant-undefined: why` },
      [all[0] as string],
    ],
    [
      'next to items that are pairs',
      {
        15: `${scope} ${IGNORE} grant-undefined: why\n      Other: !!pairs [a: 1]\n      More: { b }`,
      },
      [all[0] as string],
    ],
    [
      'with line breaks of Windows',
      { 15: `${scope} ${IGNORE} grant-undefined: why\r` },
      [all[0] as string],
    ],
  ]
  for (const [name, changes, expected] of cases) {
    t.strictSame(await check('yaml', yaml(changes)), expected, name)
  }
})

t.test('near misses suppress nothing', async (t) => {
  const lines = yaml().split('\n')
  const cases: readonly [string, Readonly<Record<number, string>>, RegExp][] = [
    [
      'another element',
      { 13: `${lines[12]} ${IGNORE} grant-undefined: why` },
      /13 suppression-unused/,
    ],
    ['another code', { 15: `${lines[14]} ${IGNORE} scope-unused: why` }, /15 suppression-unused/],
    [
      'an item of another line',
      { 15: `      AllowedOAuthScopes:\n      - a/r ${IGNORE} grant-undefined: why\n      - a/x` },
      /16 suppression-unused/,
    ],
    [
      'the last line of the file',
      { 15: `${lines[14]}\n${IGNORE} grant-undefined: why` },
      /16 suppression-unused/,
    ],
    [
      'in a string',
      {
        15: `      AllowedOAuthScopes: [a/r, a/x]\n      ClientName: "${IGNORE} grant-undefined: why"`,
      },
      /^12 client-no-secret,15 grant-undefined$/,
    ],
    [
      'in a block of text',
      {
        15: `      AllowedOAuthScopes: [a/r, a/x]\n      ClientName: |\n        ${IGNORE} grant-undefined: why`,
      },
      /^12 client-no-secret,15 grant-undefined$/,
    ],
    [
      'in a sentence',
      { 15: `${lines[14]} # see cognito-m2m-ignore grant-undefined: why` },
      /^12 client-no-secret,15 grant-undefined$/,
    ],
    [
      'another word',
      { 15: `${lines[14]} ${IGNORE}d grant-undefined: why` },
      /^12 client-no-secret,15 grant-undefined$/,
    ],
    [
      'another name',
      { 15: `${lines[14]} ${IGNORE}-file grant-undefined: why` },
      /^12 client-no-secret,15 grant-undefined$/,
    ],
  ]
  for (const [name, changes, expected] of cases) {
    const found = (await check('yaml', yaml(changes))).join()
    t.match(found, expected, name)
    t.match(found, /grant-undefined/, name)
  }
})

t.test('an invalid comment is an error, and suppresses nothing', async (t) => {
  const line = yaml().split('\n')[14]
  const cases: readonly [string, string][] = [
    ['grant-undefined', 'expected a reason, got none'],
    ['grant-undefined:', 'expected a reason, got none'],
    ['grant-undefined:   ', 'expected a reason, got none'],
    ['grant-undefined: \u200b', 'expected a reason, got none'],
    [': why', 'expected a code of a finding, got none'],
    ['', 'expected a code of a finding, got none'],
    ['grant-undefind: why', 'expected codes of findings, got grant-undefind'],
    ['all: why', 'expected codes of findings, got all'],
    ['* : why', 'expected codes of findings, got *'],
    ['grant-undefined, , x: why', 'expected codes of findings, got x'],
    ['suppression-invalid: why', 'expected codes of findings, got suppression-invalid'],
    ['suppression-unused: why', 'expected codes of findings, got suppression-unused'],
    ['baseline-unused: why', 'expected codes of findings, got baseline-unused'],
    ['not-evaluated: why', 'expected codes of findings, got not-evaluated'],
    ['a\u001b[31m: why', 'expected codes of findings, got a\\u{1b}[31m'],
  ]
  for (const [text, problem] of cases) {
    const file = 'template.yaml'
    const source = { file, text: yaml({ 15: `${line} ${IGNORE} ${text}` }) }
    const findings = checkScopes(await readTemplate(source))
    t.ok(
      findings.some(({ code }) => code === 'grant-undefined'),
      text,
    )
    const [invalid, ...more] = findings.filter(({ code }) => code === 'suppression-invalid')
    t.strictSame(more, [])
    t.match(invalid, { file, line: 15, column: 38, severity: 'error' }, text)
    t.equal(invalid?.message.split('is invalid: ')[1], problem)
    t.match(invalid?.fix, 'cognito-m2m-ignore, the code, a colon and the reason')
  }
})

t.test('a suppression of a code that a run does not evaluate is not unused', async (t) => {
  const unused = (code: string): string =>
    yaml({ 12: `      GenerateSecret: true ${IGNORE} ${code}: why` })
  const routes = [{ method: 'GET', path: '/', auth: { scopes: ['a/r'] } }]
  for (const [code, options] of [
    ['client-over-granted', { routes }],
    ['route-open-in-template', { openapi: routes }],
    ['lifetime-ttl', { proxyTtl: 1 }],
  ] as const) {
    t.strictSame(await check('yaml', unused(code)), ['15 grant-undefined'], code)
    const found = await check('yaml', unused(code), options)
    t.ok(found.includes('12 suppression-unused'), code)
  }
})

t.test('metadata of a resource applies to the findings about it', async (t) => {
  const withMetadata = (metadata: string): string =>
    yaml({ 9: `    Metadata: { cognito-m2m: ${metadata} }` })
  const item = (code: string): string => `{ code: ${code}, reason: why }`
  t.strictSame(await check('yaml', withMetadata(`{ ignore: [${item('client-no-secret')}] }`)), [
    '15 grant-undefined',
  ])
  const both = `{ ignore: [${item('client-no-secret')}, ${item('grant-undefined')}] }`
  t.strictSame(await check('yaml', withMetadata(both)), [])
  const repeated = `${withMetadata(both)}\n      GenerateSecret: false`
  t.strictSame(
    await check('yaml', repeated),
    ['16 key-repeated'],
    'a repeated key is reported once',
  )
  const unused = withMetadata(`{ ignore: [${item('oauth-off')}] }`)
  t.match((await check('yaml', unused)).join(), /^9 suppression-unused,12 /)
  // Of another resource.
  const other = yaml({
    2: `  Pool: { Type: AWS::Cognito::UserPool, Metadata: { cognito-m2m: ${both} } }`,
  })
  t.strictSame(
    (await check('yaml', other)).filter((one) => one.startsWith('2 ')),
    ['2 suppression-unused', '2 suppression-unused'],
  )
  t.match((await check('yaml', yaml({ 9: '    Metadata: { a: cognito-m2m }' }))).join(), /^12 /)
  const invalid: readonly [string, string][] = [
    ['x', 'Client" is invalid: expected a list named ignore, got other metadata'],
    ['{}', 'expected a list named ignore'],
    ['{ ignore: x }', 'expected a list named ignore'],
    ['{ ignore: [], more: 1 }', 'expected a list named ignore'],
    [
      '{ ignore: [client-no-secret] }',
      'expected an object with code and reason, got another value',
    ],
    ['{ ignore: [{ code: oauth-off, reason: why, line: 1 }] }', 'got line'],
    [
      '{ ignore: [{ code: oauth-off }] }',
      'Client oauth-off" is invalid: expected a reason, got none',
    ],
    ['{ ignore: [{ code: oauth-off, reason: 1 }] }', 'expected a reason, got none'],
    ['{ ignore: [{ code: oauth-off, reason: " " }] }', 'expected a reason, got none'],
    ['{ ignore: [{ reason: why }] }', 'Client" is invalid: expected a code of a finding, got none'],
    ['{ ignore: [{ code: 1, reason: why }] }', 'expected a code of a finding, got none'],
    ['{ ignore: [{ code: x, reason: why }] }', 'expected codes of findings, got x'],
  ]
  for (const [metadata, message] of invalid) {
    const source = { file: 'a.yaml', text: withMetadata(metadata) }
    const found = checkScopes(await readTemplate(source))
    const [first] = found.filter(({ code }) => code !== 'pool-no-domain')
    t.match(first, { line: 9, code: 'suppression-invalid', severity: 'error' }, metadata)
    t.ok(first?.message.includes(message), `${metadata}: ${first?.message}`)
  }
})

const JSON_TEMPLATE = {
  Resources: {
    Pool: { Type: 'AWS::Cognito::UserPool' },
    Client: {
      Type: 'AWS::Cognito::UserPoolClient',
      Metadata: { 'cognito-m2m': { ignore: [{ code: 'client-no-secret', reason: 'why' }] } },
      Properties: {
        UserPoolId: { Ref: 'Pool' },
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: { Ref: 'AWS::NotificationARNs' },
      },
    },
  },
}

t.test('metadata in JSON, indented with tabs', async (t) => {
  for (const indent of [undefined, 2, '\t']) {
    t.strictSame(await check('json', JSON.stringify(JSON_TEMPLATE, null, indent)), [])
  }
  const { Metadata: _, ...Client } = JSON_TEMPLATE.Resources.Client
  const without = { Resources: { ...JSON_TEMPLATE.Resources, Client } }
  t.strictSame(await check('json', JSON.stringify(without)), ['1 client-no-secret'])
})

const hcl = (scopes: string, before = ''): string => `resource "aws_cognito_user_pool" "p" {
  name = "p"
}
${before}
resource "aws_cognito_user_pool_client" "c" {
  name                                 = "c"
  user_pool_id                         = aws_cognito_user_pool.p.id
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  ${scopes}
  depends_on                           = [aws_cognito_resource_server.s]
}
resource "aws_cognito_resource_server" "s" {
  identifier   = "a"
  name         = "a"
  user_pool_id = aws_cognito_user_pool.p.id
  scope {
    scope_name        = "r"
    scope_description = "d"
  }
}
`

t.test('HCL: comments with #, // and /* */', async (t) => {
  const scopes = 'allowed_oauth_scopes = ["a/r", "a/x"]'
  const all = ['8 client-no-secret', '11 grant-undefined']
  t.strictSame(await check('hcl', hcl(scopes)), all)
  const ignore = 'cognito-m2m-ignore grant-undefined: why'
  for (const [text, before] of [
    [`${scopes} # ${ignore}`],
    [`${scopes} // ${ignore}`],
    [`${scopes} /* ${ignore} */`],
    [`# ${ignore}\n  ${scopes}`],
    [`// ${ignore}\n\n  // more\n  ${scopes}`],
    [`/* ${ignore}\n     more */\n  ${scopes}`],
    [`allowed_oauth_scopes = [\n    "a/r",\n    # ${ignore}\n    "a/x",\n  ]`],
    [scopes, `# ${ignore}`],
  ] as const) {
    const found = (await check('hcl', hcl(text, before))).map((one) => one.split(' ')[1])
    t.strictSame(found, ['client-no-secret'], text)
  }
  for (const text of [
    `allowed_oauth_scopes = [\n    # ${ignore}\n    "a/r",\n    "a/x",\n  ]`,
    `# ${ignore}\n  description = "d"\n  ${scopes}`,
  ]) {
    const found = (await check('hcl', hcl(text))).map((one) => one.split(' ')[1])
    t.ok(found.includes('grant-undefined') && found.includes('suppression-unused'), text)
  }
  const text = `${scopes}\n  description = "# ${ignore}"`
  t.strictSame(await check('hcl', hcl(text)), all, 'in a string')
})

t.test('Terraform JSON: the comment "//" applies to its object', async (t) => {
  const template = (comment: object): string =>
    JSON.stringify(
      {
        resource: {
          aws_cognito_user_pool: { p: { '//': 'a pool of cognito-m2m-ignore', name: 'p' } },
          aws_cognito_user_pool_client: {
            c: {
              ...comment,
              name: 'c',
              user_pool_id: '${aws_cognito_user_pool.p.id}',
              allowed_oauth_flows_user_pool_client: true,
              allowed_oauth_flows: ['client_credentials'],
              allowed_oauth_scopes: '${aws_cognito_user_pool.p.custom_scopes}',
            },
          },
        },
      },
      null,
      2,
    )
  t.match((await check('tf-json', template({}))).join(), /client-no-secret$/)
  const ignore = (text: unknown): object => ({ '//': text })
  t.strictSame(
    await check('tf-json', template(ignore('cognito-m2m-ignore client-no-secret: why'))),
    [],
  )
  const invalid = await check('tf-json', template(ignore('cognito-m2m-ignore client-no-secret')))
  t.match(invalid.join(), /client-no-secret,\d+ suppression-invalid/)
  const list = await check(
    'tf-json',
    template(ignore(['cognito-m2m-ignore client-no-secret: why'])),
  )
  t.match(list.join(), /client-no-secret$/, 'a list is not a comment')
})

t.test('comments in local modules and included files', async (t) => {
  const ignore = '# cognito-m2m-ignore client-no-secret: why'
  const pool = 'resource "aws_cognito_user_pool" "p" {\n  name = "p"\n}\n'
  const client = (comment: string): string => `${pool}${comment}
resource "aws_cognito_user_pool_client" "c" {
  name                                 = "c"
  user_pool_id                         = aws_cognito_user_pool.p.id
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = [aws_cognito_user_pool.p.custom_scope]
  explicit_auth_flows                  = ["ALLOW_CLIENT_TOKEN_AUTH"]
}
`
  const source = { file: 'main.tf', text: 'module "m" {\n  source = "./m"\n}\n' }
  const checkModule = async (comment: string): Promise<readonly string[]> => {
    const loadModule = () => [{ file: 'm/main.tf', text: client(comment) }]
    return checkScopes(await readTemplate(source, { loadModule })).map(({ code }) => code)
  }
  t.ok((await checkModule('')).includes('client-no-secret'))
  t.notOk((await checkModule(ignore)).some((code) => /secret|suppression/.test(code)))
  const text = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Fn::Transform: { Name: AWS::Include, Parameters: { Location: part.yaml } }
`
  const part = (comment: string): string => `${comment}
Client:
  Type: AWS::Cognito::UserPoolClient
  Properties:
    UserPoolId: !Ref Pool
    AllowedOAuthFlowsUserPoolClient: true
    AllowedOAuthFlows: [client_credentials]
    AllowedOAuthScopes: [!ImportValue scope]
    ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
`
  const checkInclude = async (comment: string): Promise<readonly string[]> => {
    const loadInclude = () => ({ file: 'part.yaml', text: part(comment) })
    const model = await readTemplate({ file: 'a.yaml', text }, { loadInclude })
    return checkScopes(model).map(({ code }) => code)
  }
  t.ok((await checkInclude('')).includes('client-no-secret'))
  t.notOk((await checkInclude(ignore)).some((code) => /secret|suppression/.test(code)))
})

t.test('at most 1,000 suppressions in the files of a template', async (t) => {
  const comments = (count: number): string =>
    `${`${IGNORE} oauth-off: why\n`.repeat(count)}${yaml()}`
  await t.rejects(check('yaml', comments(1001)), {
    message: 'template.yaml:1001:1: expected at most 1000 suppressions, got more. Use a baseline.',
  })
  t.equal((await check('yaml', comments(1000))).length, 1002)
})

t.test(
  'a finding about a suppression has the resource and the text that identify it',
  async (t) => {
    const subjects = async (kind: string, text: string) => {
      const model = await readTemplate({ file: NAMES[kind] as string, text })
      return checkScopes(model)
        .filter(({ code }) => code.startsWith('suppression-'))
        .map(({ code, resource, value }) => [code, resource, value])
    }
    const unused = (reason: string) => `cognito-m2m-ignore scope-unused, oauth-off: ${reason}`
    const invalid = 'cognito-m2m-ignore scope-unused'
    t.strictSame(
      await subjects(
        'yaml',
        yaml({
          1: `# ${invalid}\nResources:`,
          2: `  # ${unused('a')}\n  Pool: { Type: AWS::Cognito::UserPool }`,
          12: `      GenerateSecret: false # ${invalid}`,
        }),
      ),
      [
        ['suppression-invalid', 'cognito-m2m-ignore', invalid],
        ['suppression-unused', 'Pool', `scope-unused: ${unused('a')}`],
        ['suppression-unused', 'Pool', `oauth-off: ${unused('a')}`],
        ['suppression-invalid', 'Client', invalid],
      ],
    )
    const metadata = (ignore: string) =>
      yaml({ 8: `    Metadata: { cognito-m2m: { ignore: [${ignore}] } }\n    DependsOn: Server` })
    t.strictSame(await subjects('yaml', metadata('{ code: oauth-off, reason: why }')), [
      ['suppression-unused', 'Client', 'oauth-off: Client oauth-off'],
    ])
    t.strictSame(await subjects('yaml', metadata('{ code: oauth-off }, oauth-off')), [
      ['suppression-invalid', 'Client', 'Client oauth-off'],
      ['suppression-invalid', 'Client', 'Client'],
    ])
  },
)
