/** Options of `createUsage`, and the messages of invalid ones. */
import t from 'tap'
import { createUsage, type UsageOptions } from '../../../src/tokens/usage/index.ts'
import { PRICE } from '../../support/usage.ts'

const STORE = 'Pass memoryUsageStore(), redisUsageStore({ redis }) or a custom store.'

for (const [option, value, problem] of [
  ['store', undefined, 'expected a value, got undefined. Set it or leave it out.'],
  ['store', null, `expected a UsageStore, got null. ${STORE}`],
  ['store', 'redis://:hunter2@localhost', `expected a UsageStore, got a string. ${STORE}`],
  ['store', { add: async () => {} }, `expected a UsageStore, got an object. ${STORE}`],
  [
    'flushInterval',
    0,
    'expected a number of seconds from 0.1 to 60, got 0. Pass a number in this range.',
  ],
  [
    'flushInterval',
    '3',
    'expected a number of seconds from 0.1 to 60, got "3". Pass a number in this range.',
  ],
  ['now', 5, 'expected a function, got 5. Pass a function or leave it out.'],
  [
    'logger',
    'console',
    'expected an object with the methods info, warn and error, got "console". Pass a logger.',
  ],
  [
    'prices',
    PRICE,
    'expected one of price, store, flushInterval, logger, now, got an unknown name. Rename or remove it.',
  ],
] as const) {
  t.test(`${option}: ${problem}`, (t) => {
    const options = { price: PRICE, [option]: value } as unknown as UsageOptions
    t.throws(() => createUsage(options), {
      code: 'ERR_OPTION_INVALID',
      option,
      message: `cognito-m2m: ${option}: ${problem}`,
    })
    t.end()
  })
}

t.test('createUsage rejects options that are not an object', (t) => {
  t.throws(() => createUsage(undefined as unknown as UsageOptions), {
    code: 'ERR_OPTION_INVALID',
    message:
      'cognito-m2m: options: expected a plain object, got undefined. Pass an object literal.',
  })
  t.end()
})

t.test('store, clock and logger have defaults', async (t) => {
  const usage = createUsage({ price: PRICE })
  t.ok(Object.isFrozen(usage))
  t.ok(Math.abs((await usage.report()).at - Date.now() / 1000) < 60)
  await usage.close()
})
