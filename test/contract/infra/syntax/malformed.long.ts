import t from 'tap'
import { checkScopes, readTemplate, TemplateError } from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

/** Seconds of processor time: the limit for reading or rejecting a hostile template. */
const LIMIT = 5

/** Measures all threads of this process. Other processes on the machine do not count. */
function stopwatch(): () => number {
  const start = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000_000
  }
}

async function assertRejected(t: Tap, file: string, text: string, message: RegExp) {
  const seconds = stopwatch()
  const error = await read(file, text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(seconds() < LIMIT, `${file}: in time, ${seconds()} s`)
  t.ok(error instanceof TemplateError, `${file}: ${String(error).slice(0, 200)}`)
  const { message: actual, line, column, code } = error as TemplateError
  t.match(actual, message)
  t.equal(code, 'ERR_TEMPLATE_INVALID')
  t.ok(actual.startsWith(`${file}:${line}:${column}: `) && !actual.includes('\n'), actual)
}

type Tap = Pick<typeof t, 'ok' | 'match' | 'equal'>

const doubling = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index + 1)).join('\n')

t.test('malformed templates are rejected with a line', async (t) => {
  await assertRejected(t, 'a.yaml', 'Resources:\n  A: [1, 2\nB: c\n', /^a\.yaml:3:/)
  await assertRejected(t, 'a.yaml', 'Resources:\n  A: *gone\n', /^a\.yaml:2:/)
  await assertRejected(
    t,
    'a.yaml',
    '',
    /^a\.yaml:1:1: expected a CloudFormation template, got no Resources/,
  )
  await assertRejected(
    t,
    'a.yaml',
    'Resources: 5',
    /^a\.yaml:1:\d+: expected a CloudFormation template, got no Resources/,
  )
  await assertRejected(
    t,
    'a.yaml',
    '- a\n- b',
    /expected a CloudFormation template, got no Resources/,
  )
  await assertRejected(t, 'a.json', '{\n"Resources": {"A" }}', /^a\.json:2:/)
  await assertRejected(
    t,
    'a.json',
    '{\n"Resources": {},\n}',
    /^a\.json:3:1: expected valid JSON, got a syntax error/,
  )
  await assertRejected(t, 'a.json', '{"Resources": {}', /^a\.json:1:/)
  await assertRejected(t, 'a.tf', 'a = 1\nresource "a" "b" {\n  x = \n}\n', /^a\.tf:3:/)
  await assertRejected(t, 'a.tf', 'locals {\n  a = "x\n}\n', /^a\.tf:2:/)
  await assertRejected(t, 'a.tf', 'resource "a" "b" {\n  x = 1\n', /^a\.tf:\d/)
  await assertRejected(
    t,
    'a.tf',
    'locals {\n a = 1\n a = 2\n}\n',
    /^a\.tf:3:2: expected a unique argument, got a repeated one/,
  )
  await assertRejected(
    t,
    'a.tf',
    'resource "a" "b" {}\nresource "a" "b" {}\n',
    /^a\.tf:2:1: expected a unique resource name, got a repeated one/,
  )
})

t.test('malformed JSON is rejected with a position', async (t) => {
  const cases: [string, string][] = [
    ['', '1:1'],
    ['{"a": x}', '1:7'],
    ['{"a": 1,}', '1:9'],
    ['{"a": 01}', '1:8'],
    ['{"a": 1.}', '1:8'],
    ['{"a": "\\x"}', '1:8'],
    ['{"a": "\\u12"}', '1:8'],
    ['{"a": "\n"}', '1:8'],
    ['{"a": "b', '1:9'],
    ["{'a': 1}", '1:2'],
    ['{"a" 1}', '1:6'],
    ['{"a": 1 "b": 2}', '1:9'],
    ['{"a": [1,]}', '1:10'],
    ['{"a": [1 2]}', '1:10'],
    ['{"a":\n [1}', '2:4'],
    ['{\r\n\t"a": nul }', '2:7'],
    ['{} {}', '1:4'],
    ['{"a": 1} // no', '1:10'],
    ['[', '1:2'],
  ]
  for (const [text, place] of cases) {
    for (const file of ['a.json', 'a.tf.json']) {
      await assertRejected(
        t,
        file,
        text,
        new RegExp(
          `^${file}:${place}: expected valid JSON, got a syntax error\\. Correct the syntax\\.$`,
        ),
      )
    }
  }
  await assertRejected(
    t,
    'a.tf.json',
    '{"a": 1,\n "a": 2}',
    /^a\.tf\.json:2:2: expected a unique key, got a repeated one/,
  )
  await assertRejected(
    t,
    'a.tf.json',
    '{"a": 1, "a": 2}',
    /^a\.tf\.json:1:10: expected a unique key, got a repeated one/,
  )
  await assertRejected(
    t,
    'a.tf.json',
    '[]',
    /^a\.tf\.json:1:1: expected an object of Terraform blocks, got another value\. Write an object\.$/,
  )
})

t.test('errors in templates of Terraform JSON have the position of the string', async (t) => {
  const locals = (a: string) => `{\n "locals": { "a": ${JSON.stringify(a)} }\n}`
  for (const text of [
    '${',
    '${a',
    'x ${ "}',
    '${a..b}',
    '%{ if a }x',
    '${"${"}',
    '${a}${',
    '${a "b"}',
  ]) {
    await assertRejected(
      t,
      'a.tf.json',
      locals(text),
      /^a\.tf\.json:2:19: expected valid HCL, got a syntax error/,
    )
  }
  await assertRejected(
    t,
    'a.tf.json',
    locals('${local.a}'),
    /^a\.tf\.json:2:19: expected references of .* that end at a value, got a cycle\. Remove one reference\.$/,
  )
  const many = `{ "locals": { "a": [${doubling(60_000, (i) => `"\${a.b${i}}"`).replaceAll('\n', ',')}] } }`
  await assertRejected(
    t,
    'a.tf.json',
    many,
    /^a\.tf\.json:1:21: expected templates of at most 524288 characters, got more\. Split the file\.$/,
  )
})

t.test('invisible characters are rejected with a position', async (t) => {
  await assertRejected(t, 'a.yaml', 'Resources:\n\tA: {}\n', /^a\.yaml:2:/)
  await assertRejected(
    t,
    'a.yaml',
    'Resources: {}\n---\nResources: {}\n',
    /^a\.yaml:2:1: expected valid YAML, got a second document\. Split/,
  )
  await assertRejected(
    t,
    'a.yaml',
    `${'%A\n'.repeat(9)}---\nResources: {}`,
    /^a\.yaml:6:1: expected at most 5 directives, got more/,
  )
  await assertRejected(
    t,
    'a.yaml',
    'a: &a 1\nResources: { <<: *a }\n',
    /^a\.yaml:2:18: expected a map to merge, got another value/,
  )
  const wide = Buffer.from('Resources: {}\n', 'utf16le').toString('latin1')
  for (const file of ['a.yaml', 'a.json', 'a.tf', 'a.tf.json']) {
    await assertRejected(
      t,
      file,
      wide,
      /:1:2: expected text, got a NUL character\. Save the file as UTF-8\.$/,
    )
    await assertRejected(t, file, 'a\nb\u0000', /:2:2: expected text, got a NUL character/)
  }
})

t.test('names of Object.prototype are ordinary names', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'prototype']
  const members = names.map((name) => `"${name}": {"${name}": {"Type": "x", "polluted": 1}}`)
  const yaml = `{"Parameters": {${members}}, "Resources": {${members}, "A": {"Type": "AWS::SSM::Parameter",
    "Properties": {"Name": {"Fn::Sub": "\${__proto__}\${constructor.x}"}, "Value": {"Ref": "valueOf"}}}}}`
  for (const file of ['a.yaml', 'a.json']) {
    const model = await read(file, yaml)
    t.strictSame(model.parameters[0]?.name?.value, undefined)
    t.strictSame(
      model.dangling.map(({ name }) => name),
      ['valueOf'],
      file,
    )
  }
  const tf = names.map(
    (name) => `variable "${name}" {}
resource "${name}" "${name}" { ${name} = var.${name}.${name} }
resource "aws_cognito_user_pool" "${name}" {
  name = ${name}("x")
  ${name} { ${name} = local.valueOf }
}`,
  )
  const model = await read('a.tf', tf.join('\n'))
  t.equal(model.userPools.length, 4)
  t.equal(model.dangling.length, 4)
  t.notOk('polluted' in {})
})

t.test('cycles are rejected', async (t) => {
  const parameters = (a: string, b: string) => `Resources:
  A: { Type: AWS::SSM::Parameter, Properties: { Value: ${a} } }
  B: { Type: AWS::SSM::Parameter, Properties: { Value: ${b} } }
  C: { Type: AWS::SSM::Parameter, Properties: { Value: !GetAtt A.Value } }
`
  await assertRejected(
    t,
    'a.yaml',
    parameters('!GetAtt B.Value', '!GetAtt A.Value'),
    /got a cycle\. Remove one reference/,
  )
  await assertRejected(
    t,
    'a.yaml',
    parameters('!GetAtt B.Arn', '!GetAtt A.Arn'),
    /:2:3: .*got a cycle of A, B\. Remove one dependency/,
  )
  await assertRejected(
    t,
    'a.tf',
    'locals {\n  a = local.b\n  b = local.a\n}\n',
    /^a\.tf:\d.*got a cycle\. Remove one reference/,
  )
  await assertRejected(
    t,
    'a.tf',
    'resource "x_y" "a" {\n  v = x_y.b.id\n}\nresource "x_y" "b" {\n  v = x_y.a.id\n}\n',
    /^a\.tf:1:1: .*dependency cycle, got a cycle of/,
  )
  await assertRejected(t, 'a.yaml', 'Resources: &a\n  A: *a\n', /nested levels|got a cycle/)
  const chain = doubling(200, (i) => `  a${i} = local.a${i + 1}`)
  await assertRejected(
    t,
    'a.tf',
    `locals {\n${chain}\n  a201 = 1\n}\n`,
    /got a chain of more than 100\. Shorten the chain\.$/,
  )
})

t.test('exponential aliases are rejected', async (t) => {
  const exponential = doubling(
    9,
    (i) =>
      `  a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
  )
  await assertRejected(
    t,
    'a.yaml',
    `x:\n  a0: &a0 lol\n${exponential}\nResources: { A: *a9 }\n`,
    /aliases/,
  )
  const seconds = stopwatch()
  const texts = doubling(60, (i) => `  a${i} = "\${local.a${i - 1}}\${local.a${i - 1}}"`)
  const lists = doubling(60, (i) => `  b${i} = concat(local.b${i - 1}, local.b${i - 1})`)
  const nested = doubling(60, (i) => `  c${i} = [local.c${i - 1}, local.c${i - 1}]`)
  const model = await read(
    'a.tf',
    `locals {\n  a0 = "x"\n  b0 = ["x"]\n  c0 = "x"\n${texts}\n${lists}\n${nested}\n}
resource "aws_cognito_user_pool_client" "c" {
  name = local.a60
  allowed_oauth_scopes = local.b60
}
`,
  )
  t.equal(model.clients[0]?.name?.value, undefined)
  t.equal(model.clients[0]?.scopes?.complete, false)
  t.ok(seconds() < LIMIT, 'in time')
})

t.test('exponential references are rejected', async (t) => {
  const double = (name: string, value: string) =>
    `  ${name}0 = ${value}\n${doubling(13, (i) => `  ${name}${i} = concat(local.${name}${i - 1}, local.${name}${i - 1})`)}`
  const uses = (name: string, value: string) => doubling(3_000, (i) => `  ${name}${i} = ${value}`)
  const long = `["${'x'.repeat(9_000)}"]`
  for (const value of ['formatlist("%s%s", local.a13)', '[local.a13]']) {
    const text = `locals {\n${double('a', long)}\n${uses('u', value)}\n}\n`
    await assertRejected(
      t,
      'a.tf',
      text,
      /expected at most 1000000 values, got more\. Use fewer references\.$/,
    )
  }
  const refs = doubling(3_000, (i) => `    x_y.r${i}.id,`)
  const resources = doubling(3_000, (i) => `resource "x_y" "r${i}" {\n  v = [local.r]\n}`)
  await assertRejected(
    t,
    'a.tf',
    `locals {\n  r = [\n${refs}\n  ]\n}\n${resources}\n`,
    /expected at most 1000000 values, got more\. Use fewer references\.$/,
  )
  const ids = doubling(3_000, (i) => `    - !Ref R${i}`)
  const users = doubling(3_000, (i) => `  R${i}: { Type: X, Properties: { V: !GetAtt P.Value } }`)
  const text = `Resources:
  P: { Type: AWS::SSM::Parameter, Properties: { Value: !Join ['', !Ref L] } }
  Q:
   Type: AWS::SSM::Parameter
   Properties:
    Value: !Join
    - ''
    -
${ids.replaceAll('    - ', '     - ')}
${users.replaceAll('P.Value', 'Q.Value')}
Parameters: { L: { Type: CommaDelimitedList, Default: 'a' } }
`
  await assertRejected(
    t,
    'a.yaml',
    text,
    /expected at most 1000000 values, got more\. Use fewer references\.$/,
  )
  const shared = doubling(3_000, (i) => `      A${i}: { UserPoolArn: x }`)
  const apis = doubling(3_000, (i) => `  R${i}: { Type: AWS::Serverless::Api }`)
  const globals = `Globals:\n  Api:\n   Auth:\n    Authorizers:\n${shared}\n`
  const sam = `Transform: AWS::Serverless-2016-10-31\n${globals}Resources:\n${apis}\n`
  await assertRejected(
    t,
    'a.yaml',
    sam,
    /expected at most 1000000 values, got more\. Use fewer references\.$/,
  )
})

t.test('expensive templates within the limits are read in time', async (t) => {
  const texts: [string, string][] = [
    ['a.yaml', `a: &a 1\nResources: { A: { Type: X, P: [${'*a ,'.repeat(40_000)}*a ] } }\n`],
    ['a.yaml', `Resources: { A: { Type: X, Properties: { s: "${'x'.repeat(900_000)}" } } }\n`],
    [
      'a.yaml',
      `Resources: { A: { Type: X, Properties: { s: !Sub "${'${AWS::Region}$ '.repeat(40_000)}" } } }\n`,
    ],
    ['a.json', `{ "Resources": { "A": { "s": "${'\\n'.repeat(400_000)}" } } }`],
    ['a.tf', `locals {\n  a = "${'x'.repeat(400_000)}"\n  b = format(local.a, local.a)\n}\n`],
    [
      'a.yaml',
      `Resources:\n${doubling(
        2_000,
        (
          i,
        ) => `  R${i}: { Type: AWS::ApiGateway::Resource, Properties: { PathPart: a, ParentId: !Ref R${i + 1} } }
  M${i}: { Type: AWS::ApiGateway::Method, Properties: { ResourceId: !Ref R${i} } }`,
      )}`,
    ],
  ]
  for (const [file, text] of texts) {
    const seconds = stopwatch()
    t.ok(checkScopes(await read(file, text)), file)
    t.ok(seconds() < LIMIT, `${file}: ${text.slice(0, 50)}, ${seconds()} s`)
  }
})

t.test('large or deeply nested templates are rejected', async (t) => {
  for (const file of ['a.yaml', 'a.json', 'a.tf']) {
    await assertRejected(
      t,
      file,
      'a'.repeat(10_000_000),
      /:1:1: expected at most \d+ characters, got 10000000\. Split the file\.$/,
    )
    await assertRejected(
      t,
      file,
      `a = \n${'['.repeat(500_000)}`,
      /:2:201: expected at most 200 nested brackets, got more/,
    )
  }
  const valid = doubling(300_000, (i) => `  R${i}: { Type: 'AWS::SNS::Topic' }`)
  await assertRejected(
    t,
    'a.yaml',
    `Resources:\n${valid}`,
    /^a\.yaml:1:1: expected at most 1048576 characters, got \d{8}\./,
  )
  await assertRejected(
    t,
    'a.yaml',
    `a:\n${' - ,\n'.repeat(200_000)}`,
    /^a\.yaml:\d+:\d+: expected at most 200000 values, got more/,
  )
  const steps = doubling(1_000, (i) => `${' '.repeat(i)}a:`)
  await assertRejected(t, 'a.yaml', steps, /^a\.yaml:\d+:\d+: .*nested (?:levels|too deep)/)
  await assertRejected(t, 'a.yaml', '- '.repeat(400_000), /^a\.yaml:1:/)
  await assertRejected(
    t,
    'a.yaml',
    `${'- '.repeat(150)}a`,
    /expected at most 100 nested levels, got more/,
  )
  await assertRejected(
    t,
    'a.tf',
    `a = ${'('.repeat(150)}1${')'.repeat(150)}\n`,
    /expected at most 100 nested levels, got more/,
  )
})

t.test('names in messages are printable', async (t) => {
  const name = 'A\u001b[2J\u202eb'
  await assertRejected(
    t,
    'a.yaml',
    `Resources:\n  "${name}": { Type: AWS::SSM::Parameter, Properties: { Value: !GetAtt "${name}.Value" } }\n`,
    /expected references of A\\u\{1b\}\[2J\\u\{202e\}b that end at a value, got a cycle/,
  )
})

t.test('sources and options are validated', async (t) => {
  const assertInvalid = (sources: unknown, options?: unknown) =>
    t.rejects(readTemplate(sources as never, options as never), { code: 'ERR_OPTION_INVALID' })
  const source = { file: 'a.yaml', text: 'Resources: {}' }
  await assertInvalid(undefined)
  await assertInvalid([])
  await assertInvalid([source, source])
  await assertInvalid([source, { file: 'a.tf', text: '' }])
  await assertInvalid({ file: '', text: '' })
  await assertInvalid({ file: 'a', text: 5 })
  await assertInvalid({ ...source, more: 1 })
  await assertInvalid(source, { parameters: [] })
  await assertInvalid(source, { parameters: { a: 5 } })
  await assertInvalid(source, { given: {} })
})
