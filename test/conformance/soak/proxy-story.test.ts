/** The soak of the proxy: which acts a run has, and how long they are. */
import t from 'tap'
import { planActs } from '../../../soak/proxy/story.mjs'

const seconds = (acts: ReturnType<typeof planActs>): number =>
  Math.round(acts.reduce((sum, { ms }) => sum + ms, 0) / 1000)

t.test('a run takes the time it is given', async (t) => {
  for (const length of [30, 60, 120, 600]) t.equal(seconds(planActs(length)), length)
})

t.test('the whole story is told from 120 s on, and a part of it in the gate', async (t) => {
  const [whole, gate] = [120, 30].map((length) => planActs(length).map(({ name }) => name))
  t.equal(whole?.length, 19)
  t.strictSame(gate, [
    ...['cold start', 'no fault', 'Redis: 1 s stall', 'one client: 429'],
    ...['invalid tokens', 'Cognito: refused', 'clocks ±120 s'],
  ])
})

t.test(
  'every act but the first has a limit, and only that without a fault needs no other',
  async (t) => {
    for (const { name, limits } of planActs(120).slice(1))
      t.ok(Object.keys(limits).length > 0, name)
    const { limits } = planActs(120)[1] ?? {}
    t.strictSame(limits, { waitMs: 1000, requestsPerLife: 1.05 / 0.75 })
  },
)

t.test('a run of less than 30 s is rejected', async (t) => {
  t.throws(() => planActs(29), { message: '--seconds: expected 30 or more, got 29' })
})
