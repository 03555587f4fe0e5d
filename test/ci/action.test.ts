/** The GitHub Action: its entry point is run as the runner does, with the command of this repository. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'

// Starting a process takes seconds with the loaders, so they run side by side.
t.jobs = 3

const ENTRY = resolve('.github/actions/check/run.sh')
const ACTION = parse(readFileSync('action.yml', 'utf8')) as {
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly default: string }>
  >
  readonly runs: { readonly steps: readonly [{ readonly run: string; readonly env: object }] }
}

const toVariable = (input: string): string => `INPUT_${input.toUpperCase().replaceAll('-', '_')}`

/** The loaders of this process, for the process of the command. */
const quote = (text: string): string => (/[\s"\\]/.test(text) ? JSON.stringify(text) : text)
// The process has another working directory.
const loaders = process.execArgv.map((word) => word.replace('=./', `=${resolve('.')}/`))
const NODE_OPTIONS = [process.env['NODE_OPTIONS'] ?? '', ...loaders.map(quote)].join(' ')

/** Runs the step of the action in a folder with these inputs. */
async function runAction(folder: string, inputs: Readonly<Record<string, string>>) {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS, GITHUB_WORKSPACE: folder }
  for (const [name, { default: value }] of Object.entries(ACTION.inputs)) {
    env[toVariable(name)] = inputs[name] ?? value
  }
  env['GITHUB_ACTION_PATH'] = resolve('.')
  env['COGNITO_M2M_MAIN'] = resolve('src/cli/main.ts')
  const { run } = ACTION.runs.steps[0]
  // As the runner starts `shell: bash`.
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run]
  const child = spawn('bash', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...texts }
}

const client = (secret: boolean): string => `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: ${secret}
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [!ImportValue scope]
      ExplicitAuthFlows: [ALLOW_CLIENT_TOKEN_AUTH]
`

const APP = `import { writeFileSync } from 'node:fs'
writeFileSync('ran', '')
export const app = null
`

t.test('every input reaches the entry point, and none is expanded in its text', async (t) => {
  const { env, run } = ACTION.runs.steps[0]
  const expected = Object.keys(ACTION.inputs).map((name) => [
    toVariable(name),
    `\${{ inputs.${name} }}`,
  ])
  t.strictSame(env, Object.fromEntries(expected))
  t.notMatch(run, '{{')
  const script = readFileSync(ENTRY, 'utf8')
  for (const name of Object.keys(ACTION.inputs)) t.match(script, `$${toVariable(name)}`)
  for (const { description } of Object.values(ACTION.inputs)) t.match(description, /\.$/)
})

t.test('errors are annotations, and fail the step', async (t) => {
  const folder = t.testdir({ 'with space.yaml': client(false), 'b.yaml': 'Resources: {}' })
  const { code, out } = await runAction(folder, { templates: '\n  \nwith space.yaml\r\nb.yaml\n' })
  t.equal(code, 1, out)
  t.match(out, /^::error file=with space\.yaml,line=7,col=\d+,title=cognito-m2m client-no-secret::/)
})

t.test('the configuration is read, its app does not run', async (t) => {
  const config = JSON.stringify({ templates: ['a.yaml'], app: 'app.mjs' })
  const folder = t.testdir({ 'app.mjs': APP, 'cognito-m2m.config.json': config })
  writeFileSync(join(folder, 'a.yaml'), client(true))
  const { code, out, err } = await runAction(folder, {})
  t.match({ code, out }, { code: 0, out: '' }, err)
  t.notOk(existsSync(join(folder, 'ran')))
})

t.test('the name of a template is never an option', async (t) => {
  const folder = t.testdir({ 'app.mjs': APP, 'a.yaml': client(true) })
  writeFileSync(join(folder, '--app=app.mjs'), client(true))
  const { code } = await runAction(folder, { templates: 'a.yaml\n--app=app.mjs\n$(touch ran)' })
  t.equal(code, 2, 'the last one does not exist')
  t.notOk(existsSync(join(folder, 'ran')))
})

t.test('the app runs if the workflow names it', async (t) => {
  const folder = t.testdir({ 'app.mjs': APP, 'a.yaml': client(true) })
  const { code } = await runAction(folder, { templates: 'a.yaml', app: 'app.mjs' })
  t.equal(code, 2, 'it exports no app')
  t.ok(existsSync(join(folder, 'ran')))
})

t.test('a report in a file, in a folder of the repository', async (t) => {
  const folder = t.testdir({ deploy: { 'a.yaml': client(false) } })
  mkdirSync(join(folder, 'deploy/out'))
  const { code, out } = await runAction(folder, {
    templates: 'a.yaml',
    format: 'sarif',
    output: 'out/check.sarif',
    'working-directory': 'deploy',
  })
  t.strictSame([code, out], [1, ''])
  const report = JSON.parse(readFileSync(join(folder, 'deploy/out/check.sarif'), 'utf8'))
  const [{ locations }] = report.runs[0].results
  t.equal(locations[0].physicalLocation.artifactLocation.uri, 'deploy/a.yaml')
})
