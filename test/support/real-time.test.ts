/** No test depends on how busy the machine is: the text of the tests holds nothing that would. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

/** What makes a test fail on a busy machine, with what to use in its place. */
const forbidden: readonly [RegExp, string][] = [
  [/(?:performance|Date)\.now\(\) - \w+ <=? /, 'assert what ended it, or count processor time'],
  [/\btook <=? /, 'assert what ended it, or count processor time'],
  [/\bt\.setTimeout\(/, '.taprc ends what hangs'],
  [/AbortSignal\.timeout\([\d_]{1,5}\)/, 'allow a minute'],
  [/fetchTimeout: 0\.[0-4]/, 'use fetchLimit()'],
]

t.test('no test compares real time with a limit of its own', async (t) => {
  const found: string[] = []
  for (const entry of readdirSync(new URL('test', root), { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry === 'support/real-time.test.ts') continue
    for (const [index, line] of read(`test/${entry}`).split('\n').entries()) {
      for (const [pattern, instead] of forbidden) {
        if (pattern.test(line)) found.push(`test/${entry}:${index + 1}: ${line.trim()}: ${instead}`)
      }
    }
  }
  t.strictSame(found, [])
})

t.test('a file may take a quarter of an hour, so that only what hangs is ended', async (t) => {
  const [, seconds] = /^timeout: (\d+)$/m.exec(read('.taprc')) ?? []
  t.ok(Number(seconds) >= 900, `${seconds} s`)
})
