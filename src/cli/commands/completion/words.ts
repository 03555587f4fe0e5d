/** Lists the completions of each command, from the command definitions. */
import type { Argument, Command, Option } from 'commander'

/** Possible values: files, a list of words, or any text. */
export type Values = 'files' | 'anything' | readonly string[]

export interface OptionWords {
  readonly short: string | undefined
  readonly long: string
  readonly description: string
  /** Undefined if it has no value. */
  readonly values: Values | undefined
}

export interface CommandWords {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** Values of its first argument. Undefined if it has none. */
  readonly values: Values | undefined
  /** Whether further arguments are paths. */
  readonly endsWithPaths: boolean
}

/** Placeholders that stand for a path. */
const PATH_PLACEHOLDER = /file|folder|path|template|module/i

/** Lists every command. The options of the program are a command without a name. */
export function listWords(program: Command): readonly CommandWords[] {
  const help = program.createHelp()
  const names = program.commands.map((command) => command.name())
  const [own, ...commands] = [program, ...help.visibleCommands(program)].map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(readOptionWords),
    values: readArgumentValues(command.registeredArguments),
    endsWithPaths: command.registeredArguments
      .slice(1)
      .some((argument) => PATH_PLACEHOLDER.test(argument.name())),
  }))
  // Arguments of `help` are the other commands.
  const others = commands.map((it) =>
    it.name === 'help' ? { ...it, options: [], values: names } : it,
  )
  return [{ ...(own as CommandWords), name: '' }, ...others]
}

function readOptionWords({ short, long, flags, description, argChoices }: Option): OptionWords {
  const [, placeholder] = /[<[]([^>\]]+)/.exec(flags) ?? []
  const values = placeholder === undefined ? undefined : readValues(placeholder, argChoices)
  return { short, long: long as string, description, values }
}

function readArgumentValues([argument]: readonly Argument[]): Values | undefined {
  return argument && readValues(argument.name(), argument.argChoices)
}

/** Reads the values of a placeholder, which may list them: `<text|json>`. */
function readValues(placeholder: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return choices
  if (placeholder.includes('|')) return placeholder.split('|')
  return PATH_PLACEHOLDER.test(placeholder) ? 'files' : 'anything'
}
