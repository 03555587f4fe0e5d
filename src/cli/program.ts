/** The command line as a whole: one line for whatever is wrong, never a stack. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { OptionError } from '../core/option-error.ts'
import type { LocalUserPool } from '../testing/index.ts'
import { localCommand } from './local.ts'
import type { Output } from './output.ts'

/**
 * Runs one command.
 *
 * @param args Without node and script.
 * @param started Told of every pool that keeps running.
 * @returns The exit code.
 */
export async function runProgram(
  args: readonly string[],
  output: Output,
  started: (pool: LocalUserPool) => void,
): Promise<number> {
  const program = new Command('cognito-m2m')
    .description('Amazon Cognito machine-to-machine tokens: a user pool on your machine')
    .version(packageVersion())
    .addCommand(localCommand(output, started))
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ writeOut: output.out, writeErr: () => {} })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, program, output)
    const known = error instanceof OptionError
    output.err(`${known ? error.message : `cognito-m2m: failed, ${oneLine(error)}`}\n`)
    return 1
  }
}

function usage(error: CommanderError, program: Command, output: Output): number {
  // Help and version that were asked for end in an "error" as well.
  if (error.exitCode === 0) return 0
  const names = program.commands.map((command) => command.name()).join(', ')
  const problem =
    error.code === 'commander.help'
      ? `name a command (${names})`
      : error.message.replace(/^error: /, '').replace(/\.$/, '')
  output.err(`cognito-m2m: ${problem}; see cognito-m2m --help\n`)
  return 1
}

function oneLine(error: unknown): string {
  return String(error).replaceAll(/\s+/g, ' ')
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
