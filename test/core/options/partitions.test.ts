import t from 'tap'
import { readUserPool } from '../../../src/core/options/user-pool.ts'
import { OptionError } from '../../../src/index.ts'

function issuersOf(userPoolId: string): readonly string[] {
  return readUserPool({ userPoolId, clientId: null }, '').issuers.map(({ issuer }) => issuer)
}

function refused(options: object): OptionError {
  try {
    readUserPool({ clientId: null, ...options }, '')
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

/** Written out, so that a wrong suffix in the source cannot confirm itself. */
const EXPECTED: readonly (readonly [pool: string, original: string, updated: string])[] = [
  [
    'us-east-1_AbCdEfGhI',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI',
    'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI',
  ],
  [
    'eu-west-1_AbCdEfGhI',
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
  ],
  [
    'ap-northeast-1_Ab12Cd34E',
    'https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_Ab12Cd34E',
    'https://issuer-cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_Ab12Cd34E',
  ],
  [
    'sa-east-1_a',
    'https://cognito-idp.sa-east-1.amazonaws.com/sa-east-1_a',
    'https://issuer-cognito-idp.sa-east-1.amazonaws.com/sa-east-1_a',
  ],
  [
    'ca-west-1_a',
    'https://cognito-idp.ca-west-1.amazonaws.com/ca-west-1_a',
    'https://issuer-cognito-idp.ca-west-1.amazonaws.com/ca-west-1_a',
  ],
  [
    'me-central-1_a',
    'https://cognito-idp.me-central-1.amazonaws.com/me-central-1_a',
    'https://issuer-cognito-idp.me-central-1.amazonaws.com/me-central-1_a',
  ],
  [
    'af-south-1_a',
    'https://cognito-idp.af-south-1.amazonaws.com/af-south-1_a',
    'https://issuer-cognito-idp.af-south-1.amazonaws.com/af-south-1_a',
  ],
  [
    'il-central-1_a',
    'https://cognito-idp.il-central-1.amazonaws.com/il-central-1_a',
    'https://issuer-cognito-idp.il-central-1.amazonaws.com/il-central-1_a',
  ],
  [
    'mx-central-1_a',
    'https://cognito-idp.mx-central-1.amazonaws.com/mx-central-1_a',
    'https://issuer-cognito-idp.mx-central-1.amazonaws.com/mx-central-1_a',
  ],
  [
    'us-gov-west-1_Zz9',
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Zz9',
    'https://issuer-cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Zz9',
  ],
  [
    'cn-north-1_Zz9',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Zz9',
    'https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Zz9',
  ],
  [
    'eusc-de-east-1_Zz9',
    'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_Zz9',
    'https://issuer-cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_Zz9',
  ],
  [
    'us-iso-east-1_Zz9',
    'https://cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_Zz9',
    'https://issuer-cognito-idp.us-iso-east-1.c2s.ic.gov/us-iso-east-1_Zz9',
  ],
  [
    'us-isob-east-1_Zz9',
    'https://cognito-idp.us-isob-east-1.sc2s.sgov.gov/us-isob-east-1_Zz9',
    'https://issuer-cognito-idp.us-isob-east-1.sc2s.sgov.gov/us-isob-east-1_Zz9',
  ],
  [
    'eu-isoe-west-1_Zz9',
    'https://cognito-idp.eu-isoe-west-1.cloud.adc-e.uk/eu-isoe-west-1_Zz9',
    'https://issuer-cognito-idp.eu-isoe-west-1.cloud.adc-e.uk/eu-isoe-west-1_Zz9',
  ],
  [
    'us-isof-south-1_Zz9',
    'https://cognito-idp.us-isof-south-1.csp.hci.ic.gov/us-isof-south-1_Zz9',
    'https://issuer-cognito-idp.us-isof-south-1.csp.hci.ic.gov/us-isof-south-1_Zz9',
  ],
]

for (const [userPoolId, ...issuers] of EXPECTED) {
  t.test(`the issuers of ${userPoolId} have the suffix of its partition`, async (t) => {
    t.strictSame(issuersOf(userPoolId), issuers)
  })
}

t.test('a Region of an unknown partition requires an issuer', async (t) => {
  for (const region of [
    ...['xx-local-2', 'zz-north-1', 'eusc-fr-west-1', 'us-isox-east-1', 'us-gov-west', 'eu-west'],
    ...['eu-west-1-2', 'eu--1', 'cn-1', 'useast1'],
  ]) {
    const error = refused({ userPoolId: `${region}_AbCdEfGhI` })
    t.equal(error.option, 'userPoolId')
    t.equal(
      error.problem,
      `expected a Region of a known AWS partition, got "${region}". Set issuer to the issuer URL of the user pool.`,
    )
    const issuer = 'https://id.example'
    t.strictSame(readUserPool({ userPoolId: `${region}_A`, clientId: null, issuer }, '').issuers, [
      { issuer, jwksUri: 'https://id.example/.well-known/jwks.json' },
    ])
  }
})
