import t from 'tap'
import { createResourceServer, OptionError } from '../../src/index.ts'
import { createTestUserPool, startUserPool } from '../../src/testing/index.ts'

t.test('the issuer of a generated pool follows the partition of its Region', async (t) => {
  for (const [userPoolId, issuer] of [
    ['eu-west-1_A', 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A'],
    ['cn-north-1_A', 'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A'],
    ['eusc-de-east-1_A', 'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_A'],
    ['us-iso-east-1_A', 'https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_A'],
    ['xx-local-1_A', 'https://cognito-idp.xx-local-1.amazonaws.com/xx-local-1_A'],
  ] as const) {
    const pool = createTestUserPool({ userPoolId })
    t.equal(pool.issuer, issuer)
    t.strictSame(pool.issuers, [issuer, issuer.replace('cognito-idp', 'issuer-cognito-idp')])
    t.notOk('regions' in pool.options())
    const guard = createResourceServer(pool.options()).guard()
    for (const iss of pool.issuers) {
      t.match(await guard(`Bearer ${pool.accessToken({ claims: { iss } })}`), { issuer: iss })
    }
  }
  t.throws(() => createTestUserPool({ userPoolId: 'zz-north-1_A' }), {
    option: 'userPoolId',
    message: /userPoolId: expected <region>_<letters and digits>, got "zz-north-1_A"/,
  })
})

t.test('an API with the options of a replicated pool accepts tokens of each Region', async (t) => {
  const pool = createTestUserPool({ userPoolId: 'eu-west-1_A', regions: ['us-west-2'] })
  t.strictSame(pool.issuers, [
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A',
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A',
    'https://cognito-idp.us-west-2.amazonaws.com/eu-west-1_A',
    'https://issuer-cognito-idp.us-west-2.amazonaws.com/eu-west-1_A',
  ])
  t.strictSame(pool.options().regions, ['us-west-2'])
  const guard = createResourceServer(pool.options()).guard()
  const { regions: _, ...options } = pool.options()
  const unaware = createResourceServer(options).guard()
  for (const [index, iss] of pool.issuers.entries()) {
    const authorization = `Bearer ${pool.accessToken({ claims: { iss } })}`
    t.match(await guard(authorization), { issuer: iss, userPoolId: 'eu-west-1_A' })
    const [{ status }] = await Promise.allSettled([(async () => unaware(authorization))()])
    t.equal(status, index < 2 ? 'fulfilled' : 'rejected', 'without the option')
  }
})

t.test('regions of a generated pool are checked as those of an API', async (t) => {
  const make = (options: object) => () => createTestUserPool(options)
  const userPoolId = 'eu-west-1_A'
  for (const [options, option] of [
    [{ userPoolId, regions: ['eu-west-1'] }, 'regions[0]'],
    [{ userPoolId, regions: [] }, 'regions'],
    [{ userPoolId, regions: 5 }, 'regions'],
    [{ userPoolId, regions: undefined }, 'regions'],
    [{ regions: ['us-west-2'] }, 'regions[0]'],
  ] as const) {
    t.throws(make(options), { name: 'OptionError', option })
  }
  const started = startUserPool({ regions: ['us-west-2'] } as object)
  await t.rejects(
    started,
    { option: 'regions', message: /got an unknown name/ },
    'one server, one issuer',
  )
  t.type(await started.catch((error: unknown) => error), OptionError)
})
