import t from 'tap'
import { readOptions } from '../../../src/core/options/options.ts'
import { OptionError } from '../../../src/index.ts'
import { POOL } from '../../support/forge.ts'

const pool = { userPoolId: POOL, clientId: null }

for (const [options, option, fix] of [
  [{ clockTolerance: 301 }, 'clockTolerance', 'use a number of seconds from 0 to 300'],
  [{ maxTokenLength: 1 }, 'maxTokenLength', 'use a whole number of characters from 256 to 1048576'],
  [{ subjects: 'user' }, 'subjects', "expected 'machine' or 'any', got "],
] as const) {
  t.test(`a wrong ${option} is told with its unit and its fix`, async (t) => {
    try {
      readOptions({ ...pool, ...options })
      t.fail('accepted')
    } catch (error) {
      t.type(error, OptionError)
      t.equal((error as OptionError).option, option)
      t.match(error, { problem: fix })
    }
  })
}

t.test('members of an adapter are handed to it, those that were given', async (t) => {
  const { adapterOptions: own } = readOptions(
    { ...pool, errors: 'next' },
    { adapterMembers: ['errors', 'paths'] },
  )
  t.strictSame(own, { errors: 'next' })
  t.throws(() => readOptions({ ...pool, errors: 'next' }), { code: 'ERR_OPTION_INVALID' })
})
