import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startUserPool } from '../../src/testing/index.ts'
import { jwk, machineToken } from '../support/forge.ts'
import { ask, decode, failure } from '../support/http.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Module hooks that record the files a process loads. Its coverage belongs to tap. */
const hooks = `import { appendFileSync } from 'node:fs'
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  appendFileSync(process.env.LOADED, found.url + String.fromCharCode(10))
  return found
}`
/** Without quotes, which would end a word of the shell. */
const inUrl = (code: string) =>
  `data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`
const LOGGED = `--import=${inUrl(`import { register } from 'node:module'
if (process.env.LOADED) register(${JSON.stringify(inUrl(hooks))})`)}`

/** In front of tap's loaders. */
const NODE_ARGS = [...process.execArgv, LOGGED]

/** Starts the command in a child process with the loaders of this one. */
function start(...args: string[]) {
  return startIn({}, ...args)
}

function startIn(env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, [...NODE_ARGS, MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  return { child, err: () => err }
}

/** Files of the source that a process loaded. */
function loadedIn(file: string): string[] {
  const urls = readFileSync(file, 'utf8').split('\n')
  return urls.flatMap((url) => /^file:.*\/src\/(.+\.ts)$/.exec(url)?.[1] ?? [])
}

// Starting a process takes seconds with the loaders, so they run side by side.
t.jobs = 3

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`local runs until ${signal}, then ends with 0`, async (t) => {
    const LOADED = join(t.testdir({ loaded: '' }), 'loaded')
    const { child, err } = startIn({ LOADED }, 'local', '--port', '0', '--json')
    t.teardown(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { jwksUri } = JSON.parse(line.toString()) as { jwksUri: string }
    const { port, pathname } = new URL(jwksUri)
    t.equal((await ask(Number(port), { path: pathname })).status, 200)
    child.kill(signal)
    t.strictSame(await once(child, 'close'), [0, null])
    t.equal(err(), '')
    t.equal(await failure(ask(Number(port))), 'ECONNREFUSED')
    const loaded = loadedIn(LOADED)
    t.ok(loaded.includes('cli/commands/local.ts'))
    const others =
      /^(cli\/commands\/(explain|token\.|check|export)|tokens\/(client|proxy)|contract\/infra\/(syntax\/yaml|terraform)|adapters)/
    t.strictSame(
      loaded.filter((file) => others.test(file)),
      [],
    )
  })
}

t.test('wrong usage ends with 2 and one line', async (t) => {
  const { child, err } = start('lokal')
  t.strictSame(await once(child, 'close'), [2, null])
  t.match(err(), /^cognito-m2m: unknown command 'lokal'[^\n]*\n$/)
})

const BIN = [process.execPath, ...NODE_ARGS, MAIN].map((word) => `'${word}'`).join(' ')

/** A line of bash in which `$BIN` is this program. */
function shell(line: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn('bash', ['-c', line.replaceAll('$BIN', BIN)], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const written = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    written.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    written.err += chunk.toString()
  })
  return { child, written }
}

/** What comes of it once it ended. */
async function shellEnd(line: string, env: NodeJS.ProcessEnv = {}) {
  const { child, written } = shell(line, env)
  child.stdin.end()
  const [code] = await once(child, 'close')
  return { code, ...written }
}

t.test('a closed pipe is ignored; an output that cannot be written is reported', async (t) => {
  const error = 'cognito-m2m: cannot write the output (ENOSPC)\n'
  const [unread, full] = await Promise.all([
    shellEnd('set -o pipefail; $BIN completion bash | true; echo $?'),
    existsSync('/dev/full') ? shellEnd('$BIN completion bash > /dev/full; echo $?') : undefined,
  ])
  t.strictSame(unread, { code: 0, out: '0\n', err: '' })
  if (full !== undefined) t.strictSame(full, { code: 0, out: '3\n', err: error })
})

t.test('standard input is read from a pipe, up to a limit', async (t) => {
  const folder = t.testdir({
    'jwks.json': JSON.stringify({ keys: [jwk()] }),
    token: machineToken(),
    long: 'x'.repeat(100_000),
    loaded: '',
  })
  const args = `explain --jwks ${join(folder, 'jwks.json')} --at 1700000000 --json`
  const LOADED = join(folder, 'loaded')
  const explained = await shellEnd(`$BIN ${args} < ${join(folder, 'token')}`, { LOADED })
  t.match(explained, { code: 0, err: '' })
  t.equal(JSON.parse(explained.out).verdict, 'accepted')
  const loaded = loadedIn(LOADED)
  t.ok(loaded.includes('cli/commands/explain/command.ts'))
  const others =
    /^(cli\/commands\/(local|token\.|check|export)|testing|tokens\/(client|proxy)|contract\/infra|adapters)/
  t.strictSame(
    loaded.filter((file) => others.test(file)),
    [],
    'nothing that others need',
  )
  t.strictSame(await shellEnd(`$BIN ${args} < ${join(folder, 'long')}`), {
    code: 2,
    out: '',
    err: 'cognito-m2m: standard input: expected at most 65536 bytes, got more. Pass a shorter input.\n',
  })
})

t.test('Ctrl-C ends a waiting command without a message', async (t) => {
  const silent = createServer(() => {})
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.closeAllConnections())
  t.teardown(() => silent.close())
  const issuer = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const { child, err } = start('token', '--issuer', issuer, '--client-id', 'billing')
  t.teardown(() => child.kill('SIGKILL'))
  await once(silent, 'request')
  child.kill('SIGINT')
  t.strictSame(await once(child, 'close'), [130, null])
  t.equal(
    err(),
    `cognito-m2m: requesting the token endpoint from ${issuer}/.well-known/openid-configuration\n`,
  )
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`${signal} ends a read from a pipe that nobody writes`, async (t) => {
    const folder = t.testdir({ loaded: '' })
    const pipe = join(folder, 'pipe')
    spawnSync('mkfifo', [pipe])
    const LOADED = join(folder, 'loaded')
    const { child, err } = startIn({ LOADED }, 'check', pipe, '--json')
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    let writer = openWriter(pipe)
    while (writer === undefined) {
      await setTimeout(20)
      writer = openWriter(pipe)
    }
    child.kill(signal)
    t.strictSame(await once(child, 'close'), [exitCode, null])
    closeSync(writer)
    t.strictSame([out, err()], ['', ''])
  })
}

/** Opens a pipe without blocking. Undefined until a process reads it. */
function openWriter(pipe: string): number | undefined {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

const hasScript = /util-linux/.test(String(spawnSync('script', ['--version']).stdout))
const noScript = hasScript ? false : 'script of util-linux IS NOT INSTALLED: no terminal is tested'
if (noScript !== false && process.env['CI'] === 'true') throw new Error(noScript)

/** What is on when keys are shown and lines are edited. */
const MODES = "stty -a | grep -owE '[-]?(echo|icanon)'"

/** Runs a command on a terminal of `script`. Resolves at the prompt. */
async function startPrompt(t: Test, line: string, question: string) {
  const file = join(t.testdir({ line: `${line.replaceAll('$BIN', BIN)}; ${MODES}` }), 'line')
  const { child, written } = shell(`script -qec 'bash ${file}' /dev/null`)
  t.teardown(() => child.stdin.end())
  while (!written.out.includes(question)) await once(child.stdout, 'data')
  return { child, written, close: once(child, 'close') }
}

t.test('a secret typed on a terminal is not shown', { skip: noScript }, async (t) => {
  const secret = 'typed-and-never-shown'
  const pool = await startUserPool({ clients: [{ clientId: 'billing', clientSecrets: [secret] }] })
  t.teardown(() => pool.close())
  const question = 'Secret of app client billing: '
  const line = `$BIN token --token-url ${pool.tokenEndpoint} --client-id billing`
  const { child, written, close } = await startPrompt(t, line, question)
  child.stdin.write(`wrong\u0015${secret}\r`)
  await close
  const [first, token = '', ...modes] = written.out.split('\r\n')
  t.equal(first, question)
  t.equal(decode(token, 1)['client_id'], 'billing')
  t.strictSame(modes, ['icanon', 'echo', ''], 'the terminal is as it was')
})

t.test('Ctrl-C at a question leaves the terminal as it was', { skip: noScript }, async (t) => {
  const { child, written, close } = await startPrompt(
    t,
    '$BIN explain; echo "ended with $?"',
    'Token: ',
  )
  child.stdin.write('typed\u0003')
  await close
  t.strictSame(written.out.split('\r\n'), ['Token: ', 'ended with 130', 'icanon', 'echo', ''])
})
