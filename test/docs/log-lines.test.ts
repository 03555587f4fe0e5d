/** Log lines: each begins with the package's name, and the docs quote the lines that the code writes. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)

/** Commands and the dashboard's page write no log. */
const OTHERS = /^src\/(cli|tokens\/usage\/dashboard\/page)\//

const sources = filesIn('src', '.ts').filter((file) => !OTHERS.test(file))
/** Texts that several calls share. */
const constants = new Map(
  sources.flatMap((file) =>
    [...read(file).matchAll(/^export const ([A-Z_]+)(?:: string)? =\s+'([^']*)'/gm)].map(
      ([, name, text]) => [name, text] as const,
    ),
  ),
)

/** Level and text of each call, `undefined` where the text does not stand in the call. */
const written = sources.flatMap((file) =>
  [...read(file).matchAll(/\b[lL]og(?:ger)?\.(info|warn|error)\((.*?)\)$/gms)].map(
    ([, level = '', call = '']) => {
      const [, text, name] = /(?:'([^']*)'|\b([A-Z_]+)),?\s*$/.exec(call) ?? []
      return { file, level, text: text ?? constants.get(name) }
    },
  ),
)
const page = read('docs/observability.md')

t.test(
  'every log line begins with cognito-m2m: and is quoted in docs/observability.md',
  async (t) => {
    t.ok(written.length >= 15, `${written.length} calls`)
    const [, table = ''] = /^## Log lines\n(.*?)^## /ms.exec(page) ?? []
    const rows = [...table.matchAll(/^\| (info|warn|error) \| `([^`]+)` \| (.+) \|$/gm)]
    for (const { file, level, text = '' } of written) {
      t.ok(text.startsWith('cognito-m2m: '), `${file}: ${level} ${text}`)
    }
    const unique = (lines: readonly string[]): string[] => [...new Set(lines)].sort()
    t.strictSame(
      unique(rows.map(([, level, text]) => `${level} ${text}`)),
      unique(written.map(({ level, text }) => `${level} ${text}`)),
    )
  },
)

t.test('wherever the docs quote a log line, they quote all of it', async (t) => {
  const pages = ['README.md', 'SECURITY.md', ...filesIn('docs', '.md')]
  let quoted = 0
  for (const { text = '' } of written) {
    const short = text.replace('cognito-m2m: ', '')
    for (const file of pages) {
      for (const [, quote = ''] of read(file).matchAll(/`([^`\n]+)`/g)) {
        if (!quote.includes(short)) continue
        quoted += 1
        t.equal(quote, text, file)
      }
    }
  }
  t.ok(quoted > written.length, `${quoted} quotes`)
})
