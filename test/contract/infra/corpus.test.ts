import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { checkScopes, readTemplate } from '../../../src/contract/infra/index.ts'
import { describeModel, fixture } from '../../support/templates.ts'

const folder = new URL('../../../fixtures/templates/corpus/', import.meta.url)
const corpus = readdirSync(folder).filter((name) => !name.endsWith('.model'))

t.test('the model of each template in the corpus equals its expected facts', async (t) => {
  for (const name of corpus) {
    const { text } = fixture(`corpus/${name}`)
    const model = await readTemplate({ file: name, text })
    t.equal(describeModel(model), readFileSync(new URL(`${name}.model`, folder), 'utf8'), name)
  }
})

t.test('the templates of the corpus have no findings', async (t) => {
  for (const name of corpus) {
    const model = await readTemplate(fixture(`corpus/${name}`))
    t.strictSame(checkScopes(model), [], name)
  }
})

t.test('line ends and a byte order mark do not change the model', async (t) => {
  for (const name of corpus) {
    const { text } = fixture(`corpus/${name}`)
    const expected = readFileSync(new URL(`${name}.model`, folder), 'utf8')
    const odd = `\uFEFF${text.replace(/\n/g, '\r\n')}`
    t.equal(describeModel(await readTemplate({ file: name, text: odd })), expected, name)
  }
})

t.test('HCL and JSON form one module, and variable values have the declared types', async (t) => {
  const hcl = `variable "scopes" { type = list(string) }
variable "name" { type = string }
resource "aws_cognito_user_pool_client" "c" {
  name                 = var.name
  allowed_oauth_scopes = concat(var.scopes, [local.scope])
}`
  const json = '{ "locals": [{ "scope": "${aws_cognito_resource_server.s.identifier}/c" }] }'
  const server = '{ "resource": { "aws_cognito_resource_server": { "s": { "identifier": "o" } } } }'
  const sources = [
    { file: 'main.tf', text: hcl },
    { file: 'more.tf.json', text: json },
    { file: 'server.TF.JSON', text: server },
    { file: 'typed.tf.json', text: '{ "variable": { "typed": { "type": "string" } } }' },
    { file: 'outputs.tf', text: 'output "o" { value = var.typed }' },
  ]
  const parameters = { scopes: '["o/a", "o/b"]', name: '["x"]', typed: '5', nobody: '[' }
  const { clients, dangling, outputs } = await readTemplate(sources, { parameters })
  t.strictSame(dangling, [])
  t.equal(clients[0]?.name?.value, '["x"]')
  t.equal(outputs[0]?.value?.value, '5')
  t.strictSame(
    clients[0]?.scopes?.items.map(({ value }) => value),
    ['o/a', 'o/b', 'o/c'],
  )
  t.equal(clients[0]?.scopes?.complete, true)
  const wrong = { parameters: { scopes: '["o/a"', name: 'x' } }
  await t.rejects(readTemplate(sources, wrong), {
    message:
      'main.tf:1:1: expected an HCL expression as the value of the variable, got other text. Quote its strings.',
  })
})

t.test('values of pseudo parameters complete texts that depend on them', async (t) => {
  const { file, text } = { ...fixture('corpus/http-api.yaml'), file: 'http-api.yaml' }
  const { authorizers } = await readTemplate(
    { file, text },
    { parameters: { 'AWS::Region': 'eu-west-1' } },
  )
  t.strictSame(authorizers[0]?.userPools?.items[0]?.pieces, [
    'https://cognito-idp.eu-west-1.amazonaws.com/',
    { ssm: '/auth/pool-id' },
  ])
})
