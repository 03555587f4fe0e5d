/** Completion for fish. */
import type { CommandWords, OptionWords, Values } from './words.ts'

export function fishScript(commands: readonly CommandWords[]): string {
  const [own, ...named] = commands as readonly [CommandWords, ...CommandWords[]]
  const lines = [
    '# fish completion of cognito-m2m: cognito-m2m completion fish | source',
    line('-f'),
    ...own.options.map((it) => line('-n __fish_use_subcommand', optionPart(it))),
    ...named.flatMap(commandLines),
  ]
  return `${lines.join('\n')}\n`
}

function line(...parts: readonly string[]): string {
  return `complete -c cognito-m2m ${parts.join(' ')}`
}

function commandLines({ name, description, options, values }: CommandWords): readonly string[] {
  const inside = `-n '__fish_seen_subcommand_from ${name}'`
  return [
    line('-n __fish_use_subcommand', `-a ${name}`, `-d ${quoted(description)}`),
    ...options.map((it) => line(inside, optionPart(it))),
    ...(values === undefined || values === 'anything' ? [] : [line(inside, argumentPart(values))]),
  ]
}

function optionPart({ short, long, description, values }: OptionWords): string {
  const names = [short === undefined ? [] : `-s ${short.slice(1)}`, `-l ${long.slice(2)}`].flat()
  return [...names, valuePart(values), `-d ${quoted(description)}`].flat().join(' ')
}

/** `-x` takes files back, `-F` asks for them. */
function valuePart(values: Values | undefined): readonly string[] {
  if (values === undefined) return []
  if (values === 'files') return ['-r -F']
  return values === 'anything' ? ['-x'] : ['-x', choices(values)]
}

function argumentPart(values: Exclude<Values, 'anything'>): string {
  return values === 'files' ? '-F' : choices(values)
}

function choices(values: readonly string[]): string {
  return `-a ${quoted(values.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
