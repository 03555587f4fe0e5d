/** Tables of docs/cli.md with the arguments and options of each command, from the definitions of the program. */

const escapePipes = (text) => text.replaceAll('|', '\\|')
/** Flags and placeholders are code. A bare placeholder would be an HTML tag. */
const toProse = (text) =>
  escapePipes(text.replaceAll(/(?<![\w-])--[a-z-]+|<[a-z.]+>[^\s,;)]*/g, '`$&`'))

/** `-p, --port <number>` with the long flag first, which readers search for. */
const toCode = (term) =>
  term
    .split(', ')
    .reverse()
    .map((flag) => `\`${escapePipes(flag)}\``)
    .join(', ')

/** The start of a table, with its command, and its end. Text in between is replaced. */
const BLOCK = /(<!-- options of ([a-z]+), written by npm run docs:cli -->\n).*?(<!-- end -->)/gs

/** @returns Rows with a term and its meaning, without `--help`, which every command has. */
function listRows(command) {
  const help = command.createHelp()
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  return [
    ...help
      .visibleArguments(command)
      .map((it) => [help.argumentTerm(it), help.argumentDescription(it)]),
    ...options.map((it) => [help.optionTerm(it), help.optionDescription(it)]),
  ]
}

function renderTable(command) {
  const rows = listRows(command).map(
    ([term, meaning]) => `| ${toCode(term)} | ${toProse(meaning)} |\n`,
  )
  return `\n| argument or option | meaning |\n| --- | --- |\n${rows.join('')}\n`
}

/**
 * Replaces the tables of a page.
 *
 * @param commands Commands of commander. Each must have one table.
 * @throws Error if a command has no table, or a table no command.
 */
export function replaceOptionTables(text, commands) {
  const missing = new Map(commands.map((command) => [command.name(), command]))
  const replaced = text.replaceAll(BLOCK, (_, start, name, end) => {
    const command = missing.get(name)
    if (command === undefined) throw new Error(`docs:cli: expected one table of ${name}`)
    missing.delete(name)
    return start + renderTable(command) + end
  })
  const [name] = missing.keys()
  if (name !== undefined) throw new Error(`docs:cli: expected a table of ${name}, got none`)
  return replaced
}
