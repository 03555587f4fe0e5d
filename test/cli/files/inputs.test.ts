/** Names of parameters, variables and pools that no template has, and files that are named in several ways. */
import { linkSync, symlinkSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import t from 'tap'
import { findNearest } from '../../../src/cli/files/distance.ts'
import { run } from '../../support/run-cli.ts'

const template = (parameters = 'Stage: { Type: String }') => `Parameters: { ${parameters} }
Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties: { UserPoolId: !Ref Pool, Identifier: orders, Name: x, Scopes: [{ ScopeName: read, ScopeDescription: x }] }
  Id: { Type: AWS::SSM::Parameter, Properties: { Name: /auth/pool-id, Type: String, Value: !Ref Pool } }
  Unnamed: { Type: AWS::SSM::Parameter, Properties: { Type: String } }
  Guard: { Type: AWS::ApiGateway::Authorizer, Properties: { Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Pool.Arn] } }
  Open: { Type: AWS::ApiGateway::Authorizer, Properties: { Type: COGNITO_USER_POOLS, 'Fn::Transform': { Name: AWS::Include } } }
Outputs:
  Arn: { Value: !GetAtt Pool.Arn, Export: { Name: pool-arn } }
`
const MODULE = `variable "stage" {
  default = "dev"
}
resource "aws_cognito_user_pool" "p" {
  name = var.stage
}
`

interface Files {
  readonly [name: string]: string | Files
}

/** Runs `check` on files in a separate folder. `@` in arguments and output is that folder. */
function create(test: { testdir(files: Files): string }, files: Files) {
  const folder = relative('.', test.testdir(files))
  const replace = (arg: string) => arg.replace('@', `${folder}/`)
  return {
    folder,
    async check(...args: string[]) {
      const { code, out, err } = await run(['check', ...args.map(replace)])
      const short = (text: string) => text.replaceAll(`${folder}/`, '@')
      return { code, out: short(out), err: short(err) }
    },
  }
}

t.test('--parameter: at least one template declares it', async (t) => {
  const { check } = create(t, {
    'a.yaml': template(),
    'b.yaml': template('Region: { Type: String }'),
    infra: { 'main.tf': MODULE },
    'plan.json':
      '{ "format_version": "1.2", "planned_values": { "root_module": {} }, "configuration": { "root_module": {} } }',
  })
  for (const args of [
    ['@a.yaml', '--parameter', 'Stage=x'],
    ['@a.yaml', '@b.yaml', '--parameter', 'Region=x'],
    ['@a.yaml', '--parameter', 'AWS::Region=x'],
    ['@infra', '@a.yaml', '--parameter', 'stage=x'],
    ['@infra', '--parameter', 'stage=x'],
    ['@infra', '@a.yaml', '--var', 'stage=x'],
  ]) {
    const { code, err } = await check(...args)
    t.equal(code, 0, err)
    t.notMatch(err, 'expected a', args.join(' '))
  }
  const PARAMETER = '--parameter: expected a parameter that a template declares, got'
  const VARIABLE = '--var: expected a variable that a Terraform module declares, got'
  const cases: [args: string[], message: string][] = [
    [
      ['@a.yaml', '--parameter', 'Satge=s3cret'],
      `${PARAMETER} "Satge". Write "Stage", or remove the option.`,
    ],
    [
      ['@a.yaml', '--parameter', 'stage=x'],
      `${PARAMETER} "stage". Write "Stage", or remove the option.`,
    ],
    [
      ['@a.yaml', '--parameter', 'Other=x'],
      `${PARAMETER} "Other". Correct the name, or remove the option.`,
    ],
    [
      ['@a.yaml', '--parameter', 'AWS::Regio=x'],
      `${PARAMETER} "AWS::Regio". Write "AWS::Region", or remove the option.`,
    ],
    [
      ['@infra', '--parameter', 'AWS::Region=x'],
      `${PARAMETER} "AWS::Region". Correct the name, or remove the option.`,
    ],
    [
      ['@plan.json', '--parameter', 'stage=x'],
      `${PARAMETER} "stage". Correct the name, or remove the option.`,
    ],
    [
      ['@infra', '--var', 'stag=s3cret'],
      `${VARIABLE} "stag". Write "stage", or remove the option.`,
    ],
    [
      ['@a.yaml', '--var', 'Stage=x'],
      `${VARIABLE} "Stage". Correct the name, or remove the option.`,
    ],
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await check(...args)
    t.strictSame([code, out, err], [2, '', `cognito-m2m: ${message}\n`])
  }
})

t.test('variable files: a value for no variable is a warning, as in Terraform', async (t) => {
  const { check } = create(t, {
    infra: { 'main.tf': MODULE, 'terraform.tfvars': 'stagee = "x"\n' },
    other: { 'main.tf': 'variable "region" {}\n', 'terraform.tfvars': 'region = "x"\n' },
    'common.tfvars': 'stage = "x"\nregion = "y"\nzone = "z"\n',
  })
  const warnings = async (...args: string[]) => {
    const { code, err } = await check(...args)
    t.equal(code, 0)
    return err.split('\n').filter((line) => line.includes('warning: '))
  }
  const warning = (file: string, name: string, fix: string) =>
    `cognito-m2m: warning: @${file}: expected a variable that a Terraform module declares, got "${name}". ${fix}, or remove the value.`
  const own = warning('infra/terraform.tfvars', 'stagee', 'Write "stage"')
  const zone = warning('common.tfvars', 'zone', 'Correct the name')
  t.strictSame(await warnings('@infra'), [own])
  t.strictSame(await warnings('@other'), [])
  t.strictSame(await warnings('@infra', '@other', '--var-file', '@common.tfvars'), [own, zone])
  t.strictSame(await warnings('@other', '--var-file', '@common.tfvars'), [
    warning('common.tfvars', 'stage', 'Correct the name'),
    zone,
  ])
})

t.test('a configuration: names of parameters and pools that no template has', async (t) => {
  const config = (members: object) => JSON.stringify({ templates: ['a.yaml'], ...members })
  const { check } = create(t, {
    'a.yaml': template(),
    'good.json': config({
      parameters: { Stage: 'x', 'AWS::Region': 'y' },
      pools: [['Pool', '/auth/pool-id', 'pool-arn']],
    }),
    'bad.json': config({
      parameters: { Stge: 'x', Other: 'y' },
      pools: [
        ['Pool', '/auth/pool-i'],
        ['eu-west-1_AbCdEfGhI', 'other-arn'],
      ],
    }),
  })
  const lines = async (file: string) => {
    const { code, err } = await check('--config', file)
    t.equal(code, 0, err)
    return err.split('\n').filter((line) => line.includes('warning: '))
  }
  t.strictSame(await lines('@good.json'), [])
  const PARAMETER = 'expected a parameter that a template declares, got another name.'
  const POOL = 'expected a name of a user pool in the templates, got'
  t.strictSame(await lines('@bad.json'), [
    `cognito-m2m: warning: parameters.Stge: ${PARAMETER} Write "Stage", or remove the member.`,
    `cognito-m2m: warning: parameters.Other: ${PARAMETER} Correct the name, or remove the member.`,
    `cognito-m2m: warning: pools[0][1]: ${POOL} "/auth/pool-i". Write "/auth/pool-id", or remove the name.`,
    `cognito-m2m: warning: pools[1][0]: ${POOL} "eu-west-1_AbCdEfGhI". Correct the name, or remove the name.`,
    `cognito-m2m: warning: pools[1][1]: ${POOL} "other-arn". Correct the name, or remove the name.`,
  ])
})

t.test('a file or folder that is named in several ways is read once', async (t) => {
  const { check, folder } = create(t, {
    'a.yaml': template(),
    infra: { 'main.tf': MODULE, 'more.tf': '' },
    deep: { er: { 'b.yaml': template() } },
  })
  symlinkSync('a.yaml', join(folder, 'link.yaml'))
  linkSync(join(folder, 'a.yaml'), join(folder, 'hard.yaml'))
  symlinkSync('infra', join(folder, 'modules'))
  const read = async (...args: string[]) => {
    const { code, err } = await check(...args)
    t.equal(code, 0, err)
    return /^read (\d+) files?/m.exec(err)?.[1]
  }
  t.equal(await read('@a.yaml', '@./a.yaml', '@link.yaml', '@hard.yaml'), '1')
  t.equal(await read('@a.yaml', resolve(folder, 'a.yaml')), '1')
  t.equal(await read('@infra', '@infra/', '@modules', '@./infra/main.tf'), '2')
  t.equal(await read('@infra/main.tf', '@modules/more.tf'), '2')
  t.equal(await read('@deep', '@deep/er', '@deep/er/b.yaml'), '1', 'both folders have a template')
})

t.test('the template of a cloud assembly that does not exist', async (t) => {
  const artifact = { type: 'aws:cloudformation:stack', properties: { templateFile: 'gone.json' } }
  const { check } = create(t, {
    'cdk.out': {
      'manifest.json': JSON.stringify({ version: '38.0.1', artifacts: { a: artifact } }),
    },
  })
  const { code, err } = await check('@cdk.out')
  t.equal(code, 2)
  t.match(err, /expected a readable file, got ".*gone\.json" \(ENOENT\)/)
})

t.test('the nearest name', async (t) => {
  const cases: [name: string, candidates: string[], nearest: string | undefined][] = [
    ['Stge', ['Stage', 'Staged'], 'Stage'],
    ['Stagde', ['Staged', 'Stage', 'Stages'], 'Staged'],
    ['abc', ['abcde'], undefined],
    ['abc', ['abd', 'abc'], 'abc'],
    ['orders', ['orderses'], 'orderses'],
    ['x'.repeat(300), ['x'.repeat(300)], undefined],
    ['x', [], undefined],
  ]
  for (const [name, candidates, nearest] of cases)
    t.equal(findNearest(name, candidates), nearest, name)
})
