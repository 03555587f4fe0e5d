import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { callHook, HOOK_TIMEOUT_MS, HookError } from '../../src/core/hooks.ts'

/** Why there was no decision; fails where there was one. */
async function noDecision(question: () => unknown): Promise<HookError> {
  const error = await callHook(question).then(
    (answer) => answer,
    (reason) => reason,
  )
  if (!(error instanceof HookError)) throw new Error(`decided: ${error}`)
  return error
}

t.test('only the boolean true allows', async (t) => {
  t.equal(await callHook(() => true), true)
  t.equal(await callHook(async () => true), true)
})

t.test('denies on every truthy value but true', async (t) => {
  const truthy = [
    1,
    'true',
    {},
    [],
    { allowed: true },
    () => true,
    Symbol('yes'),
    new Boolean(true),
  ]
  for (const answer of [...truthy, false, 0, '', null, undefined, Number.NaN]) {
    t.equal(await callHook(() => answer), false)
    t.equal(await callHook(async () => answer), false)
  }
})

t.test('a hook that throws or rejects gives no decision', async (t) => {
  class PolicyError extends Error {}
  const thrown: [unknown, string][] = [
    [new Error('secret'), ''],
    [new TypeError('secret'), ' (TypeError)'],
    [new PolicyError('secret'), ' (PolicyError)'],
    ['secret', ''],
    [undefined, ''],
    [{ message: 'secret' }, ''],
  ]
  for (const [reason, named] of thrown) {
    const throws = () => {
      throw reason
    }
    for (const question of [throws, async () => throws()]) {
      const error = await noDecision(question)
      t.equal(error.code, 'ERR_DECISION_FAILED')
      t.equal(error.message, `A check or client lookup threw or rejected${named}`)
      t.equal(error.cause, undefined)
      t.notMatch(`${error.stack}`, /secret/)
    }
  }
})

t.test('does not repeat a class name that may contain text', async (t) => {
  const names = [
    'secret',
    'Secret token Error',
    'é\r\nError',
    `${'x'.repeat(41)}Error`,
    'Error2',
    'TypeError secret',
  ]
  for (const name of names) {
    const named = { [name]: class extends Error {} }[name] as ErrorConstructor
    const error = await noDecision(() => {
      throw new named('secret')
    })
    t.equal(error.message, 'A check or client lookup threw or rejected')
  }
})

t.test('an error with a throwing getter gives no decision', async (t) => {
  const get = () => {
    throw new Error('secret')
  }
  const trap = Object.defineProperty(new Error('x'), 'constructor', { get })
  const none = Object.assign(new Error('x'), { constructor: undefined })
  const proxy = new Proxy(new Error('x'), { get, getPrototypeOf: get })
  for (const thrown of [trap, none, proxy, Object.create(null)]) {
    const error = await noDecision(() => {
      throw thrown
    })
    t.equal(error.message, 'A check or client lookup threw or rejected')
  }
})

t.test('a hook that takes over 3 seconds gives no decision', async (t) => {
  t.equal(HOOK_TIMEOUT_MS, 3000)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let state = 'waiting'
  let late: (reason: Error) => void = () => {}
  const asked = noDecision(() => new Promise((_resolve, reject) => (late = reject)))
  asked.then((error) => {
    state = error.code
  })
  mock.timers.tick(2999)
  await setImmediate()
  t.equal(state, 'waiting')
  mock.timers.tick(1)
  const error = await asked
  t.equal(state, 'ERR_DECISION_TIMEOUT')
  t.equal(error.message, 'A check or client lookup took too long')
  // An unhandled rejection would fail the test.
  late(new Error('too late'))
  await setImmediate()
})

t.test('a result within 3 seconds counts', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const asked = callHook(() => new Promise((resolve) => setTimeout(resolve, 2999, true)))
  mock.timers.tick(2999)
  t.equal(await asked, true)
})

t.test('a settled hook leaves no timer', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  await callHook(() => true)
  await callHook(() => Promise.reject(new Error('no'))).catch(() => {})
  t.equal(timers(), before)
})
