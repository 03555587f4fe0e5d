/** Lints one file: all of Markdown, comments and strings of TypeScript. Positions are those of the file. */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { TextlintKernel } from '@textlint/kernel'
import markdown from '@textlint/textlint-plugin-markdown'
import { parse } from 'yaml'
import bannedWords from './rules/banned-words.mjs'
import semicolons from './rules/semicolons.mjs'
import sentenceLength from './rules/sentence-length.mjs'
import tableCells from './rules/table-cells.mjs'
import { extractComments, extractStrings } from './typescript.mjs'

const { limits, spelling, words, exceptions, withoutStrings } = parse(
  readFileSync(new URL('words.yaml', import.meta.url), 'utf8'),
)

/** A word or phrase as a pattern: whole words, any case unless the entry says otherwise, any white space. */
function compile(source, { exact = false }) {
  const spaced = source.replaceAll(' ', '\\s+')
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${spaced})(?![\\p{L}\\p{N}_])`, exact ? 'gu' : 'giu')
}

const escapePattern = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

const patterns = [
  ...words.map(({ word, pattern, use, why = 'vocabulary', ...rest }) => ({
    pattern: compile(pattern ?? [word].flat().map(escapePattern).join('|'), rest),
    name: why,
    use,
  })),
  ...Object.entries(spelling).map(([british, american]) => ({
    pattern: compile(british, {}),
    name: 'US spelling',
    use: american,
  })),
]

const kernel = new TextlintKernel()
const options = {
  ext: '.md',
  plugins: [{ pluginId: 'markdown', plugin: markdown.default ?? markdown, options: true }],
  rules: [
    { ruleId: 'banned-words', rule: bannedWords, options: { words: patterns } },
    { ruleId: 'sentence-length', rule: sentenceLength, options: { max: limits.wordsOfSentence } },
    { ruleId: 'semicolons', rule: semicolons, options: { max: limits.semicolonsOfParagraph } },
    { ruleId: 'table-cells', rule: tableCells, options: { max: limits.charactersOfCell } },
  ],
}

/** Released sections of a changelog are history. */
const released = /\n## \[?\d+\.\d+\.\d+(?!.*unreleased)/i

/** Texts of a file to lint; `offsets` is left out where the text is the start of the file. */
function textsOf(file, source) {
  if (extname(file) === '.md') {
    const end = /(?:^|\/)CHANGELOG\.md$/.test(file) ? source.search(released) : -1
    return [{ text: end < 0 ? source : source.slice(0, end) }]
  }
  const comments = extractComments(source, file)
  const hasProse = file.startsWith('src/') && !withoutStrings.some((it) => file.startsWith(it))
  return hasProse ? [...comments, ...extractStrings(source, file)] : comments
}

/** Findings of one file: `{ file, line, column, rule, message }`, in the order of the file. */
export async function lint(file, source = readFileSync(file, 'utf8')) {
  const allowed = exceptions.filter((it) => file.startsWith(it.file))
  const findings = []
  for (const { text, offsets } of textsOf(file, source)) {
    const { messages } = await kernel.lintText(text, { ...options, filePath: file })
    for (const { ruleId, message, range } of messages) {
      const paragraph = paragraphAt(text, range[0])
      if (allowed.some((it) => it.rule === ruleId && paragraph.includes(it.text))) continue
      const offset = offsets?.[range[0]] ?? range[0]
      findings.push({ file, ...position(source, offset), rule: ruleId, message })
    }
  }
  return findings.sort((a, b) => a.line - b.line || a.column - b.column)
}

function paragraphAt(text, index) {
  const start = text.lastIndexOf('\n\n', index)
  const end = text.indexOf('\n\n', index)
  return text.slice(Math.max(start, 0), end < 0 ? text.length : end).replaceAll(/\s+/g, ' ')
}

function position(source, offset) {
  const before = source.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}
