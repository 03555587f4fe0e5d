/**
 * `npm run check:prose [-- PATH…]`: lints the prose of files and folders, by default those of scopes.yaml, which the
 * gate runs too. `--summary` counts findings per folder. Exit code 1: findings.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse } from 'yaml'
import { lint } from './lint.mjs'

const root = join(import.meta.dirname, '../..')
const scopes = parse(readFileSync(new URL('scopes.yaml', import.meta.url), 'utf8'))

const print = (line) => process.stdout.write(`${line}\n`)

const FILE = /\.(?:md|ts|mjs)$/

function filesOf(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
    const child = relative(root, join(root, path, entry.name))
    if (entry.name === 'node_modules' || scopes.excluded.includes(child)) return []
    return entry.isDirectory() || FILE.test(entry.name) ? filesOf(child) : []
  })
}

const args = process.argv.slice(2)
const paths = args.filter((arg) => !arg.startsWith('--'))
const files = [...new Set((paths.length > 0 ? paths : scopes.clean).flatMap(filesOf))].sort()
if (files.length === 0) throw new Error('check:prose: no file to lint')

const findings = []
for (const file of files) findings.push(...(await lint(file)))

if (args.includes('--summary')) {
  const counts = new Map()
  for (const { file } of findings) {
    const folder = file.split('/').slice(0, -1).slice(0, 3).join('/') || '.'
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  for (const [folder, count] of [...counts].sort()) print(`${String(count).padStart(5)} ${folder}`)
} else {
  for (const { file, line, column, rule, message } of findings) {
    print(`${file}:${line}:${column} ${rule}: ${message}`)
  }
}
print(`${findings.length} findings in ${files.length} files`)
if (findings.length > 0) process.exitCode = 1
