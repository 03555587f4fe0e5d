import t from 'tap'
import { elapsedClock, wallClock } from '../../../src/core/util/time.ts'

function clocks() {
  const told = { wall: 1_000_000, monotonic: 5000 }
  const elapsed = elapsedClock(
    () => told.wall,
    () => told.monotonic,
  )
  return { told, elapsed }
}

t.test('both run: time counts once', async (t) => {
  const { told, elapsed } = clocks()
  for (let step = 1; step <= 10_000; step += 1) {
    told.monotonic += 0.3
    told.wall = Math.floor(1_000_000 + step * 0.3)
    elapsed()
  }
  t.ok(Math.abs(elapsed() - 3000) < 3, `${elapsed()} of 3000 ms`)
})

t.test('a machine that slept: the wall clock tells', async (t) => {
  const { told, elapsed } = clocks()
  told.wall += 60_000
  t.equal(elapsed(), 60_000)
  told.wall += 500
  told.monotonic += 500
  t.equal(elapsed(), 60_500)
})

t.test('a wall clock that steps back takes nothing back and goes on counting', async (t) => {
  const { told, elapsed } = clocks()
  told.wall -= 3_600_000
  t.equal(elapsed(), 0)
  told.monotonic += 1000
  told.wall += 1000
  t.equal(elapsed(), 1000)
  told.wall += 10_000
  t.equal(elapsed(), 11_000, 'ahead again, from where it went back to')
})

t.test('a monotonic clock that steps back takes nothing back either', async (t) => {
  const { told, elapsed } = clocks()
  told.monotonic += 1000
  told.wall += 1000
  t.equal(elapsed(), 1000)
  told.monotonic -= 900
  t.equal(elapsed(), 1000)
})

t.test('of a clock that tells no time nothing is heard', async (t) => {
  const { told, elapsed } = clocks()
  told.monotonic = Number.NaN
  told.wall += 1000
  t.equal(elapsed(), 1000, 'the wall clock goes on alone')
  told.wall = Number.NaN
  t.equal(elapsed(), 1000)
  told.monotonic = 8000
  t.equal(elapsed(), 4000, 'what passed meanwhile counts')
})

t.test("where the owner's wall clock fails, the platform's tells the time", async (t) => {
  t.equal(wallClock(() => 42)(), 42)
  const before = Date.now()
  const time = wallClock(() => Number.NaN)()
  t.ok(time >= before && time <= Date.now())
})
