import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Argument, Command, Option } from 'commander'
import t from 'tap'
import { renderBash } from '../../../src/cli/commands/completion/bash.ts'
import { renderFish } from '../../../src/cli/commands/completion/fish.ts'
import { listWords } from '../../../src/cli/commands/completion/words.ts'
import { renderZsh } from '../../../src/cli/commands/completion/zsh.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { formatHelp, listSections, type Manual } from '../../../src/cli/terminal/help.ts'
import { isPlain, run } from '../../support/run-cli.ts'
import { testTerminal } from '../../support/terminal.ts'

const MANUAL: Manual = {
  description: [`Reads templates. ${'Words that have to be wrapped. '.repeat(5)}`.trim(), 'Twice.'],
  environment: { SOME_VARIABLE: 'what for' },
  exitStatus: { refused: 'there are findings', interrupted: 'Ctrl-C' },
  examples: [
    [
      'One template:',
      'cognito-m2m check template.yaml --a-line-of-a-shell-is-never-wrapped --however-long-it-is',
    ],
    ['Another:', 'cognito-m2m check other.yaml'],
  ],
  seeAlso: [['Every code:', 'check-codes.md']],
}

/** A program with every kind of option and argument. */
function example(): Command {
  const check = new Command('check')
    .description("find what isn't right [here]")
    .addArgument(new Argument('<template...>', 'the templates'))
    .option('-r, --routes <file>', "the app's routes")
    .addOption(new Option('--format <format>', 'how').choices(['json', 'text']))
    .option('--ttl <seconds>', 'how long')
    .option('--to <a|b>', 'which')
    .option('--json', 'the same as --format json')
    .helpOption('-h, --help', 'print this manual')
  const say = new Command('say')
    .description('say it')
    .addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh']))
  const call = new Command('call').description('call it').argument('<name>', 'whom')
  const program = new Command('tool')
    .description('does things')
    .helpCommand('help [command]', 'the manual')
    .version('1.0.0')
  for (const command of [check, say, call]) program.addCommand(command)
  return program
}

t.test('a manual page has its sections, wrapped at the width of the terminal', async (t) => {
  const [check] = example().commands as [Command]
  t.equal(
    formatHelp(check, MANUAL, { width: 60, colors: false }),
    `NAME
    tool check - find what isn't right [here]

SYNOPSIS
    tool check [options] <template...>

DESCRIPTION
    Reads templates. Words that have to be wrapped. Words
    that have to be wrapped. Words that have to be wrapped.
    Words that have to be wrapped. Words that have to be
    wrapped.

    Twice.

ARGUMENTS
    template  the templates

OPTIONS
    -r, --routes <file>
        the app's routes
    --format <format>
        how (choices: "json", "text")
    --ttl <seconds>
        how long
    --to <a|b>
        which
    --json
        the same as --format json
    -h, --help
        print this manual

ENVIRONMENT
    SOME_VARIABLE  what for

EXIT STATUS
    0    completed
    1    there are findings
    2    invalid usage: an option, a file or a variable is
         invalid
    130  Ctrl-C

EXAMPLES
    One template:
        cognito-m2m check template.yaml --a-line-of-a-shell-is-never-wrapped --however-long-it-is

    Another:
        cognito-m2m check other.yaml

SEE ALSO
    Every code:
        docs/check-codes.md
`,
  )
})

t.test('pages outside of the working directory have their whole path', async (t) => {
  const [check] = example().commands as [Command]
  const page = resolve('docs/check-codes.md')
  const folder = process.cwd()
  const elsewhere = t.testdir()
  let text: string
  try {
    process.chdir(elsewhere)
    text = formatHelp(check, MANUAL, { width: 60, colors: false })
  } finally {
    process.chdir(folder)
  }
  t.match(text, `        ${page}\n`)
})

t.test('every page that a manual names exists', async (t) => {
  const terminal = testTerminal()
  const program = await createProgram([], { terminal, exitWith() {}, onPoolStarted() {} })
  const pages = [program, ...program.commands].flatMap((command) => [
    ...command.helpInformation().matchAll(/^ {8}(docs\/\S+)$/gm),
  ])
  t.ok(pages.length > 5)
  for (const [, page = ''] of pages) t.ok(existsSync(page), page)
})

t.test(
  'what a manual does not say is left out; titles and terms are bold in colours',
  async (t) => {
    const program = example()
    const [, , call] = program.commands as [Command, Command, Command]
    t.strictSame(
      listSections(call, {}).map(({ title }) => title),
      ['NAME', 'SYNOPSIS', 'ARGUMENTS', 'OPTIONS', 'EXIT STATUS'],
    )
    const text = formatHelp(program, {}, { width: 5, colors: true })
    t.match(
      text,
      "\u001b[1mCOMMANDS\u001b[22m\n    \u001b[1mcheck\u001b[22m  find what isn't right [here]\n",
    )
    t.match(text, '    \u001b[1mhelp\u001b[22m   the manual\n')
    t.match(
      text,
      '    \u001b[1m-h, --help\u001b[22m     display help for\n                   command\n',
    )
    const wide = formatHelp(program.commands[0] as Command, MANUAL, { width: 500, colors: false })
    const wrapped = wide.split('\n').filter((line) => !line.includes('never-wrapped'))
    t.ok(wrapped.every((line) => line.length <= 100))
  },
)

t.test('help in every form prints the manual', async (t) => {
  const whole = await run(['--help'])
  t.match(whole, { code: 0, err: '' })
  for (const args of [['help'], ['-h']]) t.strictSame(await run(args), whole)
  for (const name of ['local', 'token', 'explain', 'completion']) {
    t.match(whole.out, new RegExp(`^ {4}${name} +\\S`, 'm'))
    const asked = await run([name, '--help'])
    t.match(asked, { code: 0, err: '' })
    t.ok(asked.out.startsWith(`NAME\n    cognito-m2m ${name} - `))
    t.strictSame(await run(['help', name]), asked)
    t.ok(isPlain(asked.out))
  }
  const { out } = await run(['token', '--help'], { width: 50 })
  t.ok(out.split('\n').every((line) => line.length <= 50 || line.startsWith('        c')))
  t.match((await run(['token', '--help'], { colors: true })).out, '\u001b[1mNAME\u001b[22m')
  t.match(await run(['help', 'lokal']), { code: 2, out: '' })
})

t.test('every command has a manual with examples that name it', async (t) => {
  const context = { terminal: testTerminal(), exitWith: () => {}, onPoolStarted: () => {} }
  const program = await createProgram(['help'], context)
  for (const command of program.commands) {
    const lines =
      command
        .helpInformation()
        .split('\nEXAMPLES\n')[1]
        ?.split('\nSEE ALSO\n')[0]
        ?.match(/^ {8}.*/gm) ?? []
    t.ok(lines.length > 0, command.name())
    for (const line of lines) t.match(line, `cognito-m2m ${command.name()}`)
  }
})

t.test('one command is loaded where one is named, else all of them', async (t) => {
  const context = { terminal: testTerminal(), exitWith: () => {}, onPoolStarted: () => {} }
  const names = async (...args: string[]) =>
    (await createProgram(args, context)).commands.map((command) => command.name())
  const all = await names()
  t.ok(all.length >= 4)
  for (const name of all) {
    t.strictSame(await names(name), name === 'completion' ? all : [name])
  }
  for (const args of [['help'], ['--help'], ['lokal'], ['help', 'token']]) {
    t.strictSame(await names(...args), all)
  }
})

/** Returns the completions of bash for the last argument, as readline requests them. */
function offered(script: string, ...words: string[]): string[] {
  const line = `source "$0"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_cognito_m2m
printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['-c', line, script, 'cognito-m2m', ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return out.split('\n').filter((it) => it !== '')
}

t.test('bash completes commands, options, choices and nothing that nobody can guess', async (t) => {
  const folder = t.testdir({ 'tool.bash': renderBash(listWords(example())) })
  const script = join(folder, 'tool.bash')
  execFileSync('bash', ['-n', script])
  const offers = (...words: string[]) => offered(script, ...words)
  t.strictSame(offers(''), ['check', 'say', 'call', 'help', '--version', '-V', '--help', '-h'])
  t.strictSame(offers('c'), ['check', 'call'])
  t.strictSame(offers('--v'), ['--version'])
  t.strictSame(offers('check', '--'), [
    ...['--routes', '--format', '--ttl', '--to', '--json', '--help'],
  ])
  t.strictSame(offers('check', 'a.yaml', '--j'), ['--json'])
  t.strictSame(offers('check', 'a'), [], 'files are left to readline')
  t.strictSame(offers('check', '--routes', 'a'), [])
  t.strictSame(offers('check', '-r', 'a'), [])
  t.strictSame(offers('check', '--format', ''), ['json', 'text'])
  t.strictSame(offers('check', '--format', '='), ['json', 'text'])
  t.strictSame(offers('check', '--format', '=', 't'), ['text'])
  t.strictSame(offers('check', '--ttl', ''), [])
  t.strictSame(offers('check', '--to', ''), ['a', 'b'])
  t.strictSame(offers('say', 'z'), ['zsh'])
  t.strictSame(offers('help', ''), ['check', 'say', 'call'])
  t.strictSame(offers('call', ''), ['--help', '-h'])
  t.strictSame(offers('unknown', ''), [])
})

t.test('the words of this program, in each shell', async (t) => {
  const { out, code, err } = await run(['completion', 'bash'])
  t.strictSame([code, err], [0, ''])
  const folder = t.testdir({ 'own.bash': out })
  const script = join(folder, 'own.bash')
  t.match(offered(script, 'e'), ['explain'])
  t.strictSame(offered(script, 'explain', '--subjects', ''), ['machine', 'any'])
  t.strictSame(offered(script, 'completion', 'f'), ['fish'])
  t.notMatch(out, 'client-secret', 'what is refused is not offered')
  t.match(
    execFileSync('bash', ['-c', 'source "$0"; complete -p cognito-m2m', script], {
      encoding: 'utf8',
    }),
    'complete -o default -F _cognito_m2m cognito-m2m',
  )
  t.match(await run(['completion', 'zsh']), { code: 0, out: /^#compdef cognito-m2m\n/ })
  t.match(await run(['completion', 'fish']), { code: 0, out: /^# fish completion/ })
  t.match(await run(['completion', 'tcsh']), {
    code: 2,
    err: /'tcsh' is invalid for argument 'shell'\. Allowed choices are bash, zsh, fish/,
  })
})

/** Whether a shell that is installed reads a script. Others are not asked; the gate installs all of them. */
function reads(shell: string, file: string): boolean {
  const { error, status } = spawnSync(shell, ['-n', file])
  if (error === undefined) return status === 0
  if (process.env['CI'] === 'true') throw new Error(`${shell} IS NOT INSTALLED`)
  return true
}

t.test('an action is completed first, then paths', async (t) => {
  const [bash, zsh, fish] = (await Promise.all(
    ['bash', 'zsh', 'fish'].map(async (shell) => (await run(['completion', shell])).out),
  )) as [string, string, string]
  const folder = t.testdir({ bash, zsh, fish })
  const script = join(folder, 'bash')
  t.strictSame(offered(script, 'usage', 'i'), ['import'])
  t.strictSame(offered(script, 'usage', 'import', 'r'), [], 'files are left to readline')
  t.strictSame(offered(script, 'usage', 'import', '--max'), ['--max-bytes'])
  t.strictSame(offered(script, 'usage', 'report', '--by', ''), ['day', 'month'])
  t.ok(reads('zsh', join(folder, 'zsh')))
  t.ok(reads('fish', join(folder, 'fish')))
  t.match(zsh, "'1:value:(import report)' \\\n        '*:file:_files' ;;")
  const inside = "complete -c cognito-m2m -n '__fish_seen_subcommand_from usage'"
  t.match(fish, `${inside} -a 'import report'\n${inside} -F\n`)
})

t.test('the scripts for zsh and fish say the same', async (t) => {
  const words = listWords(example())
  const [zsh, fish] = [renderZsh(words), renderFish(words)]
  const folder = t.testdir({ zsh, fish })
  t.ok(reads('zsh', join(folder, 'zsh')))
  t.ok(reads('fish', join(folder, 'fish')))
  t.match(zsh, "    'check:find what isn'\\''t right [here]'\n")
  t.match(zsh, "'*--routes[the app'\\''s routes]:file:_files'")
  t.match(zsh, "'*-r[the app'\\''s routes]:file:_files'")
  t.match(zsh, "'*--format[how]:value:(json text)'")
  t.match(zsh, "'*--ttl[how long]:value: '")
  t.match(zsh, "'*--json[the same as --format json]'")
  t.match(zsh, "'*:file:_files' ;;")
  t.match(zsh, "'*:value:(bash zsh)' ;;")
  const inside = "complete -c cognito-m2m -n '__fish_seen_subcommand_from check'"
  for (const line of [
    'complete -c cognito-m2m -f',
    "complete -c cognito-m2m -n __fish_use_subcommand -s h -l help -d 'display help for command'",
    "complete -c cognito-m2m -n __fish_use_subcommand -a check -d 'find what isn\\'t right [here]'",
    `${inside} -s r -l routes -r -F -d 'the app\\'s routes'`,
    `${inside} -l format -x -a 'json text' -d 'how'`,
    `${inside} -l ttl -x -d 'how long'`,
    `${inside} -l json -d 'the same as --format json'`,
    `${inside} -F`,
    "complete -c cognito-m2m -n '__fish_seen_subcommand_from say' -a 'bash zsh'",
  ]) {
    t.ok(fish.split('\n').includes(line), line)
  }
  t.notMatch(fish, /-n '__fish_seen_subcommand_from call' *\n/)
})

t.test('the page of the command line names every command, code and variable', async (t) => {
  const page = readFileSync('docs/cli.md', 'utf8')
  const context = { terminal: testTerminal(), exitWith: () => {}, onPoolStarted: () => {} }
  const program = await createProgram(['help'], context)
  for (const command of [program, ...program.commands]) {
    const [, environment = ''] = command.helpInformation().split('\nENVIRONMENT\n')
    const variables = environment.split('\n\n')[0]?.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []
    for (const variable of variables) t.match(page, `\`${variable}\``)
  }
  for (const command of program.commands) {
    t.match(page, `\n## \`${command.name()}\``, command.name())
    for (const { long, hidden } of command.options) {
      if (!hidden) t.match(page, `\`${long}`, `${command.name()} ${long}`)
    }
  }
})
