/** The edits of mutation/checks.mjs: each still takes out one check of the source as it is. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

type Edit = readonly [check: string, file: string, from: string, to: string, test: string]

const root = new URL('../../', import.meta.url)
const { checks } = (await import(new URL('mutation/checks.mjs', root).href)) as {
  readonly checks: Readonly<Record<string, readonly Edit[]>>
}

t.test('every edit matches its file exactly once, and its test exists', async (t) => {
  const edits = Object.values(checks).flat()
  t.ok(edits.length > 200, `${edits.length} edits`)
  const wrong: string[] = []
  for (const [check, file, from, to, test] of edits) {
    const source = readFileSync(new URL(`src/core/${file}.ts`, root), 'utf8')
    const times = source.split(from).length - 1
    if (times !== 1) wrong.push(`src/core/${file}.ts: ${check}: ${times} times: ${from}`)
    if (from === to) wrong.push(`src/core/${file}.ts: ${check}: changes nothing`)
    if (!existsSync(new URL(`test/core/${test}.test.ts`, root))) wrong.push(`${check}: no ${test}`)
  }
  t.strictSame(wrong, [])
})
