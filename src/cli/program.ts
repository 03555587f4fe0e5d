/** The program: selects a command, runs it, and reports errors as one line without a stack. */
import { Command, CommanderError } from 'commander'
import { OptionError } from '../core/options/validate.ts'
import { PACKAGE_VERSION } from '../core/util/package-files.ts'
import { toPrintable } from '../core/util/text.ts'
import type { LocalUserPool } from '../testing/index.ts'
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.ts'
import { formatHelp, type Manual } from './terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from './terminal/terminal.ts'

/** Longest message of an error, in characters. */
const MAX_MESSAGE_LENGTH = 500

type CommandFactory = (context: CommandContext) => DocumentedCommand

/** Commands in the order of the help. Each is loaded when it is used. */
const COMMANDS: ReadonlyMap<string, () => Promise<CommandFactory>> = new Map([
  ['local', async () => (await import('./commands/local.ts')).localCommand],
  ['token', async () => (await import('./commands/token.ts')).tokenCommand],
  ['rotate', async () => (await import('./commands/rotate/command.ts')).rotateCommand],
  ['explain', async () => (await import('./commands/explain/command.ts')).explainCommand],
  ['check', async () => (await import('./commands/check/command.ts')).checkCommand],
  ['export', async () => (await import('./commands/export.ts')).exportCommand],
  ['usage', async () => (await import('./commands/usage/command.ts')).usageCommand],
  ['completion', async () => (await import('./commands/completion/index.ts')).completionCommand],
])

/**
 * Runs one command.
 *
 * @param args Arguments without the paths of Node and the script.
 * @param onPoolStarted Called with every started pool.
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
    // Ctrl-C needs no message.
    if (error instanceof CommandFailure && error.exitCode === EXIT.interrupted)
      return error.exitCode
    terminal.err(`${formatFailure(error)}\n`)
    return error instanceof CommandFailure ? error.exitCode : EXIT.usage
  }
}

/** Creates the program with the named command. Help, completion and usage errors need all commands. */
export async function createProgram(
  args: readonly string[],
  context: CommandContext,
): Promise<Command> {
  const program = new Command('cognito-m2m')
    .description('Amazon Cognito machine-to-machine tokens on the command line')
    .version(PACKAGE_VERSION, '--version', 'print the version')
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
    'Runs a local user pool, gets and explains access tokens, and compares templates with code.',
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
  examples: [['The manual of a command, with examples:', 'cognito-m2m help local']],
  seeAlso: [['Commands and their options:', 'cli.md']],
}

/** Makes commander throw errors instead of exiting, and print manual pages as help. */
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
  // Commander reports successful help and version output as errors too.
  if (error.exitCode === 0) return EXIT.ok
  const problem =
    error.code === 'commander.help'
      ? `expected a command (${[...COMMANDS.keys()].join(', ')}), got none`
      : redactSecrets(error.message.replace(/^error: /, '').replace(/\.$/, ''))
  const message = toPrintable(problem, MAX_MESSAGE_LENGTH)
  terminal.err(`cognito-m2m: ${message}. Run cognito-m2m --help.\n`)
  return EXIT.usage
}

/** Shortens arguments in commander's messages: one may be a token or a secret in the wrong place. */
function redactSecrets(message: string): string {
  return message
    .replace(/^(unknown option '[^=]*=).*/s, "$1…'")
    .replaceAll(/'([^']{40})[^']+'/g, "'$1…'")
}

function formatFailure(error: unknown): string {
  if (error instanceof OptionError) return toPrintable(error.message, MAX_MESSAGE_LENGTH)
  if (error instanceof CommandFailure)
    return `cognito-m2m: ${toPrintable(error.message, MAX_MESSAGE_LENGTH)}`
  return `cognito-m2m: command failed: ${toPrintable(String(error).replaceAll(/\s+/g, ' '), MAX_MESSAGE_LENGTH)}`
}
