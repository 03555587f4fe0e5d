import t from 'tap'
import { StoreClock } from '../../../src/tokens/store/store-clock.ts'

const WALL = 1_000_000

function setUpClock(skews: number[] = []) {
  const time = { monotonic: 0 }
  const clock = new StoreClock({
    now: () => WALL + time.monotonic,
    monotonicNow: () => time.monotonic,
    onSkew: (skew) => skews.push(skew),
  })
  /** An answer to a command that was sent so many milliseconds ago. */
  const answer = (reading: unknown, delay: number): void => {
    clock.observe(reading, time.monotonic - delay)
  }
  return { time, clock, answer, bounds: () => [clock.earliest(), clock.latest()] }
}

t.test('without a reading, the wall clock is used', async (t) => {
  const { time, answer, bounds } = setUpClock()
  time.monotonic = 5
  for (const none of [undefined, null, '1', Number.NaN, Number.POSITIVE_INFINITY]) answer(none, 1)
  t.strictSame(bounds(), [WALL + 5, WALL + 5])
})

t.test('a reading was taken between request and response, and advances with time', async (t) => {
  const { time, answer, bounds } = setUpClock()
  time.monotonic = 100
  answer(2_000_000, 40)
  t.strictSame(bounds(), [2_000_000, 2_000_041])
  time.monotonic = 1100
  t.strictSame(bounds(), [2_001_000, 2_001_041])
})

t.test('further readings narrow the interval, and a contradicting one replaces it', async (t) => {
  const { time, answer, bounds } = setUpClock()
  time.monotonic = 1000
  answer(2_000_000, 1000)
  t.strictSame(bounds(), [2_000_000, 2_001_001])
  answer(2_000_500, 1000)
  t.strictSame(bounds(), [2_000_500, 2_001_001])
  answer(2_000_300, 300)
  t.strictSame(bounds(), [2_000_500, 2_000_601])
  answer(2_000_000, 10_000)
  t.strictSame(bounds(), [2_000_500, 2_000_601], 'a stalled answer spoils nothing')
  answer(1_000_000, 10)
  t.strictSame(bounds(), [1_000_000, 1_000_011], 'set back')
  answer(3_000_000, 10)
  t.strictSame(bounds(), [3_000_000, 3_000_011], 'set forward')
})

t.test('a skew beyond 5 s is reported once, ahead or behind', async (t) => {
  for (const [offset, expected] of [
    [4990, []],
    [-4990, []],
    [120_000, [-120]],
    [-120_000, [120]],
  ] as const) {
    const skews: number[] = []
    const { answer } = setUpClock(skews)
    for (let time = 0; time < 3; time += 1) answer(WALL + offset, 2)
    t.strictSame(skews, expected)
  }
  const skews: number[] = []
  const { answer } = setUpClock(skews)
  answer(WALL - 6000, 2000)
  t.strictSame(skews, [], 'a slow answer is no skew')
  const silent = new StoreClock({ now: () => WALL, monotonicNow: () => 0 })
  silent.observe(1, 0)
  t.equal(silent.earliest(), 1)
})
