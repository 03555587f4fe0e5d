/** Options that are wrong are refused when usage is created, each by its name. */
import t from 'tap'
import { createUsage, type UsageOptions } from '../../../src/tokens/usage/index.ts'
import { PRICE } from '../../support/usage.ts'

const STORE = 'pass memoryUsageStore(), redisUsageStore({ redis }) or a UsageStore'

for (const [option, value, problem] of [
  ['store', undefined, 'expected a value, got undefined. Set it or leave it out.'],
  ['store', null, `is null: ${STORE}`],
  ['store', 'redis://localhost', `is "redis://localhost": ${STORE}`],
  ['store', { add: async () => {} }, `is an object: ${STORE}`],
  ['flushInterval', 0, 'is 0: expected a number of seconds from 0.1 to 60'],
  ['flushInterval', '3', 'is "3": expected a number of seconds from 0.1 to 60'],
  ['now', 5, 'is 5: pass a function'],
  ['logger', 'console', 'is "console": pass an object with info, warn and error'],
  ['prices', PRICE, 'expected one of price, store, flushInterval, logger, now'],
] as const) {
  t.test(`${option} ${problem}`, (t) => {
    const options = { price: PRICE, [option]: value } as unknown as UsageOptions
    t.throws(() => createUsage(options), {
      ...{ code: 'ERR_OPTION_INVALID', option, message: `cognito-m2m: ${option} ${problem}` },
    })
    t.end()
  })
}

t.test('options are an object', (t) => {
  t.throws(() => createUsage(undefined as unknown as UsageOptions), {
    code: 'ERR_OPTION_INVALID',
    message:
      'cognito-m2m: options: expected a plain object, got undefined. Pass an object literal.',
  })
  t.end()
})

t.test('it starts without a store, a clock or a logger', async (t) => {
  const usage = createUsage({ price: PRICE })
  t.ok(Object.isFrozen(usage))
  t.ok(Math.abs((await usage.report()).at - Date.now() / 1000) < 60)
  await usage.close()
})
