import t from 'tap'
import { elapsedClock, wallClock } from '../../../src/core/util/time.ts'

function clocks() {
  const times = { wall: 1_000_000, monotonic: 5000 }
  const elapsed = elapsedClock(
    () => times.wall,
    () => times.monotonic,
  )
  return { times, elapsed }
}

t.test('with both clocks running, time counts once', async (t) => {
  const { times, elapsed } = clocks()
  for (let step = 1; step <= 10_000; step += 1) {
    times.monotonic += 0.3
    times.wall = Math.floor(1_000_000 + step * 0.3)
    elapsed()
  }
  t.ok(Math.abs(elapsed() - 3000) < 3, `${elapsed()} of 3000 ms`)
})

t.test('after a suspension, the wall clock adds the time', async (t) => {
  const { times, elapsed } = clocks()
  times.wall += 60_000
  t.equal(elapsed(), 60_000)
  times.wall += 500
  times.monotonic += 500
  t.equal(elapsed(), 60_500)
})

t.test('a step back of the wall clock removes no time', async (t) => {
  const { times, elapsed } = clocks()
  times.wall -= 3_600_000
  t.equal(elapsed(), 0)
  times.monotonic += 1000
  times.wall += 1000
  t.equal(elapsed(), 1000)
  times.wall += 10_000
  t.equal(elapsed(), 11_000, 'ahead again, from where it went back to')
})

t.test('a step back of the monotonic clock removes no time', async (t) => {
  const { times, elapsed } = clocks()
  times.monotonic += 1000
  times.wall += 1000
  t.equal(elapsed(), 1000)
  times.monotonic -= 900
  t.equal(elapsed(), 1000)
})

t.test('a clock that fails is ignored', async (t) => {
  const { times, elapsed } = clocks()
  times.monotonic = Number.NaN
  times.wall += 1000
  t.equal(elapsed(), 1000, 'the wall clock goes on alone')
  times.wall = Number.NaN
  t.equal(elapsed(), 1000)
  times.monotonic = 8000
  t.equal(elapsed(), 4000, 'what passed meanwhile counts')
})

t.test('if the injected wall clock fails, Date.now is used', async (t) => {
  t.equal(wallClock(() => 42)(), 42)
  const before = Date.now()
  const time = wallClock(() => Number.NaN)()
  t.ok(time >= before && time <= Date.now())
})
