import t from 'tap'
import { readOptions } from '../../../src/core/options/options.ts'
import { readUserPool } from '../../../src/core/options/user-pool.ts'
import { OptionError } from '../../../src/index.ts'
import { jwk, label, POOL } from '../../support/forge.ts'

function read(options: object) {
  return readUserPool({ userPoolId: POOL, clientId: null, ...options }, '')
}

function refused(run: () => unknown): OptionError {
  try {
    run()
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

t.test('regions adds both issuer forms of each replica, behind those of the pool', async (t) => {
  t.strictSame(
    read({ regions: ['us-west-2', 'ap-southeast-2'] }).issuers.map(({ issuer }) => issuer),
    [
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.us-west-2.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://issuer-cognito-idp.us-west-2.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://cognito-idp.ap-southeast-2.amazonaws.com/eu-west-1_AbCdEfGhI',
      'https://issuer-cognito-idp.ap-southeast-2.amazonaws.com/eu-west-1_AbCdEfGhI',
    ],
  )
  const china = { userPoolId: 'cn-north-1_AbCdEfGhI', regions: ['cn-northwest-1'] }
  t.strictSame(read(china).issuers[2], {
    issuer: 'https://cognito-idp.cn-northwest-1.amazonaws.com.cn/cn-north-1_AbCdEfGhI',
    jwksUri:
      'https://cognito-idp.cn-northwest-1.amazonaws.com.cn/cn-north-1_AbCdEfGhI/.well-known/jwks.json',
    region: 'cn-northwest-1',
  })
})

t.test("regions accepts one to four different Regions of the user pool's partition", async (t) => {
  const four = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2']
  t.equal(read({ regions: four }).issuers.length, 10)
  for (const [regions, option, problem] of [
    [
      'us-west-2',
      'regions',
      /^expected an array of Regions, for example \["us-west-2"\], got "us-west-2"\. Pass an array\.$/,
    ],
    [null, 'regions', /^expected an array of Regions, .*, got null\. Pass an array\.$/],
    [{}, 'regions', /^expected an array of Regions, .*, got an object\. Pass an array\.$/],
    [[], 'regions', /^expected at least one Region, got an empty array\. Add one\.$/],
    [
      [...four, 'eu-west-2'],
      'regions',
      /^expected at most 4 Regions, got 5\. Remove the others\.$/,
    ],
    [
      ['us-west-2', 5],
      'regions[1]',
      /^expected the Region as a non-empty string without spaces, got 5\. Pass the exact Region\.$/,
    ],
    [
      ['US-WEST-2'],
      'regions[0]',
      /^expected a Region of the user pool's partition aws, got "US-WEST-2"\. Use a Region of this/,
    ],
    [['us-west-2 '], 'regions[0]', /non-empty string without spaces, got "us-west-2 "\./],
    [
      ['zz-north-1'],
      'regions[0]',
      /^expected a Region of the user pool's partition aws, got "zz-north-1"\. Use a Region of this/,
    ],
    [
      ['us-west-2', 'cn-north-1'],
      'regions[1]',
      /^expected a Region of the user pool's partition aws, got "cn-north-1"\. Use a Region of this/,
    ],
    [
      ['us-gov-west-1'],
      'regions[0]',
      /^expected a Region of the user pool's partition aws, got "us-gov-west-1"\. Use a Region of this/,
    ],
    [
      ['xx-local-1'],
      'regions[0]',
      /^expected a Region of the user pool's partition aws, got "xx-local-1"\. Use a Region of this/,
    ],
    [
      ['us-west-2', 'us-west-2'],
      'regions[1]',
      /^expected each Region once, got "us-west-2" again\. Remove it: the Region of .* is always included\.$/,
    ],
    [
      ['eu-west-1'],
      'regions[0]',
      /^expected each Region once, got "eu-west-1" again\. Remove it: the Region of .* is always included\.$/,
    ],
  ] as const) {
    const error = refused(() => read({ regions }))
    t.equal(error.option, option, label(regions))
    t.match(error.problem, problem)
  }
  const gov = { userPoolId: 'us-gov-west-1_A', regions: ['us-west-2'] }
  t.match(refused(() => read(gov)).problem, /partition aws-us-gov, got/)
  const local = { userPoolId: 'xx-local-1_A', regions: ['us-west-2'], jwks: { keys: [jwk()] } }
  t.match(refused(() => read(local)).problem, /partition local, got/)
})

t.test('regions cannot be combined with issuer or jwksUri', async (t) => {
  const regions = ['us-west-2']
  t.match(
    refused(() => read({ regions, issuer: 'https://id.example' })),
    {
      option: 'regions',
      problem:
        'expected no regions with issuer, got both. Remove regions, and list every issuer in issuer.',
    },
  )
  t.match(
    refused(() => read({ regions, jwksUri: 'https://id.example' })),
    { option: 'jwksUri', problem: /^expected exactly one issuer with jwksUri, got 0\./ },
  )
})

t.test('a pool of an unknown Region needs an issuer, whatever its regions', async (t) => {
  const unknown = { userPoolId: 'zz-north-1_A', regions: ['us-west-2'] }
  t.match(
    refused(() => read(unknown)),
    {
      option: 'userPoolId',
      problem: /got "zz-north-1"\. Set issuer to the issuer URL of the user pool\.$/,
    },
  )
})

t.test('two pools may not share the issuer of a replica', async (t) => {
  const pool = { userPoolId: POOL, clientId: null }
  const replica = 'https://issuer-cognito-idp.us-west-2.amazonaws.com/eu-west-1_AbCdEfGhI'
  const error = refused(() =>
    readOptions({
      userPools: [
        { ...pool, regions: ['us-west-2'] },
        { userPoolId: 'other', clientId: null, issuer: replica },
      ],
    }),
  )
  t.match(error, {
    option: 'userPools[1]',
    problem: /got an issuer of userPools\[0\]\. List each user pool once/,
  })
  t.match(
    refused(() => readOptions({ userPools: [pool, { ...pool, regions: ['us-west-2'] }] })),
    { option: 'userPools[1]' },
  )
})

t.test('keys passed as jwks serve every form', async (t) => {
  const pool = read({ regions: ['us-west-2'], jwks: { keys: [jwk()] } })
  t.equal(pool.issuers.length, 4)
  t.match(pool.staticKeys, { isOffline: true })
})
