/** The prose linter: what it finds in Markdown, comments and strings, where, and what it leaves out. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { lint } from '../../lint/prose/lint.mjs'

interface WordList {
  readonly words: readonly { readonly use: string; readonly word?: string | string[] }[]
  readonly spelling: Readonly<Record<string, string>>
}

const list = parse(readFileSync('lint/prose/words.yaml', 'utf8')) as WordList

const summarize = async (file: string, source: string): Promise<string[]> =>
  (await lint(file, source)).map(({ line, column, rule }) => `${line}:${column} ${rule}`)

/** At least one phrase for each entry of the word list that is a regular expression. */
const PHRASES = [
  ...['it tells', 'was told', 'mended', 'judged', 'an open route', 'cannot be had', "nobody's"],
  ...[
    'his',
    'ours',
    "the owner's",
    "own's",
    'knows nothing',
    'let go of',
    'the page for the night',
  ],
  ...['opts out aloud', 'heard', 'what it comes to', 'thereof', 'shall', 'in vain', 'for want of'],
  ...['on purpose', 'by heart', 'stands there', 'left it at that', 'to blame', 'it is no text'],
  ...['has the last word', 'heals', 'circles', 'still good', 'goes without', 'asks nothing'],
  ...['the rest of the world', 'see the module', 'of course', 'refuses circles', 'pays for'],
  ...['at its word', 'a matter of', 'nobody', 'of its own', 'a hook of yours', 'goes on'],
  ...['is asked', 'held against'],
]

const SPELLINGS = [
  ...['behaviour', 'colours', 'favourite', 'flavour', 'honoured', 'neighbour', 'labour', 'rumour'],
  ...['endeavour', 'harbour', 'armour', 'licence', 'defence', 'offence', 'pretence', 'grey'],
  ...['centre', 'metres', 'catalogue', 'programme', 'cheque', 'learnt', 'spelt', 'burnt'],
  ...['artefact', 'judgement', 'acknowledgement', 'fulfil', 'enrol', 'cancelled', 'labelled'],
  ...['modelling', 'travelled', 'signalled', 'levelled', 'channelled', 'marshalled', 'tunnelled'],
  ...['totalled', 'fuelled', 'practised', 'towards', 'analyse', 'catalysed', 'paralysed'],
  ...['serialised', 'deserialising', 'Unrecognised', 'authorisation'],
]

t.test('every entry of the word list is found, at its line and column', async (t) => {
  const words = list.words.flatMap(({ word = [] }) => word)
  const phrases = [...words, ...PHRASES, ...SPELLINGS]
  const source = phrases.map((phrase) => `A line with ${phrase} in it.\n`).join('\n')
  const findings = (await lint('a.md', source)).filter(({ rule }) => rule === 'banned-words')
  for (const [index, phrase] of phrases.entries()) {
    const here = findings.filter(({ line }) => line === 2 * index + 1)
    t.ok(here.length > 0, phrase)
    for (const { column } of here) t.ok(column >= 13 && column < 13 + phrase.length, phrase)
  }
  const messages = findings.map(({ message }) => message)
  for (const use of [...list.words.map((it) => it.use), ...Object.values(list.spelling)]) {
    t.ok(
      messages.some((message) => message.endsWith(`Write ${use}.`)),
      use,
    )
  }
})

t.test('a finding names the words, the rule and the replacement', async (t) => {
  const [finding] = await lint('docs/a.md', '# Title\n\nA *Stranger*\nasks\n')
  t.strictSame(finding, {
    file: 'docs/a.md',
    line: 3,
    column: 4,
    rule: 'banned-words',
    message:
      '"Stranger" is banned (vocabulary). Write "unauthenticated caller" or "unauthenticated traffic".',
  })
})

t.test('headings and table cells are read, and a phrase is found across lines', async (t) => {
  const source =
    '# Strangers\n\n| a | b |\n| --- | --- |\n| c | aloud |\n\n- keys cannot\n  be had\n'
  t.strictSame(await summarize('a.md', source), [
    '1:3 banned-words',
    '5:7 banned-words',
    '7:8 banned-words',
  ])
})

t.test('code, addresses of links, parts of words and clean text are left alone', async (t) => {
  const clean = [
    'A route with `aloud` in [code](docs/strangers.md) is public. This is historical.',
    '```ts\n// a stranger is told aloud\n```',
    '    a stranger, indented as code',
  ].join('\n\n')
  t.strictSame(await summarize('a.md', clean), [])
})

const words = (count: number): string => `${Array.from({ length: count }, () => 'word').join(' ')}.`

t.test(
  'a sentence has at most 25 words; code is none, a table cell has its own limit',
  async (t) => {
    t.strictSame(await summarize('a.md', `${words(25)} ${words(25)} e.g. ${words(20)}\n`), [])
    t.strictSame(await summarize('a.md', `${words(25)}\nIt is a ${words(23)}\n`), [
      '2:1 sentence-length',
    ])
    const code = Array.from({ length: 30 }, () => '`code`').join(', ')
    t.strictSame(await summarize('a.md', `These are codes: ${code} – and – no – more.\n`), [])
    const item = `- [a link to a page](docs/a.md) and *more* ${words(19)}\n- ${words(26)}\n`
    t.strictSame(await summarize('a.md', item), ['1:4 sentence-length', '2:3 sentence-length'])
  },
)

t.test('a paragraph has at most one semicolon', async (t) => {
  t.strictSame(await summarize('a.md', 'One; two.\n\nOne; `two; three;`.\n'), [])
  t.strictSame(await summarize('a.md', 'One; two.\nThree; four.\n'), ['2:6 semicolons'])
})

t.test('a table cell has at most 90 characters, as a reader sees it', async (t) => {
  const table = (cell: string): string => `| a | b |\n| --- | --- |\n| c | ${cell} |\n`
  const address = `[link](${'https://example.com/'.repeat(9)})`
  t.strictSame(await summarize('a.md', table(`${'x'.repeat(86)} ${address}`)), ['3:6 table-cells'])
  t.strictSame(await summarize('a.md', table(`${'x'.repeat(80)} \`code\``)), [])
  t.strictSame(await summarize('a.md', table(`${'x'.repeat(80)} ${address}`)), [])
  t.strictSame(await summarize('a.md', table('`x` '.repeat(60))), ['3:6 table-cells'])
  const line = `\`${'a log line '.repeat(12)}\``
  t.strictSame(await summarize('a.md', table(line)), [])
  t.strictSame(await summarize('a.md', table(`${line} and more`)), ['3:6 table-cells'])
})

t.test('of a changelog, what was released is left out', async (t) => {
  const log = '# Changelog\n\n## Unreleased\n\n- aloud\n\n## 0.1.0\n\n- aloud\n'
  t.strictSame(await summarize('CHANGELOG.md', log), ['5:3 banned-words'])
  const next = log.replace('## Unreleased', '## 0.2.0 (unreleased)')
  t.strictSame(await summarize('CHANGELOG.md', next), ['5:3 banned-words'])
  t.strictSame(await summarize('docs/a.md', log), ['5:3 banned-words', '9:3 banned-words'])
})

t.test('comments are found at their place, whatever surrounds them', async (t) => {
  const source = [
    '/** A stranger, with `stranger` and {@link stranger}. */',
    'const aloud = /* aloud */ `// aloud $' + '{/* told */ `x` + 1} // aloud`',
    'const pattern = /[/*"] aloud/ // mended',
    '/**',
    ' * Sends it.',
    ' *',
    ' * @param stranger - What is mended',
    ' *   today.',
    ' */',
    '// One line cannot',
    '// be had.',
    '',
    '// biome-ignore lint/a: aloud',
  ].join('\n')
  const expected = ['1:7', '2:18', '2:42', '3:34', '7:11', '7:30', '10:13']
  t.strictSame(
    await summarize('test/a.ts', source),
    expected.map((at) => `${at} banned-words`),
  )
})

t.test('a sentence over several comment lines or joined strings counts as one', async (t) => {
  const comment = `// ${words(13).replace('.', '')}\n// ${words(13)}\n\n// ${words(13)}\n`
  t.strictSame(await summarize('a.mjs', comment), ['1:4 sentence-length'])
  const tagged = `/**\n * ${words(13).replace('.', '')}\n * @returns ${words(13)}\n */\n`
  t.strictSame(await summarize('a.ts', tagged), [])
  const strings = `fail('${words(13).replace('.', '')} ' +\n  \`\${name} ${words(13)}\`)\n`
  t.strictSame(await summarize('src/a.ts', strings), ['1:7 sentence-length'])
  t.strictSame(await summarize('test/a.ts', strings), [])
})

t.test('strings of src are prose where they have three words or more', async (t) => {
  const source = [
    "import x from 'aloud told stranger'",
    "const a = ['aloud', 'aloud told', 'it is said aloud']",
    "const b = 'it isn\\'t said\\naloud' as 'it is aloud'",
    'const c = `the $' + '{`what is aloud`} is not told`',
  ].join('\n')
  t.strictSame(
    await summarize('src/a.ts', source),
    ['2:47', '3:28', '4:27', '4:42'].map((at) => `${at} banned-words`),
  )
})
