/** The pre-commit hook, run by the pre-commit of Debian, if it is installed, with the command of this repository. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'

const HOOKS = '.pre-commit-hooks.yaml'
const text = readFileSync(HOOKS, 'utf8')
const [hook, ...more] = parse(text) as readonly Readonly<Record<string, unknown>>[]

t.test('the hook checks all templates together, and runs no app', async (t) => {
  t.strictSame(more, [])
  const { version, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const parsers = ['web-tree-sitter', '@tree-sitter-grammars/tree-sitter-hcl']
  const packages = [
    `cognito-m2m@${version}`,
    ...parsers.map((name) => `${name}@${peerDependencies[name]}`),
  ]
  t.match(hook, {
    id: 'cognito-m2m-check',
    entry: `npx --yes ${packages.map((one) => `--package ${one}`).join(' ')} cognito-m2m check --no-app`,
    language: 'system',
    pass_filenames: false,
  })
})

const template = (secret: boolean): string => `Resources:
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

const isInstalled = spawnSync('pre-commit', ['--version']).status === 0

t.test(
  'pre-commit runs it for a commit of a template',
  { skip: isInstalled ? false : 'pre-commit is not installed' },
  async (t) => {
    const folder = t.testdir({ hooks: {}, bin: {}, repository: {}, home: {} })
    const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
    // The process has another working directory.
    const loaders = process.execArgv.map((word) => word.replace('=./', `=${resolve('.')}/`))
    const words = [process.execPath, ...loaders, resolve('src/cli/main.ts')].map(quote)
    // In place of npx, which fetches the published package.
    const find = 'while [ "$1" != cognito-m2m ]; do shift; done; shift'
    writeFileSync(join(folder, 'bin/npx'), `#!/bin/sh\n${find}\nexec ${words.join(' ')} "$@"\n`)
    chmodSync(join(folder, 'bin/npx'), 0o755)
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      PRE_COMMIT_HOME: join(folder, 'home'),
      HOME: join(folder, 'home'),
      GIT_CONFIG_NOSYSTEM: '1',
    }
    const hooks = join(folder, 'hooks')
    const repository = join(folder, 'repository')
    const git = (cwd: string, ...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.example', ...args], {
        cwd,
        env,
        encoding: 'utf8',
      }).trim()
    writeFileSync(join(hooks, HOOKS), text)
    for (const cwd of [hooks, repository]) git(cwd, 'init', '-q')
    git(hooks, 'add', '.')
    git(hooks, 'commit', '-qm', 'Add the hook')
    const config = `repos: [{ repo: ${hooks}, rev: ${git(hooks, 'rev-parse', 'HEAD')}, hooks: [{ id: cognito-m2m-check }] }]\n`
    writeFileSync(join(repository, '.pre-commit-config.yaml'), config)
    writeFileSync(
      join(repository, 'cognito-m2m.config.json'),
      JSON.stringify({ templates: ['auth.yaml'], app: 'app.mjs' }),
    )
    writeFileSync(join(repository, 'app.mjs'), 'process.exit(1)')
    writeFileSync(join(repository, 'auth.yaml'), template(true))
    const runHook = () => {
      git(repository, 'add', '.')
      return spawnSync('pre-commit', ['run'], { cwd: repository, env, encoding: 'utf8' })
    }
    const clean = runHook()
    t.equal(clean.status, 0, clean.stdout + clean.stderr)
    writeFileSync(join(repository, 'auth.yaml'), template(false))
    const failed = runHook()
    t.equal(failed.status, 1, failed.stdout + failed.stderr)
    t.match(failed.stdout, /auth\.yaml:\d+:\d+: error client-no-secret /)
  },
)
