import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createResourceServer } from '../../../src/index.ts'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { runLocal } from '../../support/local-pool.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

interface Summary {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly options: { readonly userPoolId: string; readonly clientId: string[]; issuer: string }
  readonly clients: readonly { clientId: string; clientSecret: string }[]
}

/** Runs the command in a child process. `end` sends a signal and returns all output. */
async function start(t: Test, ...args: string[]) {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, 'local', '--json', ...args])
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const closed = once(child, 'close')
  while (!output.includes('\n')) await Promise.race([once(child.stdout, 'data'), closed])
  const summary = JSON.parse(output.split('\n')[0] as string) as Summary
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return { status: await closed, output }
  }
  return { summary, end }
}

/** Values of private keys in a state file. */
function privateValues(state: string): string[] {
  return [...readFileSync(state, 'utf8').matchAll(/"(?:d|p|q|dp|dq|qi)": "([^"]+)"/g)].map(
    ([, value]) => value as string,
  )
}

async function statusOf({ options }: Summary, token: string): Promise<string> {
  const server = createResourceServer(options)
  try {
    const { clientId } = (await server.guard()(`Bearer ${token}`)) as { clientId: string }
    return clientId
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    server.close()
  }
}

t.test(
  'a token of the command is valid after SIGKILL and a restart, rotation included',
  async (t) => {
    const folder = t.testdir({
      'pool.json': JSON.stringify({ clients: [{ clientId: 'billing' }] }),
    })
    const state = join(folder, 'pool.state.json')
    const args = ['--state', state, '--port', '0', '--config', join(folder, 'pool.json')]
    const first = await start(t, ...args)
    const { tokenEndpoint, issuer, clients } = first.summary
    const [{ clientId, clientSecret }] = clients as [Summary['clients'][number]]
    const client = createTokenClient({ tokenEndpoint, clientId, clientSecret })
    const { accessToken } = await client.getToken()
    client.close()
    t.equal(statSync(state).mode & 0o777, 0o600)
    const rotation = await fetch(new URL('/_local/rotation', issuer), {
      method: 'POST',
      body: '{"keepOld":true}',
      headers: { 'content-type': 'application/json' },
    })
    t.equal(rotation.status, 204)
    const secrets = privateValues(state)
    t.equal(secrets.length, 24, 'four keys')
    const ended = [await first.end('SIGKILL')]
    const second = await start(t, ...args)
    t.strictSame(second.summary, first.summary, 'issuer, options and secrets are the same')
    t.equal(await statusOf(second.summary, accessToken), 'billing')
    ended.push(await second.end('SIGTERM'))
    t.strictSame(ended[1]?.status, [0, null])
    for (const { output } of ended) {
      t.notOk(
        secrets.some((secret) => output.includes(secret)),
        'no private key is printed',
      )
    }
  },
)

t.test('an invalid state file is reported in one line with --state', async (t) => {
  const folder = t.testdir({ 'other.json': JSON.stringify({ userPoolId: 'xx-local-1_Other' }) })
  const state = join(folder, 'pool.state.json')
  const begin = (...args: string[]) => runLocal(t, '--port', '0', '--state', state, ...args)
  const { code, err, out, pool } = await begin()
  t.strictSame([code, err], [0, ''])
  t.notOk(privateValues(state).some((secret) => out.includes(secret)))
  await pool.close()
  const refusals: [string, RegExp, () => unknown, string[]][] = [
    [
      'another pool',
      /expected the state of [^\n]+ xx-local-1_Other, got /,
      () => {},
      [...['--config', join(folder, 'other.json')]],
    ],
    ['another host', /expected the state of host ::1/, () => {}, ['--host', '::1']],
    ['its mode', /expected mode 0600, got 0644[^\n]+chmod 600 /, () => chmodSync(state, 0o644), []],
    [
      ...(['malformed', /"pool\.state\.json":\d+:\d+: expected JSON/] as const),
      () => {
        const text = readFileSync(state, 'utf8').slice(0, 500)
        chmodSync(state, 0o600)
        writeFileSync(state, text)
      },
      [],
    ],
  ]
  for (const [name, expected, spoil, args] of refusals) {
    spoil()
    const refused = await begin(...args)
    t.strictSame([refused.code, refused.out], [2, ''], name)
    t.match(refused.err, /^cognito-m2m: --state: "pool\.state\.json":[^\n]+\n$/, name)
    t.match(refused.err, expected, name)
  }
})

t.test('a second pool with the file gets an error about its port', async (t) => {
  const state = join(t.testdir({}), 'pool.state.json')
  const { pool } = await runLocal(t, '--port', '0', '--state', state)
  const second = await runLocal(t, '--port', '0', '--state', state)
  t.strictSame([second.code, second.out], [2, ''])
  t.equal(
    second.err,
    `cognito-m2m: --port: expected port ${pool.port} of the state file to be free, got a port in use. Stop the process that uses it, or set another file.\n`,
  )
})

t.test('--state makes no file under NODE_ENV=production', async (t) => {
  const before = process.env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'production'
  const state = join(t.testdir({}), 'pool.state.json')
  const { code, err } = await runLocal(t, '--port', '0', '--state', state)
  t.equal(code, 2)
  t.equal(
    err,
    'cognito-m2m: NODE_ENV: expected development or test for a generated user pool, got production. Use a pool of Cognito there.\n',
  )
  t.notOk(existsSync(state))
})
