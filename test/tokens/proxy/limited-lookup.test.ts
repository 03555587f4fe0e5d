/** Rate limit and priority of the `clients` lookup. */
import t from 'tap'
import { limitedLookup } from '../../../src/tokens/proxy/limited-lookup.ts'
import { until } from '../../support/proxy.ts'

/** A lookup of two calls a second and one at once, whose answers and clock a test moves by hand. */
function limited({ perSecond = 2, concurrency = 1, polls = 20 } = {}) {
  const lookups: string[] = []
  const clock = { now: 0 }
  const answers = new Map<string, (isClient: boolean) => void>()
  const find = limitedLookup(
    (clientId) => {
      lookups.push(clientId)
      return new Promise<boolean>((resolve) => answers.set(clientId, resolve))
    },
    { perSecond, concurrency, polls, monotonicNow: () => clock.now },
  )
  /** Looks up a client, and resolves the lookup. */
  const settle = async (clientId: string, isClient: boolean): Promise<boolean> => {
    const before = lookups.length
    const found = find(clientId)
    await until(() => lookups.length > before)
    answers.get(clientId)?.(isClient)
    return found
  }
  return { lookups, answers, clock, find, settle }
}

const BUSY = { name: 'HookError', code: 'ERR_DECISION_FAILED' }

t.test('a call frees its turn on success and on failure', async (t) => {
  const clock = { now: 0 }
  const find = limitedLookup(
    (clientId) => {
      if (clientId === 'throws') throw new Error('secret')
      return clientId === 'known'
    },
    { perSecond: 4, concurrency: 1, polls: 1, monotonicNow: () => clock.now },
  )
  await t.rejects(find('throws') as Promise<boolean>, BUSY)
  t.equal(await find('known'), true)
  t.equal(await find('stranger'), false)
  t.equal(await find('known'), true)
  await t.rejects(find('stranger') as Promise<boolean>, BUSY, 'four a second')
  clock.now = 1000
  t.equal(await find('stranger'), false)
})

t.test('a client that was admitted before waits for its turn, with priority', async (t) => {
  const { lookups, answers, clock, find, settle } = limited()
  t.equal(await settle('known', true), true)
  t.equal(await settle('stranger', false), false)
  await t.rejects(find('stranger') as Promise<boolean>, BUSY, 'nobody else waits')
  const known = find('known')
  clock.now = 1000
  await t.rejects(find('stranger') as Promise<boolean>, BUSY, 'not before who waits')
  await until(() => lookups.length === 3)
  t.strictSame(lookups, ['known', 'stranger', 'known'])
  answers.get('known')?.(true)
  t.equal(await known, true)
  t.equal(await settle('stranger', false), false, 'its turn again')
})

t.test('a client waits at most for its polls, and at most `perSecond` clients wait', async (t) => {
  const { answers, clock, find, settle } = limited({ polls: 1 })
  for (const clientId of ['a', 'b', 'c']) {
    t.equal(await settle(clientId, true), true)
    clock.now += 1000
  }
  const running = find('stranger') as Promise<boolean>
  const waiting = ['a', 'b'].map((id) => t.rejects(find(id) as Promise<boolean>, BUSY))
  await t.rejects(find('c') as Promise<boolean>, BUSY, 'at once')
  await Promise.all(waiting)
  answers.get('stranger')?.(false)
  t.equal(await running, false)
})

t.test('a client that is no longer admitted does not wait', async (t) => {
  const { clock, find, settle } = limited()
  t.equal(await settle('a', true), true)
  t.equal(await settle('a', false), false)
  await t.rejects(find('a') as Promise<boolean>, BUSY)
  clock.now = 1000
  t.equal(await settle('b', true), true)
})
