/** docs/errors.md has a heading for every code, with the status, the challenge and the message of the source. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AUTH_ERRORS } from '../../src/core/errors.ts'

const page = readFileSync('docs/errors.md', 'utf8')
/** Text below the heading of each code. */
const sections = new Map(
  page
    .split(/^(?=##)/m)
    .map((section) => [/^### `(ERR_[A-Z_]+)`\n/.exec(section)?.[1] ?? '', section] as const)
    .filter(([code]) => code !== ''),
)

/** These know Node's own codes, and throw none of them. */
const OF_NODE = new Set([join('cli', 'app-loader', 'format-error.ts')])

function codesIn(folder: string): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const texts = files
    .filter((it) => it.endsWith('.ts') && !OF_NODE.has(it))
    .map((it) => readFileSync(join(folder, it), 'utf8'))
  return new Set(texts.flatMap((text) => text.match(/\bERR_[A-Z_]+\b/g) ?? []))
}

t.test('every code of the source has a heading, and no heading is left over', async (t) => {
  const codes = codesIn('src')
  t.ok(codes.size > 20)
  t.strictSame([...sections.keys()].sort(), [...codes].sort())
  t.equal([...page.matchAll(/^### /gm)].length, sections.size, 'each code once')
})

t.test('every code has a cause and a fix', async (t) => {
  for (const [code, section] of sections) {
    t.match(section, /^- Cause: \S.{10,}/m, code)
    t.match(section, /^- Fix: \S.{4,}/m, code)
  }
})

t.test('responses have their status, challenge and message', async (t) => {
  for (const [code, { statusCode, challenge, message }] of Object.entries(AUTH_ERRORS)) {
    const [, facts = ''] = (sections.get(code) ?? '').split('\n\n')
    const [, status, shown = '', text] =
      /^(\d{3}), challenge (.*), message "(.*)"\.$/.exec(facts) ?? []
    t.equal(status, String(statusCode), code)
    t.equal(text, message, code)
    if (challenge === 'none') t.equal(shown, 'none; `Retry-After`', code)
    else if (challenge === 'bare') t.equal(shown, '`Bearer realm="…"`', code)
    else t.ok(shown.startsWith(`\`error="${challenge}"\``), code)
  }
})

t.test('the table of responses has every code with its status', async (t) => {
  const listed = [...page.matchAll(/^\| \[`(ERR_[A-Z_]+)`\]\(#(\w+)\) \| (\d{3}) \|/gm)]
  for (const [, code = '', anchor] of listed) t.equal(anchor, code.toLowerCase())
  t.strictSame(
    listed.map(([, code, , status]) => [code, Number(status)]),
    Object.entries(AUTH_ERRORS).map(([code, { statusCode }]) => [code, statusCode]),
  )
})
