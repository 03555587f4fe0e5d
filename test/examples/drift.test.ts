/**
 * examples/drift: each drift is found where its mark stands and nowhere else, and nothing in the clean
 * twins. That these pass AWS's own validator is held where its engine is made anyway, in
 * test/infra/render-template.test.ts.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import process from 'node:process'
import t from 'tap'
import type { Finding } from '../../src/infra/index.ts'
import { run } from '../cli/run.ts'

// Apps are looked at in processes of their own, with the loaders of this one.
t.jobs = 2

const EXAMPLES = 'examples/drift'
const SOURCE = new URL('../../src/', import.meta.url).href

/** A copy beside this checkout's modules, whose apps import its source: nothing is built for tests. */
const folder = relative('.', t.testdir())
cpSync(EXAMPLES, folder, { recursive: true })
for (const file of filesOf(folder, /\.js$/)) {
  const text = readFileSync(file, 'utf8').replaceAll(
    /'cognito-m2m(\/\w+)?'/g,
    (_, subpath = '') => `'${SOURCE}${subpath === '' ? '' : `${subpath.slice(1)}/`}index.ts'`,
  )
  writeFileSync(file, text)
}
// An app takes it from its environment, and so does one that is only looked at.
process.env['USER_POOL_ID'] = 'eu-west-1_AbCdEfGhI'

function filesOf(path: string, ending: RegExp): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .sort()
    .map((file) => join(path, file))
}

/** `# drift: CODE at TEXT`, several after commas: where TEXT begins on the line, the quote before it too. */
function marks(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const [before, mark] = text.split(/(?:#|\/\/) drift: /) as [string, string?]
      return (mark?.split(', ') ?? []).map((one) => {
        const [code, literal] = one.split(' at ') as [string, string]
        const start = before.indexOf(literal)
        const column = /["'`]/.test(before[start - 1] ?? '') ? start : start + 1
        return `${file}:${index + 1}:${column} ${code}`
      })
    })
}

/** What is named on the command line, in a twin's folder. */
const APIS = {
  sam: ['auth.yaml', 'api.yaml', '--app', 'app.js'],
  terraform: ['.', '--routes', 'routes.json'],
  express: ['template.yaml', '--app', 'app.js', '--openapi', 'openapi.yaml'],
}

for (const [name, args] of Object.entries(APIS)) {
  t.test(
    `${name}: drifts are found where they are marked, and none in the clean twin`,
    async (t) => {
      const check = async (twin: string) => {
        const named = args.map((arg) =>
          arg.startsWith('--') ? arg : join(folder, name, twin, arg),
        )
        const { code, out, err } = await run(['check', ...named, '--json'])
        const { findings } = JSON.parse(out) as { findings: readonly Finding[] }
        return { code, err, findings }
      }
      const drifted = await check('drifted')
      t.strictSame(
        drifted.findings
          .map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`)
          .sort(),
        filesOf(join(folder, name, 'drifted'), /\.(?:yaml|tf|js)$/)
          .flatMap(marks)
          .sort(),
      )
      t.equal(drifted.code, 1)
      const clean = await check('clean')
      t.strictSame(clean.findings, [])
      t.equal(clean.code, 0)
    },
  )
}
