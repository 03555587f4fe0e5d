import t from 'tap'
import { Backoff } from '../../../src/core/util/backoff.ts'

t.test('a success resets the backoff to one second', async (t) => {
  const backoff = new Backoff()
  for (let failure = 0; failure < 5; failure += 1) backoff.failed(1000)
  t.equal(backoff.isFailing, true)
  t.ok(backoff.until >= 1000 + 12_000)
  backoff.succeeded()
  t.equal(backoff.isFailing, false)
  t.equal(backoff.until, 0)
  backoff.failed(1000)
  t.equal(backoff.until, 2000)
})
