/** The docs name only flags and commands of the command line that exist, each under its command. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { createProgram } from '../../src/cli/program.ts'
import { testTerminal } from '../support/terminal.ts'

const context = { terminal: testTerminal(), exitWith: () => {}, onPoolStarted: () => {} }
const program = await createProgram(['help'], context)
/** The flags of each command. */
const flags = new Map(
  program.commands.map((command) => [
    command.name(),
    new Set(['--help', '--json', ...command.options.map(({ long }) => long)]),
  ]),
)

const pages = ['README.md', ...readdirSync('docs').map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith('.md'),
)

t.test('each section of docs/cli.md has flags of its command only', async (t) => {
  const sections = readFileSync('docs/cli.md', 'utf8').split(/^## /m)
  let count = 0
  for (const section of sections) {
    const [, name = ''] = /^`([a-z]+)`\n/.exec(section) ?? []
    const known = flags.get(name)
    if (known === undefined) continue
    for (const [, flag = ''] of section.matchAll(/^\|.*?`(--[a-z-]+)/gm)) {
      count += 1
      t.ok(known.has(flag), `${name} ${flag}`)
    }
  }
  t.ok(count > 40, `${count} flags`)
})

t.test('every call of cognito-m2m in the docs has a command and flags that exist', async (t) => {
  let count = 0
  for (const file of pages) {
    const text = readFileSync(file, 'utf8').replaceAll('\\\n', ' ')
    for (const [call, name = ''] of text.matchAll(/\bcognito-m2m ([a-z]+)(?: [^\n`|]*)?/g)) {
      const known = flags.get(name)
      if (known === undefined) continue
      count += 1
      for (const [flag] of call.matchAll(/(?<= )--[a-z-]+/g))
        t.ok(known.has(flag), `${file}: ${call}`)
    }
  }
  t.ok(count > 30, `${count} calls`)
})
