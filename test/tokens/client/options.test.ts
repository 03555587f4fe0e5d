/** Options of a token client: valid ones, and the messages of invalid ones. */
import t from 'tap'
import {
  createTokenClient,
  OptionError,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import { ENDPOINT, SECRET } from '../../support/client.ts'

const good = { tokenEndpoint: ENDPOINT, clientId: 'billing', clientSecret: SECRET }

t.test(
  'an invalid option is rejected, and the message names it and the fix, never the secret',
  async (t) => {
    const cases: readonly (readonly [object, string, RegExp])[] = [
      [
        { tokenEndpoint: 'http://shop.example/oauth2/token' },
        'tokenEndpoint',
        /expected an https URL/,
      ],
      [{ tokenEndpoint: 7 }, 'tokenEndpoint', /Pass https:\/\/<domain>\.auth\./],
      [{ tokenEndpoint: 'https://a:b@shop.example/' }, 'tokenEndpoint', /credentials/],
      [{ clientId: '' }, 'clientId', /non-empty string/],
      [
        { clientId: ['billing'] },
        'clientId',
        /expected one app client id without colons, got an array/,
      ],
      [{ clientId: 'a:b' }, 'clientId', /without colons, got "a:b"/],
      [{ clientId: 'a,b' }, 'clientId', /expected one app client id, got "a,b"/],
      [
        { clientSecret: '' },
        'clientSecret',
        /expected a non-empty string or a function, got an empty/,
      ],
      [{ clientSecret: 123_456_789 }, 'clientSecret', /got number/],
      [
        { clientSecret: Buffer.from(SECRET) },
        'clientSecret',
        /got object\. Pass the secret, or a function that returns it\.$/,
      ],
      [{ scopes: 'orders' }, 'scopes', /identifier\/name/],
      [{ scopes: [] }, 'scopes', /expected 1 to 50 scopes, got 0/],
      [
        { authMethod: 'none' },
        'authMethod',
        /expected one of client_secret_basic, client_secret_post, got "none"/,
      ],
      [{ origins: 'https://api.example.com' }, 'origins', /expected a non-empty array/],
      [{ origins: [] }, 'origins', /got an empty array/],
      [{ origins: [7] }, 'origins[0]', /as a string, got 7/],
      [
        { origins: ['https://a.example', 'http://b.example'] },
        'origins[1]',
        /expected an https URL/,
      ],
      [
        { origins: ['https://a.example/orders'] },
        'origins[0]',
        /port only, got .* Use https:\/\/a\.example\.$/,
      ],
      [{ origins: ['https://a.example/?x'] }, 'origins[0]', /scheme, host and port only/],
      [{ origins: ['https://*.example.com/a'] }, 'origins[0]', /scheme, host and port only/],
      [{ store: {} }, 'store', /memoryStore\(\)/],
      [{ logger: () => {} }, 'logger', /info, warn and error/],
      [{ fetch: 'fetch' }, 'fetch', /expected a function/],
      [{ now: 0 }, 'now', /expected a function/],
      [{ monotonicNow: 0 }, 'monotonicNow', /expected a function/],
      ...[0, -1, 0.0001, 300.1, Number.NaN, Number.POSITIVE_INFINITY, '5', null].map(
        (timeout) =>
          [{ timeout }, 'timeout', /expected a number of seconds from 0\.001 to 300/] as const,
      ),
      [{ secret: SECRET }, 'secret', /unknown name/],
      [{ scopes: undefined }, 'scopes', /got undefined/],
    ]
    for (const [wrong, option, problem] of cases) {
      let error: unknown
      try {
        createTokenClient({ ...good, ...wrong } as TokenClientOptions)
      } catch (thrown) {
        error = thrown
      }
      t.ok(error instanceof OptionError, option)
      t.match(error, { code: 'ERR_OPTION_INVALID', option, problem })
      const { message } = error as OptionError
      t.notOk(message.includes(SECRET) || message.includes('123456789'), message)
    }
    for (const missing of Object.keys(good)) {
      const { [missing as keyof typeof good]: _, ...rest } = good
      t.throws(
        () => createTokenClient(rest as TokenClientOptions),
        new RegExp(`: ${missing}: expected .*, got undefined`),
      )
    }
  },
)

t.test('the error of an invalid URL contains no query, fragment or password', (t) => {
  const shown: readonly (readonly [url: string, got: string])[] = [
    ['https://a.example/?key=s3cret', '"https://a.example/?…"'],
    ['https://a.example/orders?key=s3cret', '"https://a.example/orders?…"'],
    ['http://a.example/?key=s3cret', '"http://a.example/?…"'],
    ['ftp://a.example/#s3cret', '"ftp://a.example/#…"'],
    ['a.example?key=s3cret', '"a.example?…"'],
    ['ftp://user:s3cret@a.example/?key=s3cret', '"…@a.example/?…"'],
    ['http://a.example/?key=user@s3cret', '"…"'],
    ['http://user:s3cret?@a.example/', '"…"'],
    ['http://a.example/\n?key=s3cret', '"http://a.example/\\n?…"'],
  ]
  for (const [url, got] of shown) {
    const error = t.throws(() => createTokenClient({ ...good, origins: [url] })) as OptionError
    t.match(error, { option: 'origins[0]', problem: `, got ${got}. Use http` }, url)
    t.notMatch(error.message, 's3cret', url)
  }
  t.end()
})

t.test('a client accepts every documented option', async (t) => {
  const options = Object.freeze({
    ...good,
    tokenEndpoint: 'http://127.0.0.1:3001/oauth2/token',
    clientSecret: () => SECRET,
    scopes: Object.freeze(['orders/read']),
    authMethod: 'client_secret_post',
    origins: Object.freeze(['http://localhost:3000', 'https://api.example.com/']),
    logger: console,
    fetch,
    now: Date.now,
    monotonicNow: () => performance.now(),
    timeout: 300,
  } satisfies TokenClientOptions)
  const client = createTokenClient(options)
  t.ok(Object.isFrozen(client))
  t.strictSame(Object.keys(client).sort(), [
    'close',
    'fetch',
    'getToken',
    'prefetch',
    'renew',
    'status',
  ])
  client.close()
})
