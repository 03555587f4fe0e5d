import t from 'tap'
import { readTemplate, TemplateError } from '../../src/infra/index.ts'
import { read } from './templates.ts'

/** No hostile template may take longer than this to refuse, or to read. */
const LIMIT = 5_000

async function refused(t: Tap, file: string, text: string, message: RegExp) {
  const start = performance.now()
  const error = await read(file, text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(performance.now() - start < LIMIT, `${file}: in time`)
  t.ok(error instanceof TemplateError, `${file}: ${String(error).slice(0, 200)}`)
  const { message: told, line, column, code } = error as TemplateError
  t.match(told, message)
  t.equal(code, 'ERR_TEMPLATE_INVALID')
  t.ok(told.startsWith(`${file}:${line}:${column}: `) && !told.includes('\n'), told)
}
type Tap = Pick<typeof t, 'ok' | 'match' | 'equal'>

const doubling = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index + 1)).join('\n')

t.test('what is not well-formed is told with its line', async (t) => {
  await refused(t, 'a.yaml', 'Resources:\n  A: [1, 2\nB: c\n', /^a\.yaml:3:/)
  await refused(t, 'a.yaml', 'Resources:\n  A: *gone\n', /^a\.yaml:2:/)
  await refused(t, 'a.yaml', 'Resources:\n  A: {}\n  A: {}\n', /^a\.yaml:3:3: repeats a key/)
  await refused(t, 'a.yaml', '', /^a\.yaml:1:1: has no Resources/)
  await refused(t, 'a.yaml', 'Resources: 5', /^a\.yaml:1:\d+: has no Resources/)
  await refused(t, 'a.yaml', '- a\n- b', /has no Resources/)
  await refused(t, 'a.json', '{\n"Resources": {"A" }}', /^a\.json:2:/)
  await refused(t, 'a.json', '{\n"Resources": {},\n}', /^a\.json:3:1: is not JSON/)
  await refused(t, 'a.json', '{"Resources": {}', /^a\.json:1:/)
  await refused(t, 'a.tf', 'a = 1\nresource "a" "b" {\n  x = \n}\n', /^a\.tf:3:/)
  await refused(t, 'a.tf', 'locals {\n  a = "x\n}\n', /^a\.tf:2:/)
  await refused(t, 'a.tf', 'resource "a" "b" {\n  x = 1\n', /^a\.tf:\d/)
  await refused(t, 'a.tf', 'locals {\n a = 1\n a = 2\n}\n', /^a\.tf:3:2: repeats an argument/)
  await refused(
    t,
    'a.tf',
    'resource "a" "b" {}\nresource "a" "b" {}\n',
    /^a\.tf:2:1: repeats a res/,
  )
})

t.test('circles are told', async (t) => {
  const parameters = (a: string, b: string) => `Resources:
  A: { Type: AWS::SSM::Parameter, Properties: { Value: ${a} } }
  B: { Type: AWS::SSM::Parameter, Properties: { Value: ${b} } }
  C: { Type: AWS::SSM::Parameter, Properties: { Value: !GetAtt A.Value } }
`
  await refused(t, 'a.yaml', parameters('!GetAtt B.Value', '!GetAtt A.Value'), /circle/)
  await refused(t, 'a.yaml', parameters('!GetAtt B.Arn', '!GetAtt A.Arn'), /:2:3: .*A, B refer/)
  await refused(t, 'a.tf', 'locals {\n  a = local.b\n  b = local.a\n}\n', /^a\.tf:\d.*circle/)
  await refused(
    t,
    'a.tf',
    'resource "x_y" "a" {\n  v = x_y.b.id\n}\nresource "x_y" "b" {\n  v = x_y.a.id\n}\n',
    /^a\.tf:1:1: .*circle/,
  )
  await refused(t, 'a.yaml', 'Resources: &a\n  A: *a\n', /nests|circle/)
  const chain = doubling(200, (i) => `  a${i} = local.a${i + 1}`)
  await refused(t, 'a.tf', `locals {\n${chain}\n  a201 = 1\n}\n`, /through more than 100 names/)
})

t.test('what multiplies stops', async (t) => {
  const laughs = doubling(
    9,
    (i) =>
      `  a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
  )
  await refused(t, 'a.yaml', `x:\n  a0: &a0 lol\n${laughs}\nResources: { A: *a9 }\n`, /aliases/)
  const start = performance.now()
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
  t.ok(performance.now() - start < LIMIT, 'in time')
})

t.test('what is large or deep is told', async (t) => {
  for (const file of ['a.yaml', 'a.json', 'a.tf']) {
    await refused(t, file, 'a'.repeat(10_000_000), /:1:1: is 10000000 characters long: split it/)
    await refused(t, file, `a = \n${'['.repeat(500_000)}`, /:2:201: opens more than 200 brackets/)
  }
  await refused(t, 'a.yaml', '- '.repeat(400_000), /^a\.yaml:1:/)
  await refused(t, 'a.yaml', `${'- '.repeat(150)}a`, /nests deeper than 100/)
  await refused(t, 'a.tf', `a = ${'('.repeat(150)}1${')'.repeat(150)}\n`, /nests deeper than 100/)
})

t.test('names cannot write on a terminal', async (t) => {
  const name = 'A\u001b[2J\u202eb'
  await refused(
    t,
    'a.yaml',
    `Resources:\n  "${name}": { Type: AWS::SSM::Parameter, Properties: { Value: !GetAtt "${name}.Value" } }\n`,
    /A\\u\{1b\}\[2J\\u\{202e\}b refers to itself/,
  )
})

t.test('sources and options are checked', async (t) => {
  const wrong = (sources: unknown, options?: unknown) =>
    t.rejects(readTemplate(sources as never, options as never), { code: 'ERR_OPTION_INVALID' })
  const source = { file: 'a.yaml', text: 'Resources: {}' }
  await wrong(undefined)
  await wrong([])
  await wrong([source, source])
  await wrong([source, { file: 'a.tf', text: '' }])
  await wrong({ file: '', text: '' })
  await wrong({ file: 'a', text: 5 })
  await wrong({ ...source, more: 1 })
  await wrong(source, { parameters: [] })
  await wrong(source, { parameters: { a: 5 } })
  await wrong(source, { given: {} })
})
