/**
 * `npm test`: runs the test files of a folder in a few processes. tap alone starts one process per file, and starting
 * them takes as much processor time as the tests.
 *
 *     node test/runner/main.mjs [--long] [options of tap] [FILE or FOLDER…]
 *
 * `--long` adds the long suites, `*.long.ts`. `npx tap FILE` runs a file by itself.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { extendsTimers, mustRunAlone } from './isolation.mjs'

const ROOT = join(import.meta.dirname, '../..')
const GROUPS = '.tap/groups'
/** Larger groups start fewer processes, but the last group of a run leaves the other core idle for longer. */
const MAX_GROUP_SIZE = 12

process.chdir(ROOT)
const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'))
const paths = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const suites = options.includes('--long') ? /\.(test|long)\.ts$/ : /\.test\.ts$/
const files = (paths.length === 0 ? ['test'] : paths).flatMap(listFiles)

const alone = files.filter(mustRunAlone)
const groups = writeGroups(files.filter((file) => !mustRunAlone(file)))
const tap = createRequire(import.meta.url).resolve('tap/package.json')
const args = [...options.filter((option) => option !== '--long'), ...alone, ...groups]
spawn(process.execPath, [join(dirname(tap), 'dist/esm/run.mjs'), ...args], {
  stdio: 'inherit',
}).on('exit', (code) => {
  process.exitCode = code ?? 1
})

function listFiles(path) {
  const relativePath = relative(ROOT, path)
  if (statSync(path).isFile()) return [relativePath]
  const entries = readdirSync(path, { recursive: true }).filter((entry) => suites.test(entry))
  return entries.map((entry) => join(relativePath, entry)).sort()
}

/** @returns Programs that each run up to {@link MAX_GROUP_SIZE} files of one folder, which import the same modules. */
function writeGroups(grouped) {
  mkdirSync(GROUPS, { recursive: true })
  const byName = new Map()
  for (const file of grouped) {
    const name = `${dirname(file).replaceAll('/', '-')}${extendsTimers(file) ? '-timers' : ''}`
    byName.set(name, [...(byName.get(name) ?? []), file])
  }
  return [...byName].flatMap(([name, members]) => {
    const count = Math.ceil(members.length / MAX_GROUP_SIZE)
    return Array.from({ length: count }, (_, index) => {
      const program = join(GROUPS, `${name}-${index + 1}.mjs`)
      writeFileSync(program, programOf(members.filter((_, at) => at % count === index)))
      return program
    })
  })
}

function programOf(members) {
  return `import { runFiles } from '../../test/runner/group.mjs'
await runFiles(${JSON.stringify(members, undefined, 2)})
`
}
