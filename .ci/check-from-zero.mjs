/**
 * Follows docs/from-zero.md in an empty folder, as a newcomer does: writes every file it shows and runs every
 * command, in order, on the packed tarball. What follows a command as text has to be in its output. Programs
 * that reach AWS are stand-ins: they have to be called with files that are there.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Milliseconds a command may take. */
const LONGEST = 60_000
const OTHER_TERMINAL = '# in another terminal'
/** What a stand-in is called with is what the page says to deploy, so it has to be there. */
const STAND_IN = `#!/usr/bin/env bash
for word in "$@"; do
  case "$word" in
    *.yaml) [ -f "$word" ] || { echo "$0: no file $word" >&2; exit 1; } ;;
    -chdir=*) [ -f "\${word#-chdir=}/main.tf" ] || { echo "$0: no module $word" >&2; exit 1; } ;;
  esac
done
`

/** What npx does with a program that is installed, without half a second of npm each time. */
const NPX = `#!/usr/bin/env bash
exec "node_modules/.bin/$1" "\${@:2}"
`

const root = process.cwd()
const work = mkdtempSync(join(tmpdir(), 'cognito-m2m-from-zero-'))
const folder = join(work, 'orders')
const open = []

function check(condition, problem) {
  if (!condition) throw new Error(`from-zero: ${problem}`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return String(port)
}

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work]
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }))
  return join(work, filename)
}

/** Blocks of code in order, each with what it is. */
function blocksOf(page) {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language,
    text,
  }))
}

/** Lines of the page are somewhere in the output; `…` stands for anything within a line. */
function holds(output, expected) {
  const lines = output.split('\n').map((line) => line.trim())
  return expected
    .trim()
    .split('\n')
    .every((line) => {
      const parts = line.trim().split('…')
      const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')
      const whole = new RegExp(`^${pattern}$`)
      return lines.some((it) => whole.test(it))
    })
}

/** Runs a block of shell; in another terminal it stays open until the end. */
async function run(text, expected, env) {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', text], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
  })
  let output = ''
  const stays = text.startsWith(OTHER_TERMINAL)
  const told = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        if (stays && holds(output, expected)) resolve('told')
      })
    }
  })
  const ended = once(child, 'close').then(([code]) => code)
  const late = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LONGEST)
  if (stays) open.push({ pid: child.pid, ended })
  const how = await (stays ? Promise.race([told, ended]) : ended)
  clearTimeout(late)
  if (stays) check(how === 'told', `${text}ended with ${how}:\n${output}`)
  else check(how === 0, `${text}ends with ${how}:\n${output}`)
  check(holds(output, expected), `${text}says\n${output}not\n${expected}`)
}

try {
  const tarball = pack()
  mkdirSync(folder)
  const bin = join(work, 'bin')
  mkdirSync(bin)
  for (const program of ['aws', 'sam', 'terraform', 'npx']) {
    writeFileSync(join(bin, program), program === 'npx' ? NPX : STAND_IN, { mode: 0o755 })
  }
  const ports = [await freePort(), await freePort()]
  const page = readFileSync('docs/from-zero.md', 'utf8')
    .replaceAll('3000', ports[0])
    .replaceAll('3001', ports[1])
    .replace('npm install cognito-m2m', `npm install --no-audit --no-fund ${tarball}`)
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' }
  const blocks = blocksOf(page)
  const count = { files: 0, commands: 0 }
  for (const [index, { language, text }] of blocks.entries()) {
    if (language === 'text') continue
    if (language === 'sh') {
      const next = blocks[index + 1]
      await run(text, next?.language === 'text' ? next.text : '', env)
      count.commands += text.trim().split('\n').length
      continue
    }
    const [, file] = /^(?:\/\/|#) (\S+)\n/.exec(text) ?? []
    check(file !== undefined, `a block of ${language} without the name of its file`)
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
    count.files += 1
  }
  check(count.files > 3 && count.commands > 10, 'the page has lost its steps')
  process.stdout.write(`from-zero: ${count.files} files, ${count.commands} commands\n`)
} finally {
  for (const { pid, ended } of open.reverse()) {
    try {
      process.kill(-pid, 'SIGTERM')
    } catch {
      // It has ended by itself.
    }
    await ended
  }
  rmSync(work, { recursive: true, force: true })
}
