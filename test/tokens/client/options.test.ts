/** What a client cannot be made with, and what the message names. */
import t from 'tap'
import {
  createTokenClient,
  OptionError,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import { ENDPOINT, SECRET } from '../../support/client.ts'

const good = { tokenEndpoint: ENDPOINT, clientId: 'billing', clientSecret: SECRET }

t.test('refused, naming the option and the fix, never the secret', async (t) => {
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [
      { tokenEndpoint: 'http://shop.example/oauth2/token' },
      'tokenEndpoint',
      /expected an https URL, got /,
    ],
    [{ tokenEndpoint: 7 }, 'tokenEndpoint', /pass https:\/\/<domain>\.auth\./],
    [{ tokenEndpoint: 'https://a:b@shop.example/' }, 'tokenEndpoint', /credentials/],
    [{ clientId: '' }, 'clientId', /non-empty string/],
    [{ clientId: ['billing'] }, 'clientId', /is not one app client id/],
    [{ clientId: 'a:b' }, 'clientId', /without colons/],
    [{ clientId: 'a,b' }, 'clientId', /no app client id has a comma/],
    [{ clientSecret: '' }, 'clientSecret', /expected a non-empty string, got /],
    [{ clientSecret: 123_456_789 }, 'clientSecret', /expected a non-empty string, got /],
    [{ clientSecret: Buffer.from(SECRET) }, 'clientSecret', /or a function that tells one/],
    [{ scopes: 'orders' }, 'scopes', /identifier\/name/],
    [{ scopes: [] }, 'scopes', /has 0 scopes/],
    [{ authMethod: 'none' }, 'authMethod', /client_secret_basic, client_secret_post/],
    [{ origins: 'https://api.example.com' }, 'origins', /pass an array/],
    [{ origins: [] }, 'origins', /pass an array/],
    [{ origins: [7] }, 'origins[0]', /as a string/],
    [
      { origins: ['https://a.example', 'http://b.example'] },
      'origins[1]',
      /expected an https URL, got /,
    ],
    [{ origins: ['https://a.example/orders'] }, 'origins[0]', /scheme, host and port alone/],
    [{ origins: ['https://a.example/?x'] }, 'origins[0]', /scheme, host and port alone/],
    [{ origins: ['https://*.example.com/a'] }, 'origins[0]', /scheme, host and port alone/],
    [{ store: {} }, 'store', /memoryStore\(\)/],
    [{ logger: () => {} }, 'logger', /the methods info, warn and error, got /],
    [{ fetch: 'fetch' }, 'fetch', /expected a function, got /],
    [{ now: 0 }, 'now', /expected a function, got /],
    [{ monotonicNow: 0 }, 'monotonicNow', /expected a function, got /],
    ...[0, -1, 0.0001, 300.1, Number.NaN, Number.POSITIVE_INFINITY, '5', null].map(
      (timeout) => [{ timeout }, 'timeout', /use a number of seconds from 0\.001 to 300/] as const,
    ),
    [{ secret: SECRET }, 'secret', /is unknown/],
    [{ scopes: undefined }, 'scopes', /is undefined/],
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
    t.throws(() => createTokenClient(rest as TokenClientOptions), new RegExp(`: ${missing} is`))
  }
})

t.test('what a client is made with', async (t) => {
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
  t.strictSame(Object.keys(client).sort(), ['close', 'fetch', 'getToken', 'renew', 'status'])
  client.close()
})
