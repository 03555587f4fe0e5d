/**
 * Compiles every TypeScript snippet of the README and docs against the built package, each alone, and
 * runs those of the README's first screen: the API it shows, and the test it shows.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const OUT = '.snippets'

function extract() {
  const documents = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md']
  for (const name of readdirSync('docs')) if (name.endsWith('.md')) documents.push(`docs/${name}`)
  const snippets = documents.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code),
  )
  if (snippets.length === 0) throw new Error('no snippets found')
  return snippets
}

function compile(snippets) {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT)
  for (const [index, code] of snippets.entries()) {
    // A module of its own even where it imports nothing; port 0 because 3000 may be taken.
    const text = `${code.replace('port: 3000', 'port: 0')}\nexport {}\n`
    writeFileSync(`${OUT}/snippet-${index + 1}.ts`, text)
  }
  const compilerOptions = {
    rootDir: '.',
    outDir: 'out',
    noEmit: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowImportingTsExtensions: false,
  }
  const names = snippets.map((_, index) => `snippet-${index + 1}.ts`)
  // What one registers holds for its whole program.
  const alone = names.filter((_, index) => snippets[index].includes('interface Register'))
  const together = names.filter((name) => !alone.includes(name))
  for (const files of [together, ...alone.map((name) => [name])]) {
    const config = { extends: '../tsconfig.json', compilerOptions, files, include: [] }
    writeFileSync(`${OUT}/tsconfig.json`, JSON.stringify(config))
    execFileSync('npx', ['tsc', '-p', OUT], { stdio: 'inherit' })
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
const api = snippets.findIndex((code) => code.includes('app.listen(')) + 1
const test = snippets.findIndex((code) => code.startsWith('// orders.test.ts')) + 1
await runApi(`${OUT}/out/snippet-${api}.js`)
execFileSync('node', ['--test', `${OUT}/out/snippet-${test}.js`], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
process.stdout.write(`${snippets.length} snippets compile, the README's API and test run\n`)
