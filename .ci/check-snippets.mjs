/**
 * Compiles every TypeScript snippet of the README and docs against the built package. Each block
 * stands alone; one that starts with a comment naming a file (`// orders.test.ts`) is also run,
 * by `test/package/snippets.test.ts`.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const OUT = '.snippets'

const documents = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md']
for (const name of readdirSync('docs')) if (name.endsWith('.md')) documents.push(`docs/${name}`)

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT)
let count = 0
for (const document of documents) {
  const text = readFileSync(document, 'utf8')
  for (const [, code] of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
    count += 1
    const name = `${document.replace(/\W+/g, '-').toLowerCase()}-${count}.ts`
    // A module of its own even where it imports nothing.
    writeFileSync(`${OUT}/${name}`, `${code}\nexport {}\n`)
  }
}
if (count === 0) throw new Error('no snippets found')
writeFileSync(
  `${OUT}/tsconfig.json`,
  JSON.stringify({
    extends: '../tsconfig.json',
    compilerOptions: {
      rootDir: '.',
      noUnusedLocals: false,
      noUnusedParameters: false,
      allowImportingTsExtensions: false,
    },
    include: ['*.ts'],
  }),
)
execFileSync('npx', ['tsc', '-p', OUT], { stdio: 'inherit' })
process.stdout.write(`${count} snippets compile\n`)
