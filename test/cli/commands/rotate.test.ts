/** `cognito-m2m rotate`: flags, packages of the AWS SDK, exit codes, and outputs without secrets. */
import t from 'tap'
import { rotateCommand } from '../../../src/cli/commands/rotate/command.ts'
import { toRotationFailure } from '../../../src/cli/commands/rotate/failure.ts'
import { CommandFailure } from '../../../src/cli/exit-codes.ts'
import { TokenClientError } from '../../../src/tokens/client/index.ts'
import { RotationError } from '../../../src/tokens/rotate/index.ts'
import { NAME, SECRET_ID, setUpRotate } from '../../support/rotate-cli.ts'
import { CLIENT_ID, FIRST_SECRET } from '../../support/rotation.ts'
import { run } from '../../support/run-cli.ts'
import { testTerminal } from '../../support/terminal.ts'

const ALL = ['pending', 'add', 'test', 'promote', 'grace', 'delete']
const POOL_ID = 'eu-west-1_AbCdEfGhI'
const required = ['--user-pool-id', POOL_ID, '--client-id', CLIENT_ID]
const { fetch } = globalThis

t.test('a rotation with Secrets Manager, by the real SDK and a local pool', async (t) => {
  const { pool, secretsManager, args } = await setUpRotate(t)
  const ran = await run([...args, '--store', `secretsmanager:${SECRET_ID}`], { fetch })
  t.equal(ran.code, 0, ran.err)
  t.match(ran.out, /^new secret billing--\d+, deleted secret billing--\d+\n$/)
  t.match(ran.err, /^cognito-m2m: save a new secret as pending\n(?:cognito-m2m: .+\n){5}$/)
  const current = secretsManager.valueOf('AWSCURRENT')
  t.strictSame(pool.clients[0]?.clientSecrets, [current])
  t.notMatch(ran.out + ran.err, String(current))
})

t.test('a rotation with Parameter Store, as JSON, with the token endpoint', async (t) => {
  const { pool, parameters, args } = await setUpRotate(t)
  const store = ['--store', `ssm:${NAME}`, '--kms-key-id', 'alias/orders']
  const flags = [...store, '--token-url', pool.tokenEndpoint, '--json']
  const ran = await run([...args, ...flags], { fetch })
  t.equal(ran.code, 0, ran.err)
  const { secretId, oldSecretId, ...others } = JSON.parse(ran.out)
  t.match([secretId, oldSecretId], [/^billing--/, /^billing--/])
  const client = { userPoolId: pool.userPoolId, clientId: CLIENT_ID }
  t.strictSame(others, { ...client, dryRun: false, resumed: false, steps: ALL })
  t.equal(parameters.parameters.get(NAME)?.KeyId, 'alias/orders')
  t.notMatch(ran.out + ran.err, String(parameters.valueOf(NAME)))
})

t.test('--dry-run prints the steps and changes nothing', async (t) => {
  const { pool, parameters, args } = await setUpRotate(t)
  const flags = ['--store', `ssm:${NAME}`, '--dry-run']
  const ran = await run([...args, ...flags], { fetch })
  t.match(ran, { code: 0, err: '' })
  t.match(
    ran.out,
    /^would start a rotation of secret billing--\d+:\n {2}save a new secret as pending\n/,
  )
  const json = await run([...args, ...flags, '--json'], { fetch })
  t.match(JSON.parse(json.out), { dryRun: true, resumed: false, steps: ALL, secretId: null })
  t.strictSame(pool.clients[0]?.clientSecrets, [FIRST_SECRET])
  t.equal(parameters.parameters.size, 1)
  const value = 'b'.repeat(64)
  const [replaces] = /billing--\d+/.exec(ran.out) ?? []
  const Value = JSON.stringify({ value, replaces })
  const Name = `${NAME}/pending`
  await parameters.putParameter({ Name, Type: 'SecureString', Value, Overwrite: false })
  const resumed = await run([...args, ...flags], { fetch })
  t.match(resumed.out, /^would resume a rotation of .*\n {2}add the new secret to the app client\n/)
  t.notMatch(ran.out + json.out + resumed.out + resumed.err, value)
  t.notMatch(ran.out + json.out + resumed.out + resumed.err, FIRST_SECRET)
})

t.test('Ctrl-C in the grace period ends with 130, and another run resumes', async (t) => {
  const { pool, args } = await setUpRotate(t)
  const controller = new AbortController()
  const terminal = testTerminal({ fetch, signal: controller.signal })
  const err = (text: string): void => {
    terminal.err(text)
    if (text.includes('wait for the grace period, until 20')) controller.abort()
  }
  const store = ['--store', `ssm:${NAME}`]
  const stopped = await run([...args.slice(0, -1), '24h', ...store], { ...terminal, err })
  t.equal(stopped.code, 130)
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
  const resumed = await run([...args, ...store, '--json'], { fetch })
  t.match(JSON.parse(resumed.out), { resumed: true, steps: ['test', 'grace', 'delete'] })
})

t.test('no output of a failing run has a secret', async (t) => {
  const { pool, secretsManager, parameters, args } = await setUpRotate(t)
  const ssm = ['--store', `ssm:${NAME}`]
  /** Refuses the new secret. */
  const refused: typeof fetch = async (url, init) =>
    String(init?.body).includes(FIRST_SECRET)
      ? fetch(url, init)
      : Response.json({ error: 'invalid_scope' }, { status: 400 })
  const closed = 'http://127.0.0.1:9'
  const other = [...args, ...ssm]
  const cases: readonly (readonly [readonly string[], object, number, RegExp])[] = [
    [
      [...args, '--store', 'secretsmanager:missing'],
      {},
      1,
      /ResourceNotFoundException \(status 400, request/,
    ],
    [[...args, '--store', 'ssm:/missing'], {}, 1, /\/missing must exist\. Create it\./],
    [other, { fetch: refused }, 1, /invalid_scope \(status 400\)\. Check where callers get tokens/],
    [
      [...other.slice(0, 5), '--endpoint-url', closed, ...ssm],
      {},
      3,
      /Cognito failed\. It returned ECONNREFUSED\./,
    ],
    [other.with(2, 'xx-local-1_other'), {}, 1, /ResourceNotFoundException/],
    [other.with(4, 'nobody'), {}, 1, /ResourceNotFoundException/],
    [[...other, '--region', 'moon-1'], {}, 2, /^cognito-m2m: --region: expected a Region of AWS/],
  ]
  for (const json of [[], ['--json']]) {
    for (const [flags, parts, code, message] of cases) {
      const ran = await run([...flags, ...json], { fetch, ...parts })
      t.strictSame([ran.code, ran.out], [code, ''], ran.err)
      const last = ran.err.trimEnd().split('\n').at(-1) ?? ''
      t.match(last, message)
      t.match(last, /^cognito-m2m: .+\.$/)
      const values = [...parameters.parameters.values()].map(({ Value }) => Value.slice(10, 60))
      for (const secret of [FIRST_SECRET, ...values]) t.notMatch(ran.err, secret)
    }
  }
  const ran = await run([...args, '--store', `secretsmanager:${SECRET_ID}`], { fetch })
  t.match(ran, { code: 1, out: '', err: /does not know which one is old\. Delete the one/ })
  t.equal(pool.clients[0]?.clientSecrets.length, 2)
  t.equal(secretsManager.valueOf('AWSCURRENT'), FIRST_SECRET)
})

/** Runs the command with other packages. */
async function runWith(args: readonly string[], exported: unknown, env = {}): Promise<unknown> {
  const terminal = testTerminal({ fetch, env })
  const context = { terminal, exitWith: () => {}, onPoolStarted: () => {} }
  const imported: string[] = []
  const { command } = rotateCommand(context, async (name) => {
    imported.push(name)
    if (exported instanceof Error) throw exported
    return exported
  })
  command.exitOverride()
  return command.parseAsync([...args], { from: 'user' }).then(
    () => imported,
    (error: unknown) => error,
  )
}

t.test('a missing package is named', async (t) => {
  const args = [...required, '--store', 'ssm:/a', '--region', 'eu-west-1']
  for (const exported of [new Error('not found'), {}, undefined]) {
    t.match(await runWith(args, exported), {
      message:
        'cognito-m2m: @aws-sdk/client-cognito-identity-provider: expected an installed package with CognitoIdentityProvider, got none. Run npm install @aws-sdk/client-cognito-identity-provider.',
    })
  }
})

t.test('clients have the Region of the pool, of the environment, or of the ARN', async (t) => {
  const configs: Readonly<Record<string, unknown>>[] = []
  class Client {
    constructor(config: Readonly<Record<string, unknown>>) {
      configs.push(config)
    }
    listUserPoolClientSecrets = async (): Promise<never> => Promise.reject(new Error('stop'))
    addUserPoolClientSecret = this.listUserPoolClientSecrets
    deleteUserPoolClientSecret = this.listUserPoolClientSecrets
    getSecretValue = this.listUserPoolClientSecrets
    putSecretValue = this.listUserPoolClientSecrets
    updateSecretVersionStage = this.listUserPoolClientSecrets
    getParameters = this.listUserPoolClientSecrets
    putParameter = this.listUserPoolClientSecrets
    deleteParameter = this.listUserPoolClientSecrets
  }
  const sdk = { CognitoIdentityProvider: Client, SecretsManager: Client, SSM: Client }
  const arn = 'secretsmanager:arn:aws:secretsmanager:us-east-1:123456789012:secret:a-b1c2d3'
  const api = ['--region', 'eu-west-1', '--region', 'eu-central-1']
  const local = ['--user-pool-id', 'xx-local-1_a', '--client-id', 'a']
  const url = 'http://127.0.0.1:3001/'
  const keys = { accessKeyId: 'local', secretAccessKey: 'local' }
  const cases: readonly (readonly [readonly string[], object, readonly object[]])[] = [
    [
      [...required, ...api, '--store', 'ssm:a'],
      {},
      [{ region: 'eu-west-1' }, { region: 'eu-west-1' }],
    ],
    [
      [...required, ...api, '--store', 'secretsmanager:a'],
      { AWS_REGION: 'eu-north-1' },
      [{ region: 'eu-west-1' }, { region: 'eu-north-1' }],
    ],
    [
      [...required, ...api, '--store', 'ssm:a'],
      { AWS_DEFAULT_REGION: 'eu-north-1' },
      [{ region: 'eu-west-1' }, { region: 'eu-north-1' }],
    ],
    [[...required, ...api, '--store', arn], {}, [{ region: 'eu-west-1' }, { region: 'us-east-1' }]],
    [
      [...required, '--endpoint-url', 'https://vpce.example', '--store', 'ssm:a'],
      {},
      [{ region: 'eu-west-1', endpoint: 'https://vpce.example/' }, { region: 'eu-west-1' }],
    ],
    [
      [...local, '--endpoint-url', 'http://127.0.0.1:3001', '--store', 'ssm:a'],
      {},
      [{ region: 'xx-local-1', endpoint: url, credentials: keys }, {}],
    ],
  ]
  for (const [args, env, expected] of cases) {
    configs.splice(0)
    t.match(await runWith(args, sdk, env), { exitCode: 3 })
    t.strictSame(configs, expected)
  }
})

t.test('each wrong flag has a message of one line with the fix', async (t) => {
  const store = ['--store', 'ssm:/a']
  const api = ['--region', 'eu-west-1']
  const base = ['rotate', ...required]
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['rotate', ...store, ...api], /required option '--user-pool-id <id>' not specified/],
    [
      [...base, ...store],
      /--token-url: expected --token-url, --region or --endpoint-url, got none/,
    ],
    [[...base, ...store, ...api, '--token-url', 'https://a/b'], /--region: .* got both/],
    [[...base, ...api, '--store', 'vault:a'], /--store: expected secretsmanager:NAME or ssm:NAME/],
    [[...base, ...api, '--store', 'ssm:'], /--store: expected secretsmanager:NAME/],
    [[...base, ...api, '--store', 'ssm:arn:aws:ssm:a:b:parameter/a'], /--store: .* got an ARN/],
    [[...base, ...api, '--store', 'ssm:/a?'], /--store: expected a name of letters/],
    [
      [...base, ...api, '--store', 'secretsmanager:a', '--kms-key-id', 'a'],
      /--kms-key-id: expected no key/,
    ],
    [[...base, ...api, ...store, '--secret-field', 'a'], /--secret-field: expected no field/],
    [
      [...base, ...api, '--store', 'secretsmanager:a', '--secret-field', ''],
      /--secret-field: expected a non-empty/,
    ],
    [[...base, ...api, ...store, '--kms-key-id', ''], /--kms-key-id: expected the ID or ARN/],
    [[...base, ...api, ...store, '--grace', '24'], /--grace: expected 0 or a number with the unit/],
    [[...base, ...api, ...store, '--grace', '-1h'], /--grace/],
    [[...base, ...api, ...store, '--grace', '8d'], /--grace: .* from 0 to 604800/],
    [[...base, ...store, '--endpoint-url', 'http://a.example'], /--endpoint-url: .*https/],
    [[...base, ...store, '--region', 'moon-1'], /--region: expected a Region of AWS/],
    [[...base, ...store, ...api, ...api, ...api], /--region: expected one or two, got 3/],
    [[...base, ...store, '--token-url', 'http://a/oauth2/token'], /--token-url: .*https/],
    [
      ['rotate', '--user-pool-id', 'nonsense', '--client-id', 'a', ...store, ...api],
      /--user-pool-id: expected/,
    ],
    [
      ['rotate', '--user-pool-id', POOL_ID, '--client-id', '', ...store, ...api],
      /--client-id: expected/,
    ],
    [
      ['rotate', '--user-pool-id', 'xx-local-1_a', '--client-id', 'a', ...store, ...api],
      /--endpoint-url: expected the URL of the local pool/,
    ],
  ]
  for (const [args, message] of cases) {
    const ran = await run(args)
    t.strictSame([ran.code, ran.out], [2, ''], ran.err)
    t.match(ran.err, message)
    t.match(ran.err, /^cognito-m2m: [^\n]+\.\n$/)
  }
})

t.test('each failure has its exit code', async (t) => {
  const refused = new TokenClientError('ERR_TOKEN_REQUEST_REFUSED', { error: 'invalid_client' })
  const network = new TokenClientError('ERR_TOKEN_REQUEST_NETWORK')
  const cases: readonly (readonly [RotationError, number])[] = [
    [new RotationError('ERR_ROTATION_CONFLICT'), 1],
    [new RotationError('ERR_ROTATION_SECRETS'), 1],
    [new RotationError('ERR_ROTATION_TOKEN', { cause: refused }), 1],
    [new RotationError('ERR_ROTATION_TOKEN', { cause: network }), 3],
    [new RotationError('ERR_ROTATION_STORE', { exception: 'AccessDenied', status: 400 }), 1],
    [new RotationError('ERR_ROTATION_STORE', { exception: 'ThrottlingException', status: 400 }), 3],
    [
      new RotationError('ERR_ROTATION_COGNITO', {
        exception: 'TooManyRequestsException',
        status: 400,
      }),
      3,
    ],
    [new RotationError('ERR_ROTATION_COGNITO', { exception: 'InternalError', status: 500 }), 3],
    [new RotationError('ERR_ROTATION_COGNITO', { exception: 'ECONNRESET' }), 3],
  ]
  for (const [error, exitCode] of cases) {
    const failure = toRotationFailure(error)
    t.ok(failure instanceof CommandFailure)
    t.match(failure, { exitCode }, error.code)
  }
  const foreign = new TypeError('a')
  t.equal(toRotationFailure(foreign), foreign)
})
