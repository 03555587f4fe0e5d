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

/** A call that logs. */
interface LogCall {
  readonly file: string
  readonly level: string
  /** Undefined where the text does not stand in the call. */
  readonly text: string | undefined
  /** Names of the fields; undefined where they do not stand in the call. */
  readonly fields: readonly string[] | undefined
}

/** The members of an object literal at the beginning of a call, without spread. */
function readFields(call: string): readonly string[] | undefined {
  const [, members] = /^\s*\{([^{}]*)\}/.exec(call) ?? []
  if (members === undefined || members.includes('...')) return undefined
  return members
    .split(',')
    .map((member) => member.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '')
}

const written: readonly LogCall[] = sources.flatMap((file) =>
  [...read(file).matchAll(/\b[lL]og(?:ger)?\.(debug|info|warn|error)\((.*?)\)$/gms)].map(
    ([, level = '', call = '']) => {
      const [, text, name] = /(?:'([^']*)'|\b([A-Z_]+)),?\s*$/.exec(call) ?? []
      return { file, level, text: text ?? constants.get(name), fields: readFields(call) }
    },
  ),
)
const page = read('docs/logs.md')
const rows = [
  ...page.matchAll(/^\| (debug|info|warn|error) \| `([^`]+)` \| ([^|]+) \| (.+) \|$/gm),
].map(([, level, text, fields = '', when]) => ({ line: `${level} ${text}`, fields, when }))

t.test('every log line begins with cognito-m2m: and is quoted in docs/logs.md', async (t) => {
  t.ok(written.length >= 15, `${written.length} calls`)
  for (const { file, level, text = '' } of written) {
    t.ok(text.startsWith('cognito-m2m: '), `${file}: ${level} ${text}`)
  }
  const unique = (lines: readonly string[]): string[] => [...new Set(lines)].sort()
  t.strictSame(
    rows.map(({ line }) => line).sort(),
    unique(written.map(({ level, text }) => `${level} ${text}`)),
  )
})

t.test('the page has the fields of every log line', async (t) => {
  let compared = 0
  for (const { level, text = '', fields } of written) {
    if (fields === undefined) continue
    compared += 1
    const row = rows.find(({ line }) => line === `${level} ${text}`)
    const quoted = [...(row?.fields ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name)
    t.strictSame(quoted, fields, text)
    t.equal(row?.fields === 'none', fields.length === 0, text)
  }
  t.ok(compared > 15, `${compared} calls`)
})

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
