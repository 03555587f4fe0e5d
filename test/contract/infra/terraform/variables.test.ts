import t from 'tap'
import { type ReadTemplateOptions, readTemplate } from '../../../../src/contract/infra/index.ts'
import { describeFact, describeList } from '../../../support/templates.ts'

const MAIN = `variable "name" { type = string }
variable "scopes" { type = list(string) }
variable "untyped" { default = "default" }
variable "secret" {
  type      = string
  sensitive = true
}
resource "aws_cognito_user_pool_client" "c" {
  name                 = var.name
  allowed_oauth_scopes = concat(var.scopes, [var.untyped, var.secret])
}
`
const read = (variables: ReadTemplateOptions['variables'], more: ReadTemplateOptions = {}) =>
  readTemplate({ file: 'main.tf', text: MAIN }, { variables: variables ?? [], ...more })

const summary = async (variables: ReadTemplateOptions['variables'], more?: ReadTemplateOptions) => {
  const { clients } = await read(variables, more)
  return [describeFact(clients[0]?.name), ...(describeList(clients[0]?.scopes) ?? [])]
}

t.test('later values override earlier ones and defaults', async (t) => {
  t.strictSame(await summary([]), ['9:26 ? name', '10:46 default', '10:59 ? secret', '…'])
  const file = {
    file: 'terraform.tfvars',
    text: `# Values of production
name   = "from file"
scopes = [
  "o/a", # each has its position
  "o/b",
]
secret = "s3cret"
other  = { a = -1, b = null }
`,
  }
  const json = { file: 'z.auto.tfvars.json', text: '{ "name": "${json}", "scopes": ["o/c"] }' }
  t.strictSame(await summary([file]), [
    ...['9:26 from file', '4:3 o/a', '5:3 o/b', '10:46 default', '10:59 ? secret', '…'],
  ])
  t.strictSame(await summary([file, json]), [
    ...['9:26 ${json}', '1:33 o/c', '10:46 default', '10:59 ? secret', '…'],
  ])
  t.strictSame(await summary([json, file, { name: 'untyped', value: '["x"]' }]), [
    ...['9:26 from file', '4:3 o/a', '5:3 o/b', '10:46 ["x"]', '10:59 ? secret', '…'],
  ])
  t.strictSame(
    await summary([{ name: 'scopes', value: '["o/d"]' }, file], {
      parameters: { name: 'parameter', secret: 's3cret' },
    }),
    ['9:26 parameter', '4:3 o/a', '5:3 o/b', '10:46 default', '10:59 ? secret', '…'],
  )
})

t.test('a malformed variable file is an error with its position', async (t) => {
  const cases: [string, string, string | RegExp][] = [
    ['a.tfvars', 'name = [', /^a\.tfvars:1:\d+: expected valid HCL, got a syntax error\./],
    [
      'a.tfvars',
      'name = "a"\nblock {}',
      'a.tfvars:2:1: expected the literal value of a variable, got a block. Assign a value to each variable.',
    ],
    [
      'a.tfvars',
      'scopes = ["a", var.name]',
      'a.tfvars:1:16: expected the literal value of a variable, got a reference or a function call. Write the value.',
    ],
    ['a.tfvars', 'name = prod', /^a\.tfvars:1:8: .+ got a reference or a function call\./],
    ['a.tfvars', 'name = { a = upper("a") }', /^a\.tfvars:1:14: .+ got a reference or a function/],
    ['a.tfvars', 'name = "a-${var.b}"', /^a\.tfvars:1:13: .+ got a reference or a function call\./],
    ['a.tfvars', 'name = "a"\nname = "b"', /^a\.tfvars:2:1: expected a unique argument/],
    ['a.tfvars.json', '{ "name": ', /^a\.tfvars\.json:1:11: expected valid JSON/],
    [
      'a.tfvars.json',
      '["name"]',
      'a.tfvars.json:1:1: expected an object, got a list. Write an object.',
    ],
  ]
  for (const [file, text, message] of cases)
    await t.rejects(read([{ file, text }]), { code: 'ERR_TEMPLATE_INVALID', message }, text)
})

t.test('invalid variables are option errors', async (t) => {
  const cases: [unknown, string][] = [
    [{}, 'variables: expected an array of files and values, got an object. Pass an array.'],
    [['x'], 'variables[0]: expected a plain object, got "x". Pass an object literal.'],
    [
      [{ name: 'a' }],
      'variables[0].value: expected the value of a variable, got undefined. Pass a string.',
    ],
    [
      [{ name: 1, value: '' }],
      'variables[0].name: expected the name of a variable, got 1. Pass a string.',
    ],
    [
      [{ file: 'a.tfvars' }],
      'variables[0].text: expected the text of the file, got undefined. Pass a string.',
    ],
  ]
  for (const [variables, message] of cases) {
    await t.rejects(
      read(variables as ReadTemplateOptions['variables']),
      { code: 'ERR_OPTION_INVALID', message: `cognito-m2m: ${message}` },
      message,
    )
  }
})

t.test('variables do not matter in CloudFormation', async (t) => {
  const source = { file: 'a.yaml', text: 'Resources: {}\n' }
  t.equal((await readTemplate(source, { variables: [{ name: 'a', value: 'b' }] })).complete, true)
})
