import t from 'tap'
import { readOptions } from '../../../src/core/options/options.ts'
import { OptionError } from '../../../src/index.ts'
import { POOL } from '../../support/forge.ts'

const pool = { userPoolId: POOL, clientId: null }

for (const [options, option, problem] of [
  [
    { clockTolerance: 301 },
    'clockTolerance',
    'expected a number of seconds from 0 to 300, got 301. Pass a number in this range.',
  ],
  [
    { maxTokenLength: 1 },
    'maxTokenLength',
    'expected a whole number of characters from 256 to 1048576, got 1. Pass a number in this range.',
  ],
  [
    { subjects: 'user' },
    'subjects',
    "expected 'machine' or 'any', got \"user\". Use one of the two.",
  ],
] as const) {
  t.test(`the error of an invalid ${option} names its unit and its fix`, async (t) => {
    try {
      readOptions({ ...pool, ...options })
      t.fail('accepted')
    } catch (error) {
      t.type(error, OptionError)
      t.equal((error as OptionError).option, option)
      t.equal((error as OptionError).problem, problem)
    }
  })
}

t.test('returns the members of an adapter that the options have', async (t) => {
  const { adapterOptions } = readOptions(
    { ...pool, errors: 'next' },
    { adapterMembers: ['errors', 'paths'] },
  )
  t.strictSame(adapterOptions, { errors: 'next' })
  t.throws(() => readOptions({ ...pool, errors: 'next' }), { code: 'ERR_OPTION_INVALID' })
})
