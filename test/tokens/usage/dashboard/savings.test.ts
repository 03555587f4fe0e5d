/** Clients that ignore caching: many more tokens than one an hour. */
import t from 'tap'
import { findSavings } from '../../../../src/tokens/usage/dashboard/savings.ts'

t.test('the saving is the cost of the tokens beyond one an hour', (t) => {
  t.strictSame(findSavings([{ clientId: 'a', issued: 9600, days: 10, cost: 40 }]), [
    { clientId: 'a', issued: 9600, days: 10, cost: 40, needed: 240, saving: 39 },
  ])
  t.end()
})

t.test('a client with a cache in each of its processes is not listed', (t) => {
  t.strictSame(findSavings([{ issued: 2399, days: 10, cost: 40 }]), [])
  t.equal(findSavings([{ issued: 2400, days: 10, cost: 40 }]).length, 1)
  t.strictSame(findSavings([{ issued: 0, days: 0, cost: 0 }]), [])
  t.end()
})

t.test('the ten largest savings are listed, by tokens if there is no price', (t) => {
  const clients = Array.from({ length: 12 }, (_, index) => ({
    issued: 1000 + index,
    days: 1,
    cost: 100 * (index % 4),
  }))
  const found = findSavings(clients)
  t.equal(found.length, 10)
  t.strictSame(
    found.map(({ issued }) => issued - 1000),
    [11, 7, 3, 10, 6, 2, 9, 5, 1, 8],
  )
  t.end()
})
