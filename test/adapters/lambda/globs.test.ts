/** Patterns by brute force: every short pattern against every text over a small alphabet. */
import t from 'tap'
import { globContains, globsOverlap } from '../../../src/adapters/lambda/routes.ts'

/** All texts of these characters up to a length. */
function texts(characters: string, length: number): string[] {
  if (length === 0) return ['']
  const shorter = texts(characters, length - 1)
  const longest = shorter.filter((it) => it.length === length - 1)
  return [...shorter, ...longest.flatMap((it) => [...characters].map((last) => it + last))]
}

const patterns = texts('a/*', 4)
// `z` is in no pattern: only a `*` takes it. Two patterns share a text of six if they share any.
const subjects = texts('a/z', 6)
const matched = new Map(
  patterns.map((pattern) => {
    const expression = new RegExp(`^${pattern.replaceAll('/', '\\/').replaceAll('*', '.*')}$`)
    return [pattern, new Set(subjects.filter((it) => expression.test(it)))]
  }),
)

t.test('overlap and contains are what matching says', async (t) => {
  const wrong: string[] = []
  for (const [one, first] of matched) {
    for (const [other, second] of matched) {
      const shared = [...second].some((it) => first.has(it))
      const within = [...second].every((it) => first.has(it))
      if (globsOverlap(one, other) !== shared) wrong.push(`overlap ${one} ${other}`)
      if (globContains(one, other) !== within) wrong.push(`contains ${one} ${other}`)
    }
  }
  t.strictSame(wrong, [])
})
