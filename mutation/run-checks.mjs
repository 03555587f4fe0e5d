/**
 * Takes out each check of checks.mjs, one at a time, in a copy of the project, and notes the test that
 * fails without it. Ends with 1 where a check can go unnoticed. With an argument, only those of one file
 * (`verifier`) or of one description (`a good signature`); their result is not kept.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, built } from './build.mjs'
import { checks } from './checks.mjs'

const root = resolve(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'cognito-m2m-checks-'))

for (const part of ['src', 'test', 'fixtures', 'package.json']) {
  cpSync(join(root, part), join(copy, part), { recursive: true })
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
process.chdir(copy)

function run(test) {
  return spawnSync('node', [built(test)], {
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, TAP_TIMEOUT: '10' },
  })
}

/** The first failing test of a file, or undefined where all pass. */
function firstFailure(test) {
  build([test])
  let result = run(test)
  // Node 20 now and then locks itself up where a key is exported while its making is collected.
  if (result.signal !== null) result = run(test)
  if (result.status === 0) return undefined
  const [, name] = /^not ok \d+ - (.*?)(?: # .*)?(?: \{)?$/m.exec(result.stdout) ?? []
  if (name === undefined) throw new Error(`${test} fails without naming a test: ${result.stderr}`)
  return name
}

/** The line the edit begins at, and the edited text. */
function edit(file, from, to) {
  const text = readFileSync(join(root, file), 'utf8')
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`${file}: ${parts.length - 1} times: ${from}`)
  const visible = from.length - from.trimStart().length
  const line = text.slice(0, parts[0].length + visible).split('\n').length
  return { line, edited: parts.join(to) }
}

const [, , only] = process.argv
const results = []
try {
  const green = new Set()
  for (const [group, list] of Object.entries(checks)) {
    for (const [check, name, from, to, testName] of list) {
      if (only !== undefined && ![check, name].includes(only)) continue
      const test = `test/core/${testName}.test.ts`
      const file = `src/core/${name}.ts`
      if (!green.has(test)) {
        const broken = firstFailure(test)
        if (broken !== undefined) throw new Error(`${test} fails unedited: ${broken}`)
        green.add(test)
      }
      const { line, edited } = edit(file, from, to)
      writeFileSync(join(copy, file), edited)
      const failing = firstFailure(test)
      cpSync(join(root, file), join(copy, file))
      results.push({ group, check, file, line, test, failing })
      process.stdout.write(
        `${failing === undefined ? 'UNNOTICED' : 'noticed  '} ${file}:${line} ${check}\n`,
      )
    }
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}

const unnoticed = results.filter(({ failing }) => failing === undefined)
if (only === undefined) {
  mkdirSync(join(import.meta.dirname, 'reports'), { recursive: true })
  writeFileSync(join(import.meta.dirname, 'reports/checks.json'), JSON.stringify(results, null, 2))
}
process.stdout.write(`${results.length} checks taken out, ${unnoticed.length} unnoticed\n`)
if (unnoticed.length > 0 || results.length === 0) process.exitCode = 1
