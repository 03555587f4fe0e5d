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
    ...(values === undefined ? [] : [line(inside, argumentPart(values))]),
  ]
}

function optionPart({ short, long, description, values }: OptionWords): string {
  const names = [short === undefined ? [] : `-s ${short.slice(1)}`, `-l ${long.slice(2)}`].flat()
  const value = values === undefined ? [] : values === 'files' ? '-r -F' : `-x ${wordsOf(values)}`
  return [...names, value, `-d ${quoted(description)}`].flat().join(' ').replaceAll(/ {2,}/g, ' ')
}

function argumentPart(values: Values): string {
  return values === 'files' ? '-F' : wordsOf(values)
}

function wordsOf(values: Exclude<Values, 'files'>): string {
  return values === 'anything' ? '' : `-a ${quoted(values.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
