import t from 'tap'
import { safeLogger } from '../../../src/core/options/logger.ts'
import { StoreCaller } from '../../../src/tokens/store/store-caller.ts'
import { LateError } from '../../../src/tokens/store/token-store.ts'

function reach() {
  const clock = { now: 0 }
  return { clock, reach: new StoreCaller(safeLogger(undefined), () => clock.now) }
}

t.test('a late command is sent again while its caller waits', async (t) => {
  const { clock, reach: asking } = reach()
  const delays: number[] = []
  const answer = await asking.call(
    'read',
    async (maxDelayMs) => {
      delays.push(maxDelayMs)
      clock.now += 400
      if (delays.length < 4) throw new LateError()
      return 'good'
    },
    { waitMs: 1000, hasCopy: false },
  )
  t.strictSame(answer, { answer: 'good' })
  t.strictSame(delays, [1000, 600, 200, 100])
})

t.test('a late command is not sent again once its caller has stopped waiting', async (t) => {
  const { reach: asking } = reach()
  let sent = 0
  let settle: (() => void) | undefined
  const answer = await asking.call(
    'write',
    () => {
      sent += 1
      return new Promise((_resolve, reject) => {
        settle = () => reject(new LateError())
      })
    },
    { waitMs: 1 },
  )
  t.equal(answer, undefined)
  settle?.()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(sent, 1)
})
