/** Reads options that commands share: parameters, variables, seconds and files. */
import { type Stats, statSync } from 'node:fs'
import { normalize } from 'node:path'
import { type Command, Option } from 'commander'
import type { VariableValue } from '../../contract/infra/read.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { toPrintable } from '../../core/util/text.ts'

/** @param pairs Each is `NAME=VALUE`. */
export function readParameters(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map((text) => readPair(text, '--parameter')))
}

/**
 * Splits `NAME=VALUE`.
 *
 * @param option Name of the option in messages.
 */
export function readPair(text: string, option: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
  // The text is not shown: without a name, it may be a secret value.
  throw new OptionError(option, 'expected NAME=VALUE, got text without a name. Add the name.')
}

/** `--var` or `--var-file`. */
export type VariableFlag = VariableValue | { readonly variableFile: string }

/**
 * Adds `--var` and `--var-file` to a command.
 *
 * @returns The values of both in the order of the command line. Empty until the command is parsed.
 */
export function addVariableOptions(command: Command): readonly VariableFlag[] {
  const variables: VariableFlag[] = []
  command
    .option('--var <name=value>', 'value of a Terraform variable; repeatable', (text: string) => {
      const [name, value] = readPair(text, '--var')
      variables.push({ name, value })
    })
    .option('--var-file <file>', 'values of Terraform variables; repeatable', (file: string) => {
      variables.push({ variableFile: file })
    })
  return variables
}

/** Longest file name in a message. */
const MAX_FILE_NAME_LENGTH = 400

/** Default time limit of a module in seconds. */
export const DEFAULT_TIMEOUT = '20'

/** Collects the values of a repeatable option. */
export function collectValues(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Reads a number of seconds above 0 from the command line. */
export function readSeconds(text: string, option: string, max: number): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds > 0 && seconds <= max) return seconds
  throw new OptionError(
    option,
    `expected seconds above 0 and up to ${max}, got ${describeValue(text)}. Pass a number in that range.`,
  )
}

/** Log line before a module of the user runs. */
export function formatRunNotice(module: string, timeout: number): string {
  return `cognito-m2m: running ${toPrintable(module, MAX_FILE_NAME_LENGTH)} in a child process, for at most ${timeout} s\n`
}

/** Quotes a file name for a message. */
export function quoteFile(file: string): string {
  return `"${toPrintable(file, MAX_FILE_NAME_LENGTH)}"`
}

/** Gets the stat of a path. Undefined if there is none. */
export function statIfExists(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

/** Returns a text that is the same for each spelling of a path, and for links to the file or folder. */
export function identifyFile(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? normalize(file) : `${stat.dev} ${stat.ino}`
}

/**
 * Adds a hidden option that rejects every value. Without it, the message for an unknown option would repeat
 * the secret.
 *
 * @param fix How to pass the secret, as an imperative sentence.
 */
export function rejectSecretOption(command: Command, name: string, fix: string): void {
  command.addOption(new Option(`${name} [value]`).hideHelp()).on(`option:${name.slice(2)}`, () => {
    throw new OptionError(
      name,
      `expected no secret on the command line, which other processes and the shell history can read, got one. ${fix}`,
    )
  })
}
