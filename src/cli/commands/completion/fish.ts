/** Completion for fish. */
import type { CommandWords, OptionWords, Values } from './words.ts'

export function renderFish(commands: readonly CommandWords[]): string {
  const [own, ...named] = commands as readonly [CommandWords, ...CommandWords[]]
  const lines = [
    '# fish completion of cognito-m2m: cognito-m2m completion fish | source',
    renderLine('-f'),
    ...own.options.map((it) => renderLine('-n __fish_use_subcommand', renderOption(it))),
    ...named.flatMap(renderCommand),
  ]
  return `${lines.join('\n')}\n`
}

function renderLine(...parts: readonly string[]): string {
  return `complete -c cognito-m2m ${parts.join(' ')}`
}

function renderCommand(words: CommandWords): readonly string[] {
  const { name, description, options, values, endsWithPaths } = words
  const inside = `-n '__fish_seen_subcommand_from ${name}'`
  return [
    renderLine('-n __fish_use_subcommand', `-a ${name}`, `-d ${quote(description)}`),
    ...options.map((it) => renderLine(inside, renderOption(it))),
    ...(values === undefined || values === 'anything'
      ? []
      : [renderLine(inside, renderArgument(values))]),
    ...(endsWithPaths ? [renderLine(inside, renderArgument('files'))] : []),
  ]
}

function renderOption({ short, long, description, values }: OptionWords): string {
  const names = [short === undefined ? [] : `-s ${short.slice(1)}`, `-l ${long.slice(2)}`].flat()
  return [...names, renderValues(values), `-d ${quote(description)}`].flat().join(' ')
}

/** Renders the flags of values: `-x` disables files, `-F` enables them. */
function renderValues(values: Values | undefined): readonly string[] {
  if (values === undefined) return []
  if (values === 'files') return ['-r -F']
  return values === 'anything' ? ['-x'] : ['-x', renderChoices(values)]
}

function renderArgument(values: Exclude<Values, 'anything'>): string {
  return values === 'files' ? '-F' : renderChoices(values)
}

function renderChoices(values: readonly string[]): string {
  return `-a ${quote(values.join(' '))}`
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
