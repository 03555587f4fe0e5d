/** docs/errors.md says what the code does: every code, its status, its challenge. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AUTH_ERRORS } from '../../src/core/errors.ts'
import type { AuthErrorCode } from '../../src/index.ts'

const page = readFileSync('docs/errors.md', 'utf8')
const rows = new Map(
  [...page.matchAll(/^\| `(ERR_[A-Z_]+)` \|(.*)\|$/gm)].map(([, code = '', cells = '']) => [
    code,
    cells.split('|').map((cell) => cell.trim()),
  ]),
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

t.test('every code of the source has a row, and no row is left over', async (t) => {
  const codes = codesIn('src')
  t.ok(codes.size > 20)
  for (const code of codes) t.ok(rows.has(code), code)
  for (const code of rows.keys()) t.ok(codes.has(code), code)
})

t.test('refusals have their status and challenge', async (t) => {
  for (const [code, { statusCode, challenge }] of Object.entries(AUTH_ERRORS)) {
    const [status, shown = '', cause, advice] = rows.get(code) ?? []
    t.equal(status, String(statusCode), code)
    t.ok(cause && advice, 'a cause and what to do')
    if (challenge === 'none') t.equal(shown, 'none; `Retry-After`', code)
    else if (challenge === 'bare') t.equal(shown, '`Bearer realm="…"`', code)
    else t.ok(shown.startsWith(`\`error="${challenge}"\``), code)
  }
})

t.test('the README lists the same refusals', async (t) => {
  const readme = readFileSync('README.md', 'utf8')
  const listed = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)` \| (\d{3}) \|/gm)]
  t.strictSame(
    Object.fromEntries(listed.map(([, code, status]) => [code, Number(status)])),
    Object.fromEntries(
      (Object.keys(AUTH_ERRORS) as AuthErrorCode[]).map((code) => [
        code,
        AUTH_ERRORS[code].statusCode,
      ]),
    ),
  )
})
