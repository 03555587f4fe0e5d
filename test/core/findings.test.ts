/** Contract violations found so far: each fails until the source is mended, then moves to its file. */
import t from 'tap'
import { readOptions } from '../../src/core/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import { CLIENT, jwk, machineToken, POOL, refusal, serve } from './forge.ts'

const invalid = { code: 'ERR_OPTION_INVALID' }

t.test('11. members inherited from an object without a prototype are refused too', async (t) => {
  const defaults = Object.assign(Object.create(null), { scopes: 'orders/admin' })
  t.throws(() => compileRequirement(Object.create(defaults), 'route'), invalid)
})

t.test('12. members that are hidden are read or refused, never left out', async (t) => {
  const hidden = Object.defineProperty({}, 'scopes', { value: 'orders/admin' })
  t.strictSame(compileRequirement(hidden, 'route').allOf, ['orders/admin'])
  t.throws(() => compileRequirement({ [Symbol('scopes')]: 'orders/admin' }, 'route'), invalid)
})

t.test(
  '13. an issuer or jwksUri with blanks around it can match nothing and is refused',
  async (t) => {
    const issuer = 'https://id.example'
    for (const options of [
      { issuer: `${issuer} ` },
      { issuer: ` ${issuer}` },
      { issuer: `${issuer}\n` },
      { issuer: `https://id.exam\tple` },
      { issuer, jwksUri: `${issuer} ` },
    ]) {
      t.throws(() => readOptions({ userPoolId: POOL, clientId: CLIENT, ...options }), invalid)
    }
  },
)

t.test('14. a clock that answers NaN still gives a Retry-After in seconds', async (t) => {
  const fetch = async () => Response.json({ keys: [jwk()] })
  const server = serve({ jwks: undefined, fetch, monotonicNow: () => Number.NaN })
  t.teardown(() => server.close())
  const { headers } = await refusal(server.guard(), `Bearer ${machineToken()}`)
  t.match(headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
})
