import t from 'tap'
import { createCachedLookup, HookError } from '../../src/core/hooks.ts'

const TIMES = { allow: 60_000, deny: 10_000 }

/** A lookup whose answers and clock a test moves by hand. */
function lookup(answer: (clientId: string) => unknown, times = TIMES) {
  const asked: string[] = []
  const clock = { now: 0 }
  const find = createCachedLookup(
    (clientId) => {
      asked.push(clientId)
      return answer(clientId) as boolean
    },
    { ...times, elapsed: () => clock.now },
  )
  return { asked, clock, find }
}

t.test('an allowed client is looked up again after `allow` seconds', async (t) => {
  const { asked, clock, find } = lookup(() => true)
  t.equal(await find('a'), true)
  clock.now = 59_999
  t.equal(find('a'), true, 'at once')
  t.strictSame(asked, ['a'])
  clock.now = 60_000
  t.equal(await find('a'), true)
  t.strictSame(asked, ['a', 'a'])
})

t.test('a denied client is looked up again after `deny` seconds', async (t) => {
  const { asked, clock, find } = lookup(() => asked.length > 1)
  t.equal(await find('a'), false)
  clock.now = 9999
  t.equal(find('a'), false, 'at once')
  clock.now = 10_000
  t.equal(await find('a'), true)
  t.strictSame(asked, ['a', 'a'])
})

t.test('the age of a result starts at its arrival', async (t) => {
  let arrive: (answer: boolean) => void = () => {}
  const { asked, clock, find } = lookup(() => new Promise((resolve) => (arrive = resolve)))
  const first = find('a')
  clock.now = 2000
  arrive(true)
  await first
  clock.now = 61_999
  t.equal(find('a'), true)
  t.equal(asked.length, 1)
})

t.test('zero seconds disable the cache', async (t) => {
  const { asked, find } = lookup(() => true, { allow: 0, deny: 0 })
  await find('a')
  await find('a')
  t.equal(asked.length, 2)
})

t.test('a truthy result that is not true denies', async (t) => {
  for (const answer of [1, 'yes', {}, { allowed: true }, Promise.resolve('true')]) {
    const { clock, find } = lookup(() => answer)
    t.equal(await find('a'), false)
    clock.now = 9999
    t.equal(find('a'), false)
  }
})

t.test('a hundred concurrent lookups of a client share one call', async (t) => {
  const { asked, find } = lookup(async (clientId) => clientId === 'a')
  const answers = Array.from({ length: 100 }, (_, index) => find(index % 2 ? 'a' : 'b'))
  t.strictSame([...new Set(await Promise.all(answers))].sort(), [false, true])
  t.strictSame(asked.sort(), ['a', 'b'])
})

t.test('a failed lookup is shared by concurrent requests and not cached', async (t) => {
  const { asked, find } = lookup(() => {
    if (asked.length === 1) throw new Error('database down')
    return true
  })
  const waiting = await Promise.allSettled([find('a'), find('a')])
  for (const result of waiting) {
    t.equal(result.status, 'rejected')
    t.ok(result.status === 'rejected' && result.reason instanceof HookError)
  }
  t.equal(asked.length, 1)
  t.equal(await find('a'), true)
})

t.test('an expired result is not used when the lookup fails', async (t) => {
  const { asked, clock, find } = lookup(() => {
    if (asked.length > 1) throw new Error('database down')
    return true
  })
  await find('a')
  clock.now = 60_000
  await t.rejects(find('a') as Promise<boolean>, HookError)
  await t.rejects(find('a') as Promise<boolean>, HookError)
})

t.test('caches at most the newest 10,000 results', async (t) => {
  const { asked, clock, find } = lookup(() => true)
  await find('first')
  for (let client = 1; client < 10_000; client += 1) void find(`client ${client}`)
  await find('client 9999')
  t.equal(asked.length, 10_000)
  t.equal(find('first'), true, '10,000 are kept')
  clock.now = 60_000
  await find('first')
  await find('one too many')
  asked.length = 0
  clock.now = 59_999
  t.equal(find('first'), true, 'asked again, so no longer the oldest')
  t.equal(find('client 2'), true)
  await find('client 1')
  t.strictSame(asked, ['client 1'], 'the oldest was dropped')
})

t.test('a clock that returns NaN disables the cache', async (t) => {
  const { asked, clock, find } = lookup(() => true)
  await find('a')
  clock.now = Number.NaN
  await find('a')
  await find('a')
  t.equal(asked.length, 3)
})

t.test('client ids are compared as exact strings', async (t) => {
  const { find } = lookup((clientId) => clientId === '__proto__')
  t.equal(await find('__proto__'), true)
  t.equal(await find('constructor'), false)
  t.equal(await find('toString'), false)
})
