/**
 * docs/options.md: each list of options is what the types and their TSDoc say. After a change of an option,
 * write the lists again: `UPDATE_DOCS=1 node --import=./test/typescript/register.mjs test/docs/options.test.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Option, readOptionTypes } from '../support/option-types.ts'

const FILE = new URL('../../docs/options.md', import.meta.url)
/** A list: its type, the types whose options it leaves out, and its text. */
const LIST =
  /<!-- options of (\w+)(?: without (?:those of )?([\w ,]+))? -->\n\n((?:- .*\n(?: {2}.*\n)*)+)/g
/** Results of functions, what a custom store implements, and the generic form of `TokenProxyOptions`. */
const NO_OPTIONS = ['PoolClientOptions', 'PoolOptions', 'ProxyOptions', 'StoreCommandOptions']
const LINE_LENGTH = 120
const MAX_TYPE_LENGTH = 80

const types = readOptionTypes()

/** Breaks a list item between words, outside code. */
function wrap(item: string): string {
  const words = item.match(/(?:`[^`]*`|[^\s`])+/g) ?? []
  const lines = ['-']
  for (const word of words) {
    const line = lines.at(-1) as string
    if (line.length + 1 + word.length > LINE_LENGTH) lines.push(`  ${word}`)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return `${lines.join('\n')}\n`
}

/** The first letter of a sentence, not of a name. */
const lowerFirst = (text: string): string =>
  text.replace(/^(?:A|Both|Each|Every|Half|No|None|One|Requests|The)\b/, (word) =>
    word.toLowerCase(),
  )

/** The option as it is declared; only its name where the type is long. */
function writeSignature({ name, type, isRequired }: Option): string {
  const mark = isRequired ? '' : '?'
  if (type === '' || type.length > MAX_TYPE_LENGTH) return `${name}${mark}`
  return `${name}${mark}: ${type}`
}

function describeOption(option: Option): string {
  const { defaultValue, description } = option
  const ending = defaultValue === undefined ? '' : ` Default: ${lowerFirst(defaultValue)}.`
  return `\`${writeSignature(option)}\`: ${description}${ending}`
}

function writeList(type: string, without = ''): string {
  const names = without.split(/,? and |, /).filter((it) => it !== '')
  const other = new Set(names.flatMap((it) => types.read(it).map(({ name }) => name)))
  const options = types.read(type).filter(({ name }) => !other.has(name))
  return options.map((option) => wrap(describeOption(option))).join('')
}

const before = readFileSync(FILE, 'utf8')
if (process.env['UPDATE_DOCS'] === '1') {
  writeFileSync(
    FILE,
    before.replaceAll(LIST, (match, type: string, without: string | undefined, list: string) =>
      match.replace(list, () => writeList(type, without)),
    ),
  )
}
const page = readFileSync(FILE, 'utf8')
const lists = [...page.matchAll(LIST)]

for (const [, type = '', without, text] of lists) {
  t.test(`the options of ${type} are those of the page`, async (t) => {
    t.equal(text, writeList(type, without))
  })
}

t.test('every public type of options has a list', async (t) => {
  t.ok(lists.length > 30, `${lists.length} lists`)
  const listed = lists.map(([, type]) => type)
  t.strictSame([...listed, ...NO_OPTIONS].sort(), types.names)
})

t.test('no list is empty, and every marker has a list', async (t) => {
  t.equal((page.match(/<!-- options of/g) ?? []).length, lists.length)
  for (const type of types.names.filter((it) => !NO_OPTIONS.includes(it))) {
    t.ok(types.read(type).length > 0, type)
  }
})
