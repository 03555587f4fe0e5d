import t from 'tap'
import { FetchBudget } from '../../src/core/fetch-budget.ts'

const COOLDOWN = 5000

/** How many fetches can be spent at a moment. */
function spend(budget: FetchBudget, now: number): number {
  let spent = 0
  while (spent < 10 && budget.take(now)) spent += 1
  return spent
}

t.test('three fetches at once, then none before a cooldown is over', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  t.equal(spend(budget, 0), 3)
  t.equal(spend(budget, COOLDOWN - 1), 0)
})

t.test('one comes back every cooldown, not a millisecond early', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  spend(budget, 0)
  t.equal(spend(budget, COOLDOWN), 1)
  t.equal(spend(budget, 2 * COOLDOWN - 1), 0)
  t.equal(spend(budget, 2 * COOLDOWN), 1)
  t.equal(spend(budget, 4 * COOLDOWN), 2)
})

t.test('what is left of a cooldown counts towards the next', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  spend(budget, 0)
  t.equal(spend(budget, 1.5 * COOLDOWN), 1)
  t.equal(spend(budget, 2 * COOLDOWN), 1)
})

t.test('after a rest there are three again, and no more', async (t) => {
  for (const rest of [3 * COOLDOWN, 1000 * COOLDOWN]) {
    const budget = new FetchBudget(COOLDOWN)
    spend(budget, 0)
    t.equal(spend(budget, rest), 3)
    t.equal(spend(budget, rest + COOLDOWN - 1), 0)
  }
})

t.test('a full budget saves up nothing: its cooldown begins when it is spent', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  budget.take(0)
  t.equal(spend(budget, 1.8 * COOLDOWN), 3)
  t.equal(spend(budget, 2.7 * COOLDOWN), 0)
  t.equal(spend(budget, 2.8 * COOLDOWN), 1)
})
