import t from 'tap'
import { CircuitBreaker } from '../../../src/tokens/store/circuit-breaker.ts'

function at() {
  const clock = { now: 0 }
  return { clock, breaker: new CircuitBreaker(() => clock.now) }
}

t.test('before the first command, a caller waits the normal time', async (t) => {
  t.equal(at().breaker.limit(1250, 100), 100)
})

t.test('a wait ends 1.25 s after the oldest command since the last success', async (t) => {
  const { clock, breaker } = at()
  breaker.begin()
  t.equal(breaker.limit(1250, 100), 1250)
  t.equal(breaker.limit(700, 100), 700)
  clock.now = 1000
  breaker.begin()
  t.equal(breaker.limit(1250, 100), 250)
  clock.now = 1200
  t.equal(breaker.limit(1250, 100), 100, 'the store may be back')
  t.equal(breaker.limit(50, 100), 50)
  breaker.succeeded(true)
  breaker.begin()
  t.equal(breaker.limit(1250, 100), 1250)
})

t.test('a failure after a success of another command does not count as an outage', async (t) => {
  const { clock, breaker } = at()
  breaker.begin()
  breaker.succeeded(false)
  clock.now = 5000
  breaker.failed()
  t.equal(breaker.isDown, false)
})

t.test('down after 1.25 s of failures, and retried once a second', async (t) => {
  const { clock, breaker } = at()
  for (clock.now = 0; clock.now < 1250; clock.now += 50) {
    breaker.begin()
    breaker.failed()
    t.equal(breaker.isDown, false)
    t.equal(breaker.admits(false), true)
  }
  breaker.begin()
  breaker.failed()
  t.equal(breaker.isDown, true)
  clock.now += 1000
  t.strictSame([breaker.admits(false), breaker.admits(false)], [true, false])
  clock.now += 600_000
  breaker.begin()
  t.equal(breaker.isDown, true, 'however long nobody asked')
  breaker.succeeded(true)
  t.strictSame([breaker.admits(false), breaker.admits(true)], [true, true])
})
