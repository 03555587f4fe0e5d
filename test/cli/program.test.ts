import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import { type CognitoAuthOptions, createResourceServer } from '../../src/index.ts'
import type { LocalUserPool } from '../../src/testing/index.ts'
import { ask, decode, FORM } from '../support/http.ts'
import { testTerminal } from '../support/terminal.ts'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** Runs one command in this process; what it started is closed behind the test. */
async function run(test: Teardown, ...args: string[]) {
  const pools: LocalUserPool[] = []
  test.teardown(() => Promise.all(pools.map((pool) => pool.close())))
  const terminal = testTerminal()
  const code = await runProgram(args, terminal, (pool) => pools.push(pool))
  const { out, err } = terminal.written()
  const lines = () => terminal.written().out.trim().split('\n')
  return { code, out, err, lines, pools, pool: pools[0] as LocalUserPool }
}

interface Summary {
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint: string
  readonly options: CognitoAuthOptions
  readonly clients: readonly { clientId: string; clientSecret: string; scopes: string[] }[]
}

async function tokenFor(port: number, { clientId, clientSecret }: Summary['clients'][number]) {
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  return ask(port, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': FORM, authorization },
    body: body.toString(),
  })
}

t.test('local --events: each token request is a line of JSON, without a secret', async (t) => {
  const ran = await run(t, 'local', '--port', '0', '--json', '--events')
  const [line] = ran.lines()
  const { clients } = JSON.parse(line as string) as Summary
  const [client] = clients as [Summary['clients'][number]]
  t.equal((await tokenFor(ran.pool.port, client)).status, 200)
  const lines = ran.lines()
  t.equal(lines.length, 2)
  t.strictSame(JSON.parse(lines[1] as string), ran.pool.events()[0])
  t.match(lines[1], /"eventName":"Token_POST".*"client_id":\["reader"\]/)
  t.notMatch(lines[1], client.clientSecret)
})

t.test('local --json: one line that says where everything is, and it works', async (t) => {
  const { code, out, err, pool } = await run(t, 'local', '--port', '0', '--json')
  t.strictSame([code, err], [0, ''])
  t.match(out, /^\{[^\n]+\}\n$/)
  const summary = JSON.parse(out) as Summary
  t.strictSame(Object.keys(summary), [
    'issuer',
    'jwksUri',
    'tokenEndpoint',
    'userPoolsApi',
    'options',
    'clients',
  ])
  t.equal(summary.issuer, pool.issuer)
  t.equal(summary.jwksUri, pool.jwksUri)
  t.equal(summary.tokenEndpoint, pool.tokenEndpoint)
  t.equal(summary.clients.length, 2)
  for (const client of summary.clients) {
    t.strictSame(Object.keys(client), ['clientId', 'clientSecret', 'scopes'])
    const answer = await tokenFor(pool.port, client)
    t.equal(answer.status, 200)
    t.equal(decode(answer.json['access_token'] as string, 1)['scope'], client.scopes.join(' '))
  }
})

/** Whether options that `local` printed accept a token of the first client. */
async function accept(pool: LocalUserPool, options: CognitoAuthOptions): Promise<unknown> {
  const [client] = pool.clients as [LocalUserPool['clients'][number]]
  const { clientId, clientSecrets, scopes } = client
  const [clientSecret = ''] = clientSecrets
  const answer = await tokenFor(pool.port, { clientId, clientSecret, scopes: [...scopes] })
  const server = createResourceServer(options)
  try {
    return (await server.guard()(`Bearer ${answer.json['access_token']}`))?.clientId
  } finally {
    server.close()
  }
}

t.test('local prints options of cognitoAuth that accept its tokens as they are', async (t) => {
  const first = await run(t, 'local', '--port', '0', '--json')
  const { options } = JSON.parse(first.out) as Summary
  t.equal(await accept(first.pool, options), 'reader')
  const { out, pool } = await run(t, 'local', '--port', '0')
  const [literal = ''] = /\{\n.*?\n {2}\}/s.exec(out) ?? []
  const pasted = Function(`return (${literal})`)() as CognitoAuthOptions
  t.strictSame(pasted, pool.options())
  t.equal(await accept(pool, pasted), 'reader')
})

t.test('local is the same pool at each start, and never takes another port', async (t) => {
  const [first, second] = [
    await run(t, 'local', '--port', '0'),
    await run(t, 'local', '--port', '0'),
  ]
  t.equal(first.pool.userPoolId, 'xx-local-1_LocalPool')
  t.equal(second.pool.userPoolId, first.pool.userPoolId)
  t.strictSame(second.pool.clients, first.pool.clients)
  // Occupies the default port, unless another process does.
  const other = createServer()
  t.teardown(() => other.close())
  await new Promise((resolve) => {
    other.once('error', resolve).listen(3001, '127.0.0.1', () => resolve(undefined))
  })
  const { code, out, err } = await run(t, 'local')
  t.strictSame([code, out], [2, ''])
  t.equal(
    err,
    'cognito-m2m: --port: expected a free port, got 3001, which is in use. Choose another port, or 0 for any.\n',
  )
})

t.test('local does not start in production, whatever its port', async (t) => {
  const { env } = process
  const before = env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete env['NODE_ENV']
    else env['NODE_ENV'] = before
  })
  env['NODE_ENV'] = 'production'
  const { code, out, err } = await run(t, 'local', '--port', '0')
  t.strictSame([code, out], [2, ''])
  t.match(err, /^cognito-m2m: (?!--port)[^\n]*production[^\n]*\n$/)
})

t.test('local --cors: pages of this machine may read its tokens', async (t) => {
  for (const [flags, allowed] of [
    [[], undefined],
    [['--cors'], 'http://localhost:3000'],
  ] as const) {
    const { pool } = await run(t, 'local', '--port', '0', ...flags)
    const headers = { origin: 'http://localhost:3000' }
    const answer = await ask(pool.port, { method: 'POST', path: '/oauth2/token', headers })
    t.equal(answer.headers['access-control-allow-origin'], allowed)
  }
})

t.test('local: every address, client and secret, and a curl line', async (t) => {
  const { code, out, err, pool } = await run(t, 'local', '--port', '0')
  t.strictSame([code, err], [0, ''])
  for (const part of [pool.userPoolId, pool.issuer, pool.jwksUri, pool.tokenEndpoint]) {
    t.ok(out.includes(part), part)
  }
  for (const { clientId, clientSecrets, scopes } of pool.clients) {
    t.match(out, new RegExp(`${clientId} +${clientSecrets[0]} +${scopes.join(' ')}`))
  }
  const line = out.split('\n').find((it) => it.includes('curl')) ?? ''
  const { clientId, clientSecrets } = pool.clients[0] as LocalUserPool['clients'][number]
  t.ok(line.includes(`-u '${clientId}:${clientSecrets[0]}'`))
  t.ok(line.includes('grant_type=client_credentials') && line.includes(pool.tokenEndpoint))
})

t.test('a secret with a quote stays one word of the shell', async (t) => {
  const secret = "a'b c$d"
  const folder = t.testdir({
    'pool.json': JSON.stringify({ clients: [{ clientId: 'a', clientSecrets: [secret] }] }),
  })
  const { out } = await run(t, 'local', '--port', '0', '--config', join(folder, 'pool.json'))
  t.ok(out.includes("-u 'a:a'\\''b c$d'"))
})

t.test('--config and --port say what is started; control is on', async (t) => {
  const file = { port: 0, userPoolId: 'xx-local-1_File', clients: [{ clientId: 'filed' }] }
  const folder = t.testdir({ 'pool.json': JSON.stringify(file) })
  const first = await run(t, 'local', '-c', join(folder, 'pool.json'), '--json')
  t.match(JSON.parse(first.out), {
    issuer: /\/xx-local-1_File$/,
    clients: [{ clientId: 'filed', scopes: [] }],
  })
  const { port } = first.pool
  const answer = await ask(port, {
    method: 'PUT',
    path: '/_local/jwks-fault',
    headers: { 'content-type': 'application/json' },
    body: '{"fault":"500"}',
  })
  t.equal(answer.status, 204)
  await first.pool.close()
  const second = await run(t, 'local', '-p', String(port), '--json')
  t.equal(second.pool.port, port)
  const third = await run(t, 'local', '--port', String(port))
  t.match(third, {
    code: 2,
    out: '',
    err: `cognito-m2m: --port: expected a free port, got ${port}, which is in use. Choose another port, or 0 for any.\n`,
  })
  t.equal(third.pools.length, 0)
})

const wrong: readonly [string, string[], RegExp][] = [
  [
    'no command',
    [],
    /: expected a command \(local, token, rotate, explain, check, export, usage, completion\), got none\. Run cognito-m2m --help\.$/m,
  ],
  ['an unknown command', ['lokal'], /unknown command 'lokal'/],
  ['an unknown option', ['local', '--prot', '1'], /unknown option '--prot'/],
  ['an unknown option of the program', ['--quiet'], /unknown option '--quiet'/],
  ['an option without its value', ['local', '--port'], /'-p, --port <number>' argument missing/],
  ['an argument too many', ['local', 'pool.json'], /too many arguments/],
  [
    'a port in words',
    ['local', '--port', 'http'],
    /--port: expected a whole number from 0 to 65535, got "http"\. Pass a number in that range\.$/m,
  ],
  [
    'a port that is none',
    ['local', '--port', '65536'],
    /--port: expected a whole number from 0 to 65535, got 65536\. Pass a number in this range\.$/m,
  ],
  [
    'a file that is not there',
    ['local', '--config', 'absent.json'],
    /absent\.json: expected a readable JSON file, got ENOENT\. Correct the path or the permissions\.$/m,
  ],
]

for (const [name, args, message] of wrong) {
  t.test(`${name}: one line, exit 2, nothing started`, async (t) => {
    const { code, out, err, pools } = await run(t, ...args)
    t.strictSame([code, out, pools.length], [2, '', 0])
    t.match(err, /^cognito-m2m: [^\n]+\n$/)
    t.match(err, message)
    t.notMatch(err, /\n {4}at /)
  })
}

t.test('--version and --help', async (t) => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  t.match(await run(t, '--version'), { code: 0, out: `${version}\n`, err: '' })
  t.match(await run(t, '--help'), { code: 0, out: /^NAME\n {4}cognito-m2m - /, err: '' })
  t.match(await run(t, 'local', '--help'), { code: 0, out: /--config <file>/, err: '' })
})

t.test('a fault of the program itself is one line too, without a stack', async (t) => {
  const pools: LocalUserPool[] = []
  t.teardown(() => Promise.all(pools.map((pool) => pool.close())))
  const terminal = testTerminal({
    out: () => {
      throw new Error('the stream\nis gone')
    },
  })
  t.equal(await runProgram(['local', '--port', '0'], terminal, (pool) => pools.push(pool)), 2)
  t.equal(terminal.written().err, 'cognito-m2m: command failed: Error: the stream is gone\n')
})
