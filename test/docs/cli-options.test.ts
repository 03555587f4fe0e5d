/** The options in docs/cli.md are those of the program: terms, meanings, choices and defaults. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import t from 'tap'
import { replaceOptionTables } from '../../.ci/cli-options.mjs'
import { createProgram } from '../../src/cli/program.ts'
import { testTerminal } from '../support/terminal.ts'

t.test('docs/cli.md has the options of every command; npm run docs:cli writes them', async (t) => {
  const context = { terminal: testTerminal(), exitWith: () => {}, onPoolStarted: () => {} }
  const { commands } = await createProgram(['help'], context)
  const page = readFileSync('docs/cli.md', 'utf8')
  t.equal(replaceOptionTables(page, commands), page)
  t.match(page, '\n| `--clock-tolerance <seconds>` | tolerated clock difference (default: 5) |\n')
})

const block = (name: string, text = ''): string =>
  `<!-- options of ${name}, written by npm run docs:cli -->\n${text}<!-- end -->`

t.test('a table has arguments and options, with placeholders as code', async (t) => {
  const command = new Command('go')
    .argument('[place]', 'where to')
    .option('-t, --to <a|b>', 'the same as --from, but <b>/x', 'a')
  t.equal(
    replaceOptionTables(`# Page\n${block('go', 'old text\n')}\nmore\n`, [command]),
    `# Page\n${block(
      'go',
      '\n| argument or option | meaning |\n| --- | --- |\n| `place` | where to |\n| `--to <a\\|b>`, `-t` | the same as `--from`, but `<b>/x` (default: "a") |\n\n',
    )}\nmore\n`,
  )
})

t.test('a command without a table and a table without a command are errors', async (t) => {
  t.throws(() => replaceOptionTables('', [new Command('go')]), {
    message: 'docs:cli: expected a table of go, got none',
  })
  t.throws(() => replaceOptionTables(block('stay'), []), {
    message: 'docs:cli: expected one table of stay',
  })
})
