import t from 'tap'
import {
  checkScopes,
  type ReadTemplateOptions,
  readTemplate,
} from '../../../../src/contract/infra/index.ts'
import { describeFact } from '../../../support/templates.ts'

type Files = Readonly<Record<string, string>>

/** Reads a template with the files that it may include. Returns the requested paths too. */
async function read(template: string, files: Files, file = 'infra/template.yaml') {
  const asked: string[] = []
  const loadInclude = (path: string) => {
    asked.push(path)
    const text = files[path]
    return text === undefined ? undefined : { file: path, text }
  }
  return { model: await readTemplate({ file, text: template }, { loadInclude }), asked }
}

const include = (location: string) =>
  `Fn::Transform: { Name: AWS::Include, Parameters: { Location: ${location} } }`

const SERVER = `Server:
  Type: AWS::Cognito::UserPoolResourceServer
  Properties:
    UserPoolId: { Ref: Pool }
    Identifier: orders
    Name: orders
    Scopes: [{ ScopeName: read, ScopeDescription: Read }]
`
const CLIENT = `  Pool: { Type: AWS::Cognito::UserPool }
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [orders/raed]
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
`

t.test('an included file has resources with its own positions', async (t) => {
  const { model, asked } = await read(`Resources:\n  ${include('./server.yaml')}\n${CLIENT}`, {
    'infra/server.yaml': SERVER,
  })
  t.strictSame(asked, ['infra/server.yaml'])
  t.strictSame([model.complete, model.dangling], [true, []])
  t.match(model.resourceServers, [{ id: 'Server', at: { file: 'infra/server.yaml', line: 1 } }])
  const places = checkScopes(model).map(({ code, file, line }) => `${code} ${file}:${line}`)
  t.ok(places.includes('scope-unused infra/server.yaml:7'))
  t.ok(places.includes('grant-undefined infra/template.yaml:12'))
})

t.test('values, lists, sections and short forms are included too', async (t) => {
  const files = {
    'parts/mappings.json': '{ "Mappings": { "Names": { "prod": { "id": "orders" } } } }',
    'parts/scopes.yaml': '- { ScopeName: read, ScopeDescription: Read }\n',
    'parts/properties.yaml': 'Name: from file\nIdentifier: ignored\n',
  }
  const template = `Transform:
  - Name: AWS::Include
    Parameters: { Location: ../parts/mappings.json }
Resources:
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      Identifier: !FindInMap [Names, prod, id]
      ${include('../parts/properties.yaml')}
      Scopes: !Transform { Name: AWS::Include, Parameters: { Location: ../parts/scopes.yaml } }
`
  const { model } = await read(template, files)
  const [server] = model.resourceServers
  t.equal(model.complete, true)
  t.equal(describeFact(server?.identifier), '8:30 orders')
  t.equal(describeFact(server?.name), '1:7 from file')
  t.equal(describeFact(server?.scopes[0]?.name), '1:16 read')
  t.equal(server?.scopesComplete, true)
  const { model: json } = await read(
    JSON.stringify({
      Resources: { 'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: '/s.yaml' } } },
    }),
    { '/s.yaml': SERVER },
    'template.json',
  )
  t.equal(json.resourceServers.length, 1)
})

t.test('what is not a local file stays unknown', async (t) => {
  for (const transform of [
    include('s3://bucket/server.yaml'),
    include('https://example.com/server.yaml'),
    include('absent.yaml'),
    include('!Sub "${Bucket}/server.yaml"'),
    include('""'),
    'Fn::Transform: { Name: Other, Parameters: { Location: server.yaml, Note: AWS::Include } }',
    'Fn::Transform: { Name: AWS::Include }',
    'Fn::Transform: AWS::Include',
  ]) {
    const { model } = await read(`Resources:\n  ${transform}\n${CLIENT}`, {
      'infra/server.yaml': SERVER,
    })
    t.equal(model.complete, false, transform)
    t.strictSame(model.dangling, [], transform)
    t.strictSame(model.resourceServers, [], transform)
  }
  const list = await read(`Resources:\n  ${include('list.yaml')}\n${CLIENT}`, {
    'infra/list.yaml': '- a\n',
  })
  t.equal(list.model.complete, false, 'a list has no resources')
  const both = await read(
    `Transform: { Name: AWS::Include, Parameters: { Location: all.yaml } }\nResources:\n${CLIENT}`,
    { 'infra/all.yaml': `Resources:\n  Other: { Type: A::B::C }\n` },
  )
  t.equal(both.model.complete, false, 'a section of the template is not replaced')
  const off = await readTemplate({
    file: 't.yaml',
    text: `Resources:\n  ${include('server.yaml')}\n${CLIENT}`,
  })
  t.equal(off.complete, false)
})

t.test('a section with only a transform or a loop may have any resource', async (t) => {
  for (const text of [
    `Resources:\n  ${include('s3://bucket/server.yaml')}\n`,
    'Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Pools: [Name, [A, B], { "P${Name}": { Type: A::B::C } }]\n',
  ]) {
    const { model } = await read(text, {})
    t.equal(model.complete, false)
    t.strictSame([model.dangling, model.userPools, checkScopes(model)], [[], [], []])
  }
  await t.rejects(read('Resources: !Ref Pool\n', {}), { message: /got no Resources/ })
})

t.test('a loop in an included file may add resources', async (t) => {
  const loop = `Pool: { Type: AWS::Cognito::UserPool }
Client:
  Type: AWS::Cognito::UserPoolClient
  Properties: { UserPoolId: { Ref: GonePool }, ClientName: 'Fn::ForEach::x' }
`
  const { model } = await read(
    `Resources:\n  ${include('loop.yaml')}\n  Other: { Type: A::B::C }\n`,
    {
      'infra/loop.yaml': loop,
    },
  )
  t.strictSame(model.dangling, [])
})

t.test('malformed and too many files', async (t) => {
  await t.rejects(read('- AWS::Include\n', {}), { message: /got no Resources/ })
  await t.rejects(
    read(`Resources:\n  ${include('a.yaml')}\n  A: { Type: B }\n`, { 'infra/a.yaml': 'a: [' }),
    {
      code: 'ERR_TEMPLATE_INVALID',
      message: /^infra\/a\.yaml:\d+:\d+: expected valid YAML/,
    },
  )
  const many = Array.from(
    { length: 201 },
    (_, i) => `  R${i}:\n    ${include('a.yaml')}\n    Type: A\n`,
  )
  await t.rejects(read(`Resources:\n${many.join('')}`, { 'infra/a.yaml': 'Metadata: {}\n' }), {
    message: /^infra\/template\.yaml:\d+:20: expected at most 200 included files, got more\./,
  })
  const loadInclude = (() => 'text') as unknown as NonNullable<ReadTemplateOptions['loadInclude']>
  const source = { file: 't.yaml', text: `Resources:\n  ${include('a.yaml')}\n  A: { Type: B }\n` }
  await t.rejects(readTemplate(source, { loadInclude }), {
    message:
      'cognito-m2m: loadInclude(): expected a plain object, got "text". Pass an object literal.',
  })
})
