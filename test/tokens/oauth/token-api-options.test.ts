/** `tokenEndpoint` or `userPoolsApi`: exactly one of them, for one Region or two, with a one-line error for each mistake. */
import t from 'tap'
import { OptionError } from '../../../src/core/options/validate.ts'
import { readTokenApis } from '../../../src/tokens/oauth/token-api-options.ts'

const tokenEndpoint = 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token'

t.test('the URL of each API', async (t) => {
  const cases: readonly (readonly [object, string, string])[] = [
    [{ tokenEndpoint }, 'tokenEndpoint', tokenEndpoint],
    [
      { userPoolsApi: { region: 'eu-west-1' } },
      'userPoolsApi',
      'https://cognito-idp.eu-west-1.amazonaws.com/',
    ],
    [
      { userPoolsApi: { region: 'cn-north-1' } },
      'userPoolsApi',
      'https://cognito-idp.cn-north-1.amazonaws.com.cn/',
    ],
    [
      { userPoolsApi: { endpoint: 'https://vpce-1.cognito-idp.eu-west-1.vpce.amazonaws.com' } },
      'userPoolsApi',
      'https://vpce-1.cognito-idp.eu-west-1.vpce.amazonaws.com/',
    ],
    [
      { userPoolsApi: { endpoint: 'http://127.0.0.1:3001/' } },
      'userPoolsApi',
      'http://127.0.0.1:3001/',
    ],
  ]
  for (const [members, kind, url] of cases) {
    t.match(readTokenApis({ ...members }, false), { kind, url })
  }
  const endpoint = 'http://pool:3001'
  t.equal(readTokenApis({ userPoolsApi: { endpoint } }, true).url, 'http://pool:3001/')
})

t.test('two Regions, or an array with one', async (t) => {
  const secondary = 'https://shop.auth.us-west-2.amazoncognito.com/oauth2/token'
  t.match(readTokenApis({ tokenEndpoint: [tokenEndpoint, secondary] }, false), {
    kind: 'tokenEndpoint',
    urls: [tokenEndpoint, secondary],
    url: `${tokenEndpoint} ${secondary}`,
    primary: { url: tokenEndpoint },
    secondary: { url: secondary },
  })
  t.match(readTokenApis({ tokenEndpoint: [tokenEndpoint] }, false), {
    url: tokenEndpoint,
    secondary: undefined,
  })
  const regions = [{ region: 'eu-west-1' }, { endpoint: 'http://127.0.0.1:3001' }]
  t.match(readTokenApis({ userPoolsApi: regions }, false), {
    kind: 'userPoolsApi',
    urls: ['https://cognito-idp.eu-west-1.amazonaws.com/', 'http://127.0.0.1:3001/'],
  })
})

t.test('a wrong combination has a one-line error with the fix', async (t) => {
  const region = 'eu-west-1'
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{}, 'tokenEndpoint', /^expected tokenEndpoint or userPoolsApi, got undefined\. Pass https:/],
    [
      { tokenEndpoint, userPoolsApi: { region } },
      'userPoolsApi',
      /^expected tokenEndpoint or userPoolsApi, got both\. Remove one of them\.$/,
    ],
    [{ userPoolsApi: region }, 'userPoolsApi', /^expected a plain object, got "eu-west-1"\./],
    [{ userPoolsApi: {} }, 'userPoolsApi', /^expected region or endpoint, got none\. Pass/],
    [
      { userPoolsApi: { region, endpoint: 'https://a.example' } },
      'userPoolsApi',
      /^expected region or endpoint, got both\. Pass/,
    ],
    [{ userPoolsApi: { url: 'x' } }, 'userPoolsApi.url', /an unknown name/],
    [{ userPoolsApi: { region: undefined } }, 'userPoolsApi.region', /got undefined/],
    ...['moon-1', 'EU-WEST-1', '', 7, 'xx-local-1', 'eu-west-1.evil.example/'].map(
      (wrong) =>
        [
          { userPoolsApi: { region: wrong } },
          'userPoolsApi.region',
          /^expected a Region of AWS, got .+\. Pass for example eu-west-1, or the URL/,
        ] as const,
    ),
    [
      { userPoolsApi: { endpoint: 7 } },
      'userPoolsApi.endpoint',
      /^expected a URL as a string, got 7\. Pass for example https:/,
    ],
    [
      { userPoolsApi: { endpoint: 'http://pool:3001' } },
      'userPoolsApi.endpoint',
      /^expected an https URL/,
    ],
    [
      { userPoolsApi: { endpoint: tokenEndpoint } },
      'userPoolsApi.endpoint',
      /^expected the user pools API, got the token endpoint .*\. Pass it as tokenEndpoint\.$/,
    ],
    [
      { userPoolsApi: { endpoint: 'https://shop.auth.eu-west-1.amazoncognito.com' } },
      'userPoolsApi.endpoint',
      /Pass it as tokenEndpoint\.$/,
    ],
    [
      { userPoolsApi: { endpoint: 'http://127.0.0.1:3001/oauth2/token' } },
      'userPoolsApi.endpoint',
      /Pass it as tokenEndpoint\.$/,
    ],
    [
      { userPoolsApi: { endpoint: 'https://a.example/b' } },
      'userPoolsApi.endpoint',
      /^expected a URL without a path, got "https:\/\/a\.example\/b"\. Use https:\/\/a\.example\.$/,
    ],
    [
      { userPoolsApi: { endpoint: 'https://a.example/?k=s3cret' } },
      'userPoolsApi.endpoint',
      /^expected a URL without a path, got "https:\/\/a\.example\/\?…"\./,
    ],
    [{ tokenEndpoint: [] }, 'tokenEndpoint', /^expected one Region or two, got 0\. Pass \[primary/],
    [
      { userPoolsApi: [{ region }, { region: 'us-west-2' }, { region: 'us-east-1' }] },
      'userPoolsApi',
      /^expected one Region or two, got 3\. Pass \[primary, secondary\]\.$/,
    ],
    [
      { tokenEndpoint: [tokenEndpoint, tokenEndpoint] },
      'tokenEndpoint[1]',
      /^expected another Region than the first, got the same URL\. Pass that of the secondary/,
    ],
    [
      { tokenEndpoint: [tokenEndpoint, undefined] },
      'tokenEndpoint[1]',
      /^expected a URL as a string/,
    ],
    [
      { tokenEndpoint: [7, tokenEndpoint] },
      'tokenEndpoint[0]',
      /^expected a URL as a string, got 7/,
    ],
    [
      { tokenEndpoint: [tokenEndpoint, 'http://other.example/oauth2/token'] },
      'tokenEndpoint[1]',
      /^expected an https URL/,
    ],
    [
      { userPoolsApi: [{ region }, { region: 'moon-1' }] },
      'userPoolsApi[1].region',
      /^expected a Region of AWS, got "moon-1"\./,
    ],
    [
      { userPoolsApi: [{ region }, {}] },
      'userPoolsApi[1]',
      /^expected region or endpoint, got none/,
    ],
    [
      { userPoolsApi: [{ endpoint: tokenEndpoint }] },
      'userPoolsApi[0].endpoint',
      /Pass it as tokenEndpoint\.$/,
    ],
    [
      { tokenEndpoint: 'https://cognito-idp.eu-west-1.amazonaws.com' },
      'tokenEndpoint',
      /^expected a token endpoint, got the user pools API .*\. Pass it as userPoolsApi\.endpoint\.$/,
    ],
    [
      { tokenEndpoint: 'https://vpce-1.cognito-idp.eu-west-1.vpce.amazonaws.com/' },
      'tokenEndpoint',
      /Pass it as userPoolsApi\.endpoint\.$/,
    ],
  ]
  for (const [members, option, problem] of cases) {
    const error = t.throws(() => readTokenApis({ ...members }, false)) as OptionError
    t.ok(error instanceof OptionError)
    t.match(error, { option, problem }, option)
    t.notMatch(error.message, /\n|s3cret/)
  }
})
