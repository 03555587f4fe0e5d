/** YAML as the SAM CLI reads it: indentation inside of brackets and quotes, and repeated keys. */
import t from 'tap'
import { checkScopes, readOpenApi } from '../../../../src/contract/infra/index.ts'
import { listFindings, read } from '../../../support/templates.ts'

const scopes = async (list: string, head = '  Client:') => {
  const text = `Resources:
${head}
    Type: AWS::Cognito::UserPoolClient
    Properties:
      AllowedOAuthScopes: ${list}
      ClientName: after
`
  const [client] = (await read('a.yaml', text)).clients
  t.equal(client?.name?.value, 'after', text)
  return client?.scopes?.items.map(({ value, at }) => `${at.line}:${at.column} ${value}`)
}

t.test('brackets and their items may be indented less than their key', async (t) => {
  const cases: [list: string, expected: string[]][] = [
    ['[\n      a/b,\n      c/d\n      ]', ['6:7 a/b', '7:7 c/d']],
    ['[\na/b,\nc/d\n]', ['6:1 a/b', '7:1 c/d']],
    ['[\n\n  a/b, # [ comment\n# { comment\n  c/d]', ['7:3 a/b', '9:3 c/d']],
    ['[ !Sub\n"a/b"\n, \'c/d\'\n]', ['6:1 a/b', '7:3 c/d']],
    ["[ 'it''s ]',\n\"]\\\"[\"\n]", ["5:29 it's ]", '6:1 ]"[']],
    ['[ "a\nb",\n\'c\n\n d\'\n]', ['5:29 a b', '7:1 c\nd']],
    ["[ { 'Fn::Sub': \na/b }, {\n'Fn::Sub': 'c/d'\n} ]", ['5:29 a/b', '6:8 c/d']],
    ['[ a/b "c,\n d]', ['5:29 a/b "c', '6:2 d']],
    ['[ !Ref\nAWS::NoValue, &x a/b,\n*x ]', ['6:18 a/b', '7:1 a/b']],
    ['[ {"Fn::Sub":"a/b"},\n{"Fn::Sub":\n"c/d"} ]', ['5:29 a/b', '6:1 c/d']],
    ['[\r\na/b,\r\n\r\nc/d\r\n]\r\n      # [\r\n\r', ['6:1 a/b', '8:1 c/d']],
  ]
  for (const [list, expected] of cases) t.strictSame(await scopes(list), expected, list)
})

t.test('quotes may continue at any column', async (t) => {
  t.strictSame(await scopes('"a/b\nc"'), ['5:27 a/b c'])
  t.strictSame(await scopes("'a/b\n''c'''"), ["5:27 a/b 'c'"])
  t.strictSame(await scopes('"a/b\\\nc"'), ['5:27 a/bc'])
})

t.test('text that looks like brackets or quotes stays text', async (t) => {
  const head = `  Text:
    Type: AWS::X::Y
    Metadata: it's [ not open
    # it's [ not open
    Properties:
      "quoted": a [ b
      "block": |
        [ it's
      folded: >-
        { "open

        more
      list:
        - |
          [
        - a: b [ c
        - - "c"
        - ? d
          : it's
      tagged: !Sub |
        "
  Client:`
  t.strictSame(await scopes('[\na/b\n]', head), ['27:1 a/b'])
})

t.test('other mistakes keep their error and their position', async (t) => {
  const rejected = async (text: string, message: string) =>
    t.rejects(read('a.yaml', text), { message })
  await rejected(
    'Resources:\n  A: [\n  b\n',
    'a.yaml:3:3: expected valid YAML, got an error: Flow sequence in block collection must be sufficiently indented and end with a ]. Correct the syntax.',
  )
  await rejected(
    'Resources:\n  A: "b\nc: d\n',
    'a.yaml:4:1: expected valid YAML, got an error: Missing closing "quote. Correct the syntax.',
  )
  await rejected(
    'Resources:\n  A: "b" [c\n',
    'a.yaml:2:10: expected valid YAML, got an error: Unexpected flow-seq-start at node end. Correct the syntax.',
  )
  await rejected(
    'Resources:\n  A: b\n c: d\n',
    'a.yaml:3:1: expected valid YAML, got an error: All mapping items must start at the same column. Correct the syntax.',
  )
})

t.test('repeated keys are findings, and the last value counts', async (t) => {
  const yaml = `Resources:
  Pool: { Type: AWS::Cognito::UserPool, Properties: { UserPoolName: first, UserPoolName: last } }
  Pool: { Type: AWS::Cognito::UserPool, Properties: { UserPoolName: other } }
`
  t.equal((await read('a.yaml', yaml)).userPools[0]?.name?.value, 'other')
  t.strictSame(await listFindings({ 'a.yaml': yaml }), [
    'error key-repeated a.yaml: UserPoolName: last',
    'error key-repeated a.yaml: Pool: { Type: AWS::Cognito::UserPool',
  ])
  const two = ['A', 'B'].map((id) => `  ${id}: { Type: AWS::X::Y, Properties: { P: 1, P: 2 } }\n`)
  const model = await read('a.yaml', `Resources:\n${two.join('')}Outputs: {}\nOutputs: {}\n`)
  t.match(checkScopes(model), [
    { resource: 'A', value: 'P' },
    { resource: 'B', value: 'P' },
    { resource: 'B', value: 'Outputs' },
  ])
  t.match(checkScopes(await read('b.yaml', `Resources: {}\nResources: {}\n`)), [
    { resource: 'Resources', value: 'Resources' },
  ])
  const json = `{ "Resources": { "Pool": { "Type": "AWS::Cognito::UserPool", "Type": "AWS::X::Y" } } }`
  t.strictSame((await read('a.json', json)).userPools, [])
  t.strictSame(await listFindings({ 'a.json': json }), [
    'error key-repeated a.json: "Type": "AWS::X::Y"',
  ])
  const merged = `Base: &base { Type: AWS::X::Y }
Resources:
  Pool: { <<: *base, Type: AWS::Cognito::UserPool }
`
  t.strictSame(await listFindings({ 'a.yaml': merged }), [], 'a merged key is not repeated')
  const message =
    /^[^:]+:\d+:\d+: expected a unique key, got a repeated one\. Remove one of the two\.$/
  await t.rejects(readOpenApi({ file: 'a.yaml', text: 'openapi: 3.1.0\nopenapi: 3.1.0\n' }), {
    message,
  })
  await t.rejects(readOpenApi({ file: 'a.json', text: '{ "openapi": 1, "openapi": 2 }' }), {
    message,
  })
  await t.rejects(read('a.tf.json', '{ "locals": {}, "locals": {} }'), { message })
})
