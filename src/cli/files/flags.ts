/** Options that commands have in common: seconds, files, modules that run. */
import { type Stats, statSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { toPrintable } from '../../core/util/text.ts'

/** @param given `NAME=VALUE` each. */
export function readParameters(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=')
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
      // Not repeated: what has no name may be a value.
      throw new OptionError('--parameter', 'has no name: write NAME=VALUE')
    }),
  )
}

/** Longest name of a file that is repeated. */
const MAX_FILE_NAME_LENGTH = 400

/** Seconds a module may take where nothing else is said. */
export const DEFAULT_TIMEOUT = '20'

/** An option that may be given several times. */
export function collectValues(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** A number of seconds above 0, as it is written on the command line. */
export function readSeconds(text: string, option: string, most: number): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds > 0 && seconds <= most) return seconds
  throw new OptionError(option, `is ${describeValue(text)}: use seconds, above 0 and up to ${most}`)
}

/** Said before somebody's code runs. */
export function formatRunNotice(module: string, timeout: number): string {
  return `cognito-m2m: running ${toPrintable(module, MAX_FILE_NAME_LENGTH)} in a process of its own, for at most ${timeout} s\n`
}

/** A file's name in a message: whole, as who named it has to find it. */
export function quoteFile(file: string): string {
  return `"${toPrintable(file, MAX_FILE_NAME_LENGTH)}"`
}

/** What a name stands for; undefined where it cannot be told. */
export function statIfExists(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

/**
 * Adds a hidden option that is refused in every form. Without it the program would say that it is
 * unknown, and repeat it.
 *
 * @param instead How it is given.
 */
export function rejectSecretOption(command: Command, name: string, instead: string): void {
  command.addOption(new Option(`${name} [value]`).hideHelp()).on(`option:${name.slice(2)}`, () => {
    throw new OptionError(
      name,
      `is no option: the command line is seen by every process of this machine and kept by the shell; ${instead}`,
    )
  })
}
