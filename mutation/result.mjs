/**
 * Writes RESULT.md from the reports of the two runs. Ends with 1 where a survivor has no reason. A run
 * of some places only renews those: what is known of the others is kept.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasons } from './survivors.mjs'

const reports = join(import.meta.dirname, 'reports')
const read = (name) => JSON.parse(readFileSync(join(reports, name), 'utf8'))
const checks = read('checks.json')
const files = collect()

/** The last run's mutants over those of earlier runs. A source that changed since is marked. */
function collect() {
  const all = {}
  for (const name of ['all.json', 'mutation.json']) {
    if (!existsSync(join(reports, name))) continue
    for (const [file, { source, mutants }] of Object.entries(read(name).files)) {
      if (!existsSync(file)) continue
      const before = all[file]?.source === source ? all[file].mutants : []
      const known = new Map(before.map((mutant) => [keyOf(mutant), mutant]))
      for (const mutant of mutants)
        if (mutant.status !== 'Ignored') known.set(keyOf(mutant), mutant)
      const place = ({ location: { start } }) => start.line * 1000 + start.column
      const sorted = [...known.values()].sort((a, b) => place(a) - place(b))
      const changed = readFileSync(file, 'utf8') !== source
      all[file] = { source, mutants: sorted, changed, isLast: name === 'mutation.json' }
    }
  }
  writeFileSync(join(reports, 'all.json'), JSON.stringify({ files: all }))
  return all
}

function keyOf({ location, mutatorName, replacement }) {
  return JSON.stringify([location, mutatorName, replacement])
}

/** Text in a table's cell, as code. */
function code(text, longest = 90) {
  const line = text.replace(/\s+/g, ' ').trim()
  const short = line.length > longest ? `${line.slice(0, longest)}…` : line
  return `\`\` ${short.replaceAll('|', '\\|')} \`\``
}

function original(source, { start, end }) {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1)
  lines[0] = lines[0].slice(start.column - 1)
  return lines.join('\n')
}

/** Every mutant with the text it replaces. */
const mutants = Object.entries(files).flatMap(([file, { source, mutants }]) =>
  mutants.map(({ status, mutatorName, replacement, location }) => ({
    ...{ file, status, mutatorName, replacement, line: location.start.line },
    text: source.split('\n')[location.start.line - 1],
    from: original(source, location),
  })),
)

function reasonOf({ file, text, from, replacement }) {
  const found = reasons.find(
    (it) =>
      file === `src/core/${it.file}.ts` &&
      text.includes(it.at) &&
      (it.from === undefined || it.from === from) &&
      (it.to === undefined || it.to.includes(replacement)),
  )
  if (found !== undefined) found.used = true
  return found?.why
}

const undetected = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
const open = undetected.filter((mutant) => reasonOf(mutant) === undefined)
const unused = reasons.filter(({ used }) => !used)

function checkTables() {
  return [...groupBy(checks)].map(([group, rows]) => {
    const lines = rows.map(
      ({ check, file, line, test, failing }) =>
        `| ${check} | ${file.replace('src/core/', '')}:${line} | ${failing === undefined ? '**none**' : `${test.replace('test/core/', '')}: ${failing}`} |`,
    )
    const head = '| check | in src/core | the test that fails without it, in test/core |'
    return [`### ${group}`, '', head, '| --- | --- | --- |', ...lines, ''].join('\n')
  })
}

function groupBy(rows) {
  const groups = new Map()
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row])
  return groups
}

function totals() {
  const kinds = ['Killed', 'Timeout', 'Survived', 'NoCoverage']
  const row = (name, list) => {
    const counts = kinds.map((kind) => list.filter(({ status }) => status === kind).length)
    return `| ${name} | ${list.length} | ${counts.join(' | ')} |`
  }
  const names = Object.keys(files).sort()
  return [
    '| file | mutants | killed | timed out | survived | not covered |',
    '| --- | --: | --: | --: | --: | --: |',
    ...names.map((name) =>
      row(
        files[name].changed ? `${name} *` : name,
        mutants.filter(({ file }) => file === name),
      ),
    ),
    row('**all**', mutants),
  ].join('\n')
}

function survivors() {
  const lines = undetected.map(
    (it) =>
      `| ${it.file.replace('src/core/', '')}:${it.line} | ${code(it.from)} → ${code(it.replacement || '(nothing)')} | ${reasonOf(it) ?? '**open**'} |`,
  )
  return ['| in src/core | mutation | why it may live |', '| --- | --- | --- |', ...lines].join(
    '\n',
  )
}

/** What the numbers are not: those of one run over the sources as they are. */
function reservations() {
  const names = Object.keys(files).sort()
  const list = (some) => some.map((name) => name.replace('src/core/', '')).join(', ')
  const [last, earlier] = [
    names.filter((name) => files[name].isLast),
    names.filter((name) => !files[name].isLast),
  ]
  const changed = names.filter((name) => files[name].changed)
  const sources = readdirSync('src/core', { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/core/${name}`)
  const never = sources.filter((name) => files[name] === undefined)
  return [
    earlier.length > 0 &&
      `The last run made the mutants of ${list(last)}. The numbers of the other files are those of earlier runs.`,
    never.length > 0 && `The mutants of ${list(never)} were never run to the end.`,
    changed.length > 0 &&
      `\\* The source changed since its last run: not run again yet; its lines below are those of then.`,
  ].filter((line) => line !== false)
}

const unnoticed = checks.filter(({ failing }) => failing === undefined).length
writeFileSync(
  join(import.meta.dirname, 'RESULT.md'),
  `# Result of the last mutation run

Written by \`npm run mutation\`; [README.md](README.md) says what the numbers mean.

## Each check taken out

${checks.length} checks taken out one at a time, ${unnoticed} unnoticed.

${checkTables().join('\n')}
## Every mutant of src/core

${totals()}
${reservations()
  .map((line) => `\n${line}\n`)
  .join('')}
## Survivors

${survivors()}
`,
)
for (const { file, line, from, replacement, text } of open) {
  process.stdout.write(`no reason: ${file}:${line} ${from} → ${replacement}\n    ${text.trim()}\n`)
}
for (const { file, at } of unused) process.stdout.write(`reason without survivor: ${file}: ${at}\n`)
process.stdout.write(`${undetected.length} survivors, ${open.length} without a reason\n`)
if (open.length + unnoticed > 0) process.exitCode = 1
