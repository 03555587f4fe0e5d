/** What the cache is held to take is what it takes, whatever tokens claim and handlers read of them. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { machineToken, serve } from '../../support/forge.ts'

const MIB = 1_048_576
const BOUND = 2 * MIB
/** Enough to fill it more than once. */
const TOKENS = 500

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** V8 keeps the shapes of what is gone for some collections more. */
function heap(): number {
  for (let round = 0; round < 5; round += 1) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const many = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index))
const name = (index: number): string => index.toString(36)

/** Of 2 to 5 KB; what they take once they were read is several times that. */
const shapes: readonly [string, (token: number) => object][] = [
  ['scopes', (n) => ({ scope: many(400, (k) => `a/${name(n * 400 + k)}`).join(' ') })],
  [
    'members of their own',
    (n) => ({ x: Object.fromEntries(many(240, (k) => [name(n * 240 + k), 1])) }),
  ],
  ['many members', () => ({ x: Object.fromEntries(many(240, (k) => [`k${k}`, 1])) })],
  ['shapes of their own', (n) => ({ x: many(240, (k) => ({ [name(n * 240 + k)]: 1 })) })],
  ['long names', (n) => ({ [`${n}${'n'.repeat(5000)}`]: 1 })],
  ['wide text', (n) => ({ x: `€${n}${'a'.repeat(5000)}` })],
  ['empty objects', () => ({ x: many(240, () => ({})) })],
  ['fractions', () => ({ x: many(900, (k) => k + 0.5) })],
]

for (const [what, claims] of shapes) {
  t.test(`${what} keep the cache within its bound`, async (t) => {
    const server = serve({ tokenCache: { maxBytes: BOUND } })
    t.teardown(() => server.close())
    const guard = server.guard()
    const read = async (n: number): Promise<void> => {
      const token = await guard(
        Buffer.from(`Bearer ${machineToken({ jti: `${n}`, ...claims(n) })}`).toString(),
      )
      if (token.claims.jti !== `${n}` || token.scopes.size === 0) t.fail(`token ${n}`)
    }
    await read(0)
    const before = heap()
    for (let n = 1; n <= TOKENS; n += 1) await read(n)
    const grown = heap() - before
    t.ok(grown < 1.25 * BOUND, `${(grown / MIB).toFixed(1)} MiB of ${BOUND / MIB}`)
  })
}
