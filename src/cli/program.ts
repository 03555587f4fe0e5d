/** The command line as a whole: one line for whatever is wrong, never a stack. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { OptionError } from '../core/options/validate.ts'
import { toPrintable } from '../core/util/text.ts'
import type { LocalUserPool } from '../testing/index.ts'
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.ts'
import { formatHelp, type Manual } from './terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from './terminal/terminal.ts'

/** Longest line of an error. */
const MAX_MESSAGE_LENGTH = 500

type CommandFactory = (context: CommandContext) => DocumentedCommand

/** In the order help lists them; each is loaded when it is named, or all where none is. */
const COMMANDS: ReadonlyMap<string, () => Promise<CommandFactory>> = new Map([
  ['local', async () => (await import('./commands/local.ts')).localCommand],
  ['token', async () => (await import('./commands/token.ts')).tokenCommand],
  ['explain', async () => (await import('./commands/explain/command.ts')).explainCommand],
  ['check', async () => (await import('./commands/check.ts')).checkCommand],
  ['export', async () => (await import('./commands/export.ts')).exportCommand],
  ['completion', async () => (await import('./commands/completion/index.ts')).completionCommand],
])

/**
 * Runs one command.
 *
 * @param args Without node and script.
 * @param onPoolStarted Called with every pool that keeps running.
 * @returns The exit code.
 */
export async function runProgram(
  args: readonly string[],
  terminal: Terminal,
  onPoolStarted: (pool: LocalUserPool) => void,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const exitWith = (code: ExitCode): void => {
    exitCode = code
  }
  try {
    const program = await createProgram(args, { terminal, exitWith, onPoolStarted })
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return reportUsageError(error, terminal)
    // Who pressed Ctrl-C knows.
    if (error instanceof CommandFailure && error.exitCode === EXIT.interrupted)
      return error.exitCode
    terminal.err(`${formatFailure(error)}\n`)
    return error instanceof CommandFailure ? error.exitCode : EXIT.usage
  }
}

/** With the one command that is named; with all of them where help, completion or a mistake needs them. */
export async function createProgram(
  args: readonly string[],
  context: CommandContext,
): Promise<Command> {
  const program = new Command('cognito-m2m')
    .description('Amazon Cognito machine-to-machine tokens on the command line')
    .version(readPackageVersion(), '--version', 'print the version')
    .helpCommand('help [command]', 'the manual of a command')
  configureProgram(program, MANUAL, context.terminal)
  const [first = ''] = args
  const named = COMMANDS.get(first)
  const factories = named === undefined || first === 'completion' ? [...COMMANDS.values()] : [named]
  for (const load of factories) {
    const { command, manual } = (await load())(context)
    program.addCommand(command)
    configureProgram(command, manual, context.terminal)
  }
  return program
}

const MANUAL: Manual = {
  description: [
    'A user pool on your machine, tokens from any pool, what is wrong with one, and templates held against code.',
  ],
  environment: {
    NO_COLOR: 'disables colors if set to a non-empty value',
    FORCE_COLOR: 'enables colors without a terminal; 0 or false disables them',
  },
  exitStatus: {
    ok: 'completed; no errors were found',
    refused: 'completed; errors were found',
    unavailable: 'an endpoint or its network failed',
    interrupted: 'interrupted by Ctrl-C',
  },
  examples: [['How a command is used, with examples:', 'cognito-m2m help local']],
}

/** Errors become exceptions, and help becomes a manual page, of the program and of each command. */
function configureProgram(command: Command, manual: Manual, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .helpOption('-h, --help', 'print this manual')
    .configureHelp({ formatHelp: (it) => formatHelp(it, manual, terminal) })
    .configureOutput({
      writeOut: terminal.out,
      writeErr: () => {},
      // The terminal decides whether output has colors.
      getOutHasColors: () => terminal.colors,
    })
}

function reportUsageError(error: CommanderError, terminal: Terminal): ExitCode {
  // Help and version that were asked for end in an "error" as well.
  if (error.exitCode === 0) return EXIT.ok
  const problem =
    error.code === 'commander.help'
      ? `name a command (${[...COMMANDS.keys()].join(', ')})`
      : redactSecrets(error.message.replace(/^error: /, '').replace(/\.$/, ''))
  terminal.err(`cognito-m2m: ${toPrintable(problem, MAX_MESSAGE_LENGTH)}; see cognito-m2m --help\n`)
  return EXIT.usage
}

/** Messages repeat what was given, and that may be a token or a secret in the wrong place. */
function redactSecrets(message: string): string {
  return message
    .replace(/^(unknown option '[^=]*=).*/s, "$1…'")
    .replaceAll(/'([^']{40})[^']+'/g, "'$1…'")
}

function formatFailure(error: unknown): string {
  if (error instanceof OptionError) return toPrintable(error.message, MAX_MESSAGE_LENGTH)
  if (error instanceof CommandFailure)
    return `cognito-m2m: ${toPrintable(error.message, MAX_MESSAGE_LENGTH)}`
  return `cognito-m2m: failed, ${toPrintable(String(error).replaceAll(/\s+/g, ' '), MAX_MESSAGE_LENGTH)}`
}

function readPackageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
