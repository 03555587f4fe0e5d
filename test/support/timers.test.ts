import { mock } from 'node:test'
import t from 'tap'
import { mockTimeouts } from './timers.ts'

t.test('a timer from before is cleared, and a mocked one too', async (t) => {
  let fired = ''
  const end = new Promise((resolve) => setTimeout(resolve, 20))
  const before = setTimeout(() => (fired += 'before '), 1)
  const { clearTimeout: clearReal } = globalThis
  mockTimeouts()
  const mocked = setTimeout(() => (fired += 'mocked '), 1)
  setTimeout(() => (fired += 'ticked'), 1)
  clearTimeout(before)
  clearTimeout(mocked)
  mock.timers.tick(1)
  mock.timers.reset()
  t.equal(globalThis.clearTimeout, clearReal)
  await end
  t.equal(fired, 'ticked')
})
