/** The command line as a whole: one line for whatever is wrong, never a stack. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { OptionError } from '../core/option-error.ts'
import { printable } from '../core/printable.ts'
import type { LocalUserPool } from '../testing/index.ts'
import type { CommandContext } from './context.ts'
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.ts'
import { localCommand } from './local.ts'
import type { Terminal } from './terminal.ts'

/** Longest line of an error. */
const LONGEST = 500

/** In the order help lists them. */
const COMMANDS: readonly ((context: CommandContext) => Command)[] = [localCommand]

/**
 * Runs one command.
 *
 * @param args Without node and script.
 * @param started Told of every pool that keeps running.
 * @returns The exit code.
 */
export async function runProgram(
  args: readonly string[],
  terminal: Terminal,
  started: (pool: LocalUserPool) => void,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const exitWith = (code: ExitCode): void => {
    exitCode = code
  }
  const program = new Command('cognito-m2m')
    .description('Amazon Cognito machine-to-machine tokens: a user pool on your machine')
    .version(packageVersion())
  for (const command of COMMANDS) program.addCommand(command({ terminal, exitWith, started }))
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ writeOut: terminal.out, writeErr: () => {} })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, program, terminal)
    terminal.err(`${oneLine(error)}\n`)
    if (error instanceof CommandFailure) return error.exitCode
    return EXIT.usage
  }
}

function usage(error: CommanderError, program: Command, terminal: Terminal): ExitCode {
  // Help and version that were asked for end in an "error" as well.
  if (error.exitCode === 0) return EXIT.ok
  const names = program.commands.map((command) => command.name()).join(', ')
  const problem =
    error.code === 'commander.help'
      ? `name a command (${names})`
      : error.message.replace(/^error: /, '').replace(/\.$/, '')
  terminal.err(`cognito-m2m: ${printable(problem, LONGEST)}; see cognito-m2m --help\n`)
  return EXIT.usage
}

function oneLine(error: unknown): string {
  if (error instanceof OptionError) return printable(error.message, LONGEST)
  if (error instanceof CommandFailure) return `cognito-m2m: ${printable(error.message, LONGEST)}`
  return `cognito-m2m: failed, ${printable(String(error).replaceAll(/\s+/g, ' '), LONGEST)}`
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
