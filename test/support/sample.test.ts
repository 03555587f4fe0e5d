/** A sample has every kind of case, is the same each time, and is everything with TEST_ALL=1. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { coverKinds, pairsOf } from './sample.ts'

const SIZES = [17, 5, 5, 5]
const product = (sizes: readonly number[]): string[][] => {
  const [size = 0, ...rest] = sizes
  const values = Array.from({ length: size }, (_, index) => String(index))
  if (rest.length === 0) return values.map((value) => [value])
  return values.flatMap((value) => product(rest).map((others) => [value, ...others]))
}
const cases = product(SIZES)

t.test('every pair of values of every two dimensions is in the sample', async (t) => {
  const chosen = coverKinds('matrix', cases, pairsOf)
  for (const [first, size] of SIZES.entries()) {
    for (const [second, other] of SIZES.entries()) {
      if (second <= first) continue
      const pairs = new Set(chosen.map((one) => `${one[first]} ${one[second]}`))
      t.equal(pairs.size, size * other, `dimensions ${first} and ${second}`)
    }
  }
  t.ok(chosen.length <= 2 * 17 * 5, `${chosen.length} of ${cases.length}`)
  t.ok(
    chosen.every(
      (one, index) =>
        index === 0 || cases.indexOf(one) > cases.indexOf(chosen[index - 1] as string[]),
    ),
    'in the order of the cases',
  )
})

t.test('every kind is in the sample, and no more cases than kinds', async (t) => {
  const kindsOf = ([first, second]: readonly string[]) => [`first ${first}`, `second ${second}`]
  const chosen = coverKinds('kinds', cases, kindsOf)
  t.strictSame(new Set(chosen.flatMap(kindsOf)), new Set(cases.flatMap(kindsOf)))
  t.equal(chosen.length, 17)
  t.strictSame(coverKinds('none', [], kindsOf), [])
})

t.test('the choice depends on the name, and on nothing else', async (t) => {
  const kindOf = ([, second]: readonly string[]) => [String(second)]
  t.strictSame(coverKinds('one', cases, kindOf), coverKinds('one', cases, kindOf))
  const names = Array.from({ length: 200 }, (_, index) => `scenario ${index}`)
  const seen = new Set(
    names.flatMap((name) => coverKinds(name, cases.slice(0, 25), kindOf)).map(String),
  )
  t.equal(seen.size, 25, 'many names choose every example of a kind')
})

t.test('TEST_ALL=1 leaves nothing out, and what was left out is reported', async (t) => {
  const program = `
    import { sample, sampleSize } from ${JSON.stringify(new URL('./sample.ts', import.meta.url).href)}
    const kindsOf = (one) => [String(one % 2)]
    const { length } = sample('numbers', [1, 2, 3, 4, 5, 6], kindsOf)
    const sizes = [undefined, '', '7'].map((it) => sampleSize('runs', { complete: 100, sampled: 5 }, it))
    console.log(JSON.stringify([length, ...sizes]))`
  const run = (env: object) => {
    const { TEST_ALL: _, ...rest } = process.env
    const options = ['--import=./test/typescript/register.mjs', '--input-type=module', '--eval']
    const printed = execFileSync(process.execPath, [...options, program], {
      env: { ...rest, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return JSON.parse(printed)
  }
  t.strictSame(run({}), [2, 5, 5, 7])
  t.strictSame(run({ TEST_ALL: '1' }), [6, 100, 100, 7])
})
