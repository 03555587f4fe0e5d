/** No two requests that differ share an entry, however they are made to look alike. */
import fc from 'fast-check'
import t from 'tap'
import type { TokenRequest } from '../../../src/tokens/oauth/protocol.ts'
import {
  encodeCredentialIdentity,
  encodeTokenIdentity,
} from '../../../src/tokens/proxy/cached-results.ts'
import {
  createRequest,
  issue,
  reply,
  SECRET,
  setUpProxy,
  startProxy,
  startUpstream,
} from '../../support/proxy.ts'

/** Few characters, those that encodings use: collisions would be found soon. */
const text = fc.string({
  unit: fc.constantFrom('a', '"', ',', '\\', ':', '[', ']', '\0', 'ä', '1'),
  maxLength: 4,
})
const scope = fc.string({ unit: fc.constantFrom('a', ',', '[', '1'), minLength: 1, maxLength: 2 })
const scopes = fc.uniqueArray(scope, { maxLength: 3 }).map((it) => it.sort())
const request: fc.Arbitrary<TokenRequest> = fc.record({
  clientId: fc.constant('a'),
  authMethod: fc.constantFrom('client_secret_basic' as const, 'client_secret_post' as const),
  credentials: fc.record({ clientId: text, secret: text }),
  scopes: fc.option(scopes, { nil: undefined }),
  metadata: fc.option(text, { nil: undefined }),
})
const endpoint = fc.constantFrom('https://a/', 'https://a/,"b')

const bytes = (encoded: Uint8Array): string => Buffer.from(encoded).toString('hex')
const serialize = (it: unknown): string =>
  JSON.stringify(it, (_key, value: unknown) => (value === undefined ? { left: 'out' } : value))

/** The method counts only for a text that Cognito never makes a secret of. */
const withoutMethod = (it: TokenRequest) =>
  /^[\w+]+$/.test(it.credentials.secret) ? { ...it, authMethod: null } : it

t.test('the encoding is injective and deterministic', (t) => {
  fc.assert(
    fc.property(endpoint, request, endpoint, request, (oneEnd, one, otherEnd, other) => {
      const same =
        serialize([oneEnd, withoutMethod(one)]) === serialize([otherEnd, withoutMethod(other)])
      return (
        same ===
        (bytes(encodeTokenIdentity(oneEnd, one)) === bytes(encodeTokenIdentity(otherEnd, other)))
      )
    }),
    { numRuns: 20_000 },
  )
  t.pass()
  t.end()
})

t.test('characters that move to another part make another request', (t) => {
  fc.assert(
    fc.property(request, text, text, text, (it, one, two, three) => {
      const of = (clientId: string, secret: string, metadata: string | undefined) =>
        bytes(
          encodeTokenIdentity('https://a/', { ...it, credentials: { clientId, secret }, metadata }),
        )
      const all = [
        [one + two, three, undefined],
        [one, two + three, undefined],
        [one, two, three],
        [one + two, '', three],
      ] satisfies [string, string, string | undefined][]
      const distinct = new Set(all.map((parts) => serialize(parts)))
      return (
        new Set(all.map(([id, secret, metadata]) => of(id, secret, metadata))).size ===
        distinct.size
      )
    }),
    { numRuns: 5000 },
  )
  t.pass()
  t.end()
})

t.test('a credential is its endpoint, id and secret, for all scopes', (t) => {
  fc.assert(
    fc.property(request, request, (one, other) => {
      const same = serialize(one.credentials) === serialize(other.credentials)
      const encoded = [one, other].map((it) => bytes(encodeCredentialIdentity('https://a/', it)))
      return (
        same === (encoded[0] === encoded[1]) &&
        encoded[0] !== bytes(encodeTokenIdentity('https://a/', one))
      )
    }),
    { numRuns: 5000 },
  )
  t.pass()
  t.end()
})

t.test('a wrong secret never gets the token of a valid one', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(t, (response, { body }, count) => {
    const isRight = new URLSearchParams(body).get('client_secret') === SECRET
    if (isRight) reply(response, 200, issue(count))
    else reply(response, 400, { error: 'invalid_client' })
  })
  const { send } = await setUpProxy(t, { tokenEndpoint })
  const scope = 'a/b'
  t.equal((await send({ scope })).status, 200)
  const wrong = [
    '',
    SECRET.toUpperCase(),
    `${SECRET}&scope=a/b`,
    `${SECRET}","a/b`,
    `${SECRET}\0`,
    `${SECRET}\n`,
    ` ${SECRET}`,
    `${SECRET}\u0301`,
    encodeURIComponent(SECRET),
    SECRET.replaceAll('+', ' '),
    SECRET.slice(0, -1),
  ]
  for (const secret of wrong) {
    const { status, json } = await send({ secret, scope })
    t.equal(status, 400, JSON.stringify(secret))
    t.same(json, { error: 'invalid_client' })
  }
  t.equal(
    requests.length,
    wrong.length,
    'none was answered from an entry; one has no secret at all',
  )
  t.equal((await send({ secret: SECRET, scope })).json['access_token'], 'token-1')
})

t.test(
  'a secret that is right in a header shares nothing with one that is wrong in a body',
  async (t) => {
    // Who checks a header decodes its halves: there `a%2Bb` is the secret `a+b`, in a body it is not.
    const { tokenEndpoint } = await startUpstream(t, (response, { headers }, count) => {
      if (headers.authorization !== undefined) reply(response, 200, issue(count))
      else reply(response, 400, { error: 'invalid_client' })
    })
    const { send } = await startProxy(t, { tokenEndpoint })
    const options = { clientId: 'billing', secret: 'a%2Bb' }
    t.equal((await send({ ...options, method: 'basic' })).status, 200)
    t.equal((await send({ ...options, method: 'post' })).status, 400)
    t.match(createRequest(options).body, 'a%252Bb')
  },
)

t.test('Basic and form credentials of one client and secret share a token', async (t) => {
  const { requests, tokenEndpoint } = await startUpstream(
    t,
    (response, { body, headers }, count) => {
      const secret = new URLSearchParams(body).get('client_secret')
      const basic = Buffer.from(String(headers.authorization).slice(6), 'base64').toString()
      const isRight = secret?.startsWith('1n6q') === true || basic.startsWith('billing:1n6q')
      if (isRight) reply(response, 200, issue(count))
      else reply(response, 400, { error: 'invalid_client' })
    },
  )
  for (const [first, second] of [
    ['basic', 'post'],
    ['post', 'basic'],
  ] as const) {
    for (const secret of ['1n6qkt3rcjb9', '1n6q+kt3+rcjb9']) {
      const { send } = await setUpProxy(t, { tokenEndpoint })
      const before = requests.length
      const options = { clientId: 'billing', secret, scope: 'a/b' }
      const { json } = await send({ ...options, method: first })
      t.type(json['access_token'], 'string')
      t.equal(
        (await send({ ...options, method: second })).json['access_token'],
        json['access_token'],
      )
      t.equal(requests.length, before + 1)
      t.equal((await send({ ...options, secret: 'x', method: second })).status, 400)
      t.equal((await send({ ...options, secret: 'x', method: first })).status, 400)
      t.equal(requests.length, before + 2, 'a wrong secret is refused once for both')
    }
  }
})
