/** Formats the help of a command as a manual page. */
import { join, relative } from 'node:path'
import type { Command, Help } from 'commander'
import { PACKAGE_ROOT } from '../../core/util/package-files.ts'
import { EXIT } from '../exit-codes.ts'
import { createStyle } from './format.ts'

/** Parts of a manual page that commander does not have. The text is trusted. */
export interface Manual {
  /** Paragraphs of the section DESCRIPTION. */
  readonly description?: readonly string[]
  /** Purpose of each environment variable. */
  readonly environment?: Readonly<Record<string, string>>
  /** Meaning of each exit code. 0 and 2 have defaults. */
  readonly exitStatus?: Partial<Readonly<Record<keyof typeof EXIT, string>>>
  /** Descriptions and command lines of examples. */
  readonly examples?: readonly (readonly [description: string, line: string])[]
  /** Descriptions and names of pages in the package's folder `docs`, such as `check.md`. */
  readonly seeAlso?: readonly (readonly [description: string, page: string])[]
}

/** One part of a section: a paragraph, a term with its meaning, or a described command line. */
export interface Item {
  readonly term?: string
  readonly text: string
  readonly line?: string
}

interface Section {
  readonly title: string
  readonly items: readonly Item[]
}

/** Properties of the terminal. */
export interface Page {
  /** Columns. */
  readonly width: number
  readonly colors: boolean
}

const INDENT = 4
/** Longest term on the same line as its meaning. */
const MAX_INLINE_TERM_LENGTH = 14
/** Limits of the line length. */
const MIN_WIDTH = 40
const MAX_WIDTH = 100

/** Exit codes of a manual without its own entry. */
const DEFAULT_EXIT_STATUS: NonNullable<Manual['exitStatus']> = {
  ok: 'completed',
  usage: 'invalid usage: an option, a file or a variable is invalid',
}

/** Lists the sections of a command's manual page, without empty ones. */
export function listSections(command: Command, manual: Manual): readonly Section[] {
  const help = command.createHelp()
  const { description, environment = {}, exitStatus, examples = [], seeAlso = [] } = manual
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
    { title: 'SEE ALSO', items: seeAlso.map(([text, page]) => ({ text, line: locatePage(page) })) },
  ]
  return sections.filter(({ items }) => items.length > 0)
}

/** Gets the path of a page in the installed package, relative to the working directory if that contains it. */
function locatePage(page: string): string {
  const path = join(PACKAGE_ROOT, 'docs', page)
  const inside = relative(process.cwd(), path)
  return inside.startsWith('..') ? path : inside
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

/** Gets the name of a command with the names of its parents. */
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

/** Formats the manual page of a command, with wrapped lines. */
export function formatHelp(command: Command, manual: Manual, { width, colors }: Page): string {
  const { bold } = createStyle({ colors })
  const columns = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width))
  const sections = listSections(command, manual).map(({ title, items }) => {
    const terms = items.map(({ term = '' }) => term.length)
    const longest = Math.max(...terms)
    const termWidth = longest <= MAX_INLINE_TERM_LENGTH ? longest : 0
    const parts = items.map((item) => formatItem(item, { columns, termWidth, bold }))
    // Terms form a list. Empty lines separate paragraphs and examples.
    return `${bold(title)}\n${parts.join(longest > 0 ? '\n' : '\n\n')}\n`
  })
  return sections.join('\n')
}

/** Layout of all items of one section. */
interface Layout {
  readonly columns: number
  /** Width of the column of terms. 0 prints terms above their meaning. */
  readonly termWidth: number
  readonly bold: (text: string) => string
}

function formatItem({ term, text, line }: Item, { columns, termWidth, bold }: Layout): string {
  const margin = ' '.repeat(INDENT)
  if (term === undefined) {
    const paragraph = wrapText(text, columns, INDENT)
    // Command lines are for copying, so they are not wrapped.
    return line === undefined ? paragraph : `${paragraph}\n${margin.repeat(2)}${line}`
  }
  if (termWidth === 0) return `${margin}${bold(term)}\n${wrapText(text, columns, 2 * INDENT)}`
  const body = wrapText(text, columns, INDENT + termWidth + 2).trimStart()
  return `${margin}${bold(term)}${' '.repeat(termWidth + 2 - term.length)}${body}`
}

/** Wraps text between words. A word longer than the line is not split. */
export function wrapText(text: string, columns: number, indent: number): string {
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
