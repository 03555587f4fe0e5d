import t from 'tap'
import { FetchBudget } from '../../../src/core/keys/unknown-kid.ts'

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

t.test('what comes back goes to the form that was served least recently', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  for (let use = 0; use < 3; use += 1) t.equal(budget.take(0, 'flooded'), true)
  t.equal(budget.take(0, 'flooded'), false)
  t.equal(budget.take(1, 'other'), false)
  t.equal(budget.take(COOLDOWN, 'flooded'), false, 'the other one waits')
  t.equal(budget.take(COOLDOWN, 'other'), true)
  t.equal(budget.take(COOLDOWN, 'other'), false)
  t.equal(budget.take(2 * COOLDOWN, 'other'), false)
  t.equal(budget.take(2 * COOLDOWN, 'flooded'), true)
})

t.test('a form that waits holds back one fetch and no more', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  for (let use = 0; use < 3; use += 1) budget.take(0, 'flooded')
  t.equal(budget.take(COOLDOWN - 1, 'other'), false)
  t.equal(budget.take(2 * COOLDOWN, 'flooded'), true)
  t.equal(budget.take(2 * COOLDOWN, 'flooded'), false)
  t.equal(budget.take(2 * COOLDOWN, 'other'), true)
})

t.test('a form that is not asked for any more loses its turn', async (t) => {
  const budget = new FetchBudget(COOLDOWN)
  for (let use = 0; use < 3; use += 1) budget.take(0, 'flooded')
  for (const form of ['a', 'b', 'c', 'd']) t.equal(budget.take(0, form), false)
  t.equal(budget.take(3 * COOLDOWN - 1, 'flooded'), false)
  t.equal(budget.take(3 * COOLDOWN, 'flooded'), true)
})
