import t from 'tap'
import { InternalError } from '../../src/core/errors.ts'

t.test('answers 500 with its own text alone, kept by nobody', async (t) => {
  const error = new InternalError('ERR_INTERNAL', 'The request could not be handled')
  t.equal(error.name, 'InternalError')
  t.equal(error.statusCode, 500)
  t.equal(error.status, 500)
  t.strictSame(error.headers, { 'cache-control': 'no-store' })
  t.equal(error.stack, undefined)
  t.strictSame(JSON.parse(JSON.stringify(error)), {
    statusCode: 500,
    code: 'ERR_INTERNAL',
    error: 'Internal Server Error',
    message: 'The request could not be handled',
  })
})
