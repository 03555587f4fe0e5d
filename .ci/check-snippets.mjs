/**
 * Compiles every TypeScript snippet of the README and docs against the built package, each alone, and
 * runs each of them in a process of its own. The API on the README's first screen is asked as well.
 * JavaScript is run elsewhere: docs/from-zero.md by check-from-zero.mjs, docs/jest.md by check-package.mjs.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

const OUT = '.snippets'
/** Milliseconds; only a snippet that hangs takes as long. */
const PATIENCE = 120_000

/** Snippets that cannot run: the document, a part of the code that no other has, and why. */
const NOT_RUN = []

/** What snippets read from the folder they run in. */
const FILES = {
  'template.yaml': 'examples/drift/express/clean/template.yaml',
  'auth.yaml': 'examples/drift/sam/clean/auth.yaml',
  'api.yaml': 'examples/drift/sam/clean/api.yaml',
  'openapi.yaml': 'examples/drift/express/clean/openapi.yaml',
  'infra/prod': 'fixtures/templates/units/terraform-local-module',
}
const ROUTES = { routes: [{ method: 'GET', path: '/orders', auth: { scopes: ['orders/read'] } }] }

function extract() {
  const documents = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md']
  for (const name of readdirSync('docs')) if (name.endsWith('.md')) documents.push(`docs/${name}`)
  const snippets = documents.flatMap((document) => {
    const text = readFileSync(document, 'utf8')
    return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ index, 1: code }) => ({
      document,
      line: text.slice(0, index).split('\n').length + 1,
      code,
    }))
  })
  if (snippets.length === 0) throw new Error('no snippets found')
  return snippets.map((snippet, index) => ({ ...snippet, name: `snippet-${index + 1}` }))
}

function compile(snippets) {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT)
  for (const { name, code } of snippets) {
    // A module of its own even where it imports nothing; port 0 because others may be taken.
    const anyPort = code
      .replaceAll(/port: (?:3000|9464)\b/g, 'port: 0')
      .replace('listen(3000)', 'listen(0)')
    const text = `${anyPort}\nexport {}\n`
    writeFileSync(`${OUT}/${name}.ts`, text)
  }
  const compilerOptions = {
    rootDir: '.',
    outDir: 'out',
    noEmit: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    // NestJS uses the decorators of before ECMAScript's.
    experimentalDecorators: true,
    allowImportingTsExtensions: false,
  }
  // What one of these declares holds for its whole program.
  const isAlone = ({ code }) => /interface Register|express\/global/.test(code)
  // The types of the MCP SDK are not written for this option.
  const isMcp = ({ code }) => code.includes('@modelcontextprotocol/sdk')
  const programs = [
    snippets.filter((it) => !isAlone(it) && !isMcp(it)),
    snippets.filter(isMcp),
    ...snippets.filter(isAlone).map((snippet) => [snippet]),
  ]
  for (const program of programs) {
    const files = program.map(({ name }) => `${name}.ts`)
    const exactOptionalPropertyTypes = !program.some(isMcp)
    const config = {
      extends: '../tsconfig.json',
      compilerOptions: { ...compilerOptions, exactOptionalPropertyTypes },
      files,
      include: [],
    }
    writeFileSync(`${OUT}/tsconfig.json`, JSON.stringify(config))
    execFileSync('npx', ['tsc', '-p', OUT], { stdio: 'inherit' })
  }
}

/** The snippets to run; a line of {@link NOT_RUN} that stands for none, or for several, is an error. */
function runnable(snippets) {
  const excluded = NOT_RUN.map(([document, part, reason]) => {
    const found = snippets.filter((it) => it.document === document && it.code.includes(part))
    if (found.length !== 1) throw new Error(`${found.length} snippets of ${document} have ${part}`)
    process.stdout.write(`${document}:${found[0].line}: not run: ${reason}\n`)
    return found[0]
  })
  return snippets.filter((snippet) => !excluded.includes(snippet))
}

/** @returns What it wrote, where it failed. */
async function run({ document, line, name }) {
  const cwd = resolve(OUT, `cwd-${name}`)
  mkdirSync(cwd)
  for (const [file, from] of Object.entries(FILES))
    cpSync(from, `${cwd}/${file}`, { recursive: true })
  writeFileSync(`${cwd}/routes.json`, JSON.stringify(ROUTES))
  const args = [resolve('.ci/run-snippet.mjs'), resolve(OUT, 'out', `${name}.js`)]
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      written += chunk
    })
  }
  const [status, signal] = await once(child, 'close')
  if (status === 0) return undefined
  return `${document}:${line} ends with ${status ?? signal}\n${written}`
}

async function runAll(snippets) {
  const waiting = [...snippets]
  const failures = []
  const lanes = Array.from({ length: availableParallelism() }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const failure = await run(next)
      if (failure !== undefined) failures.push(failure)
    }
  })
  await Promise.all(lanes)
  if (failures.length > 0) {
    throw new Error(`${failures.length} snippets do not run\n\n${failures.join('\n\n')}`)
  }
}

/** Cognito is out of reach here, so the API it shows can answer no token with 200, but the rest. */
async function runApi(file) {
  const child = spawn('node', [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  for await (const chunk of child.stdout) {
    log += chunk
    if (/Server listening at/.test(log)) break
  }
  const [, origin] = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(log) ?? []
  try {
    const health = await fetch(`${origin}/health`)
    const orders = await fetch(`${origin}/orders`)
    if (health.status !== 200 || orders.status !== 401) {
      throw new Error(`the README's API answers ${health.status} and ${orders.status}`)
    }
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

const snippets = extract()
compile(snippets)
const running = runnable(snippets)
await runAll(running)
await runApi(`${OUT}/out/${snippets.find(({ code }) => code.includes('app.listen(')).name}.js`)
process.stdout.write(
  `${snippets.length} snippets compile, ${running.length} run, ${NOT_RUN.length} cannot, the README's API answers\n`,
)
