/** The help of a command as a manual page: its sections, and their text for a terminal. */
import type { Command, Help } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { createStyle } from './format.ts'

/** Everything is optional, and text of our own: it is not made printable. */
export interface Manual {
  /** Paragraphs; default the one line that lists of commands show. */
  readonly description?: readonly string[]
  /** Variable, and what it is read for. */
  readonly environment?: Readonly<Record<string, string>>
  /** What a code means here; 0 and 2 have a meaning of their own without it. */
  readonly exitStatus?: Partial<Readonly<Record<keyof typeof EXIT, string>>>
  /** What is done, and the line of a shell that does it. */
  readonly examples?: readonly (readonly [does: string, line: string])[]
}

/** One part of a section: a paragraph, a term with its meaning, or a line of a shell with what it does. */
export interface Item {
  readonly term?: string
  readonly text: string
  readonly line?: string
}

interface Section {
  readonly title: string
  readonly items: readonly Item[]
}

/** Where the text goes. */
export interface Page {
  /** Columns. */
  readonly width: number
  readonly colors: boolean
}

const INDENT = 4
/** Terms up to here stand beside their meaning, longer ones above it. */
const MAX_INLINE_TERM_LENGTH = 14
/** Lines longer than this are hard to read, shorter ones hard to write. */
const WIDTH = { least: 40, most: 100 } as const

/** What a code means where a manual does not say. */
const DEFAULT_EXIT_STATUS: NonNullable<Manual['exitStatus']> = {
  ok: 'done',
  usage: 'nothing was done: an option, a file or a variable is invalid',
}

/** The sections of a command's manual page; those with nothing in them are left out. */
export function listSections(command: Command, manual: Manual): readonly Section[] {
  const help = command.createHelp()
  const { description, environment = {}, exitStatus, examples = [] } = manual
  const summary = command.description()
  const sections: Section[] = [
    { title: 'NAME', items: [{ text: `${getFullName(command)} - ${summary}` }] },
    { title: 'SYNOPSIS', items: [{ text: help.commandUsage(command) }] },
    { title: 'DESCRIPTION', items: (description ?? []).map((text) => ({ text })) },
    ...listTermSections(command, help),
    {
      title: 'ENVIRONMENT',
      items: Object.entries(environment).map(([term, text]) => ({ term, text })),
    },
    { title: 'EXIT STATUS', items: listExitCodes({ ...DEFAULT_EXIT_STATUS, ...exitStatus }) },
    { title: 'EXAMPLES', items: examples.map(([text, line]) => ({ text, line })) },
  ]
  return sections.filter(({ items }) => items.length > 0)
}

function listTermSections(command: Command, help: Help): Section[] {
  return [
    {
      title: 'COMMANDS',
      items: help
        .visibleCommands(command)
        .map((it) => ({ term: it.name(), text: help.subcommandDescription(it) })),
    },
    {
      title: 'ARGUMENTS',
      items: help
        .visibleArguments(command)
        .map((it) => ({ term: help.argumentTerm(it), text: help.argumentDescription(it) })),
    },
    {
      title: 'OPTIONS',
      items: help
        .visibleOptions(command)
        .map((it) => ({ term: help.optionTerm(it), text: help.optionDescription(it) })),
    },
  ]
}

/** With the names of those it stands below. */
export function getFullName(command: Command): string {
  return command.parent === null
    ? command.name()
    : `${getFullName(command.parent)} ${command.name()}`
}

function listExitCodes(meanings: NonNullable<Manual['exitStatus']>): Item[] {
  return Object.entries(EXIT).flatMap(([name, code]) => {
    const text = meanings[name as keyof typeof EXIT]
    return text === undefined ? [] : [{ term: String(code), text }]
  })
}

/** The manual page of a command, wrapped. */
export function formatHelp(command: Command, manual: Manual, { width, colors }: Page): string {
  const { bold } = createStyle({ colors })
  const columns = Math.min(WIDTH.most, Math.max(WIDTH.least, width))
  const sections = listSections(command, manual).map(({ title, items }) => {
    const terms = items.map(({ term = '' }) => term.length)
    const longest = Math.max(...terms)
    const termWidth = longest <= MAX_INLINE_TERM_LENGTH ? longest : 0
    const parts = items.map((item) => formatItem(item, { columns, termWidth, bold }))
    // Terms make a list, paragraphs and examples stand apart.
    return `${bold(title)}\n${parts.join(longest > 0 ? '\n' : '\n\n')}\n`
  })
  return sections.join('\n')
}

/** What the items of one section have in common. */
interface Layout {
  readonly columns: number
  /** Width of the column of terms; 0 puts them above their meaning. */
  readonly termWidth: number
  readonly bold: (text: string) => string
}

function formatItem({ term, text, line }: Item, { columns, termWidth, bold }: Layout): string {
  const margin = ' '.repeat(INDENT)
  if (term === undefined) {
    const paragraph = wrapText(text, columns, INDENT)
    // A line of a shell is for copying: it is not wrapped.
    return line === undefined ? paragraph : `${paragraph}\n${margin.repeat(2)}${line}`
  }
  if (termWidth === 0) return `${margin}${bold(term)}\n${wrapText(text, columns, 2 * INDENT)}`
  const body = wrapText(text, columns, INDENT + termWidth + 2).trimStart()
  return `${margin}${bold(term)}${' '.repeat(termWidth + 2 - term.length)}${body}`
}

/** Words in lines of at most so many columns, unless a word is longer. */
function wrapText(text: string, columns: number, indent: number): string {
  const margin = ' '.repeat(indent)
  const lines: string[] = []
  let current = ''
  for (const word of text.split(' ')) {
    if (current !== '' && indent + current.length + 1 + word.length > columns) {
      lines.push(current)
      current = word
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].map((it) => `${margin}${it}`).join('\n')
}
