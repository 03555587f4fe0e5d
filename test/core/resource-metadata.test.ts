/** RFC 9728: the document, its place, and where its values come from. */
import t from 'tap'
import {
  anyOf,
  type CognitoAuthOptions,
  createResourceServer,
  defineScopes,
} from '../../src/index.ts'
import {
  type Changes,
  CLIENT,
  ISSUER,
  jwk,
  machineToken,
  outcome,
  parseChallenge,
  refusal,
  serve,
  UPDATED_ISSUER,
} from '../support/forge.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const resource = 'https://api.example.com'
const BOTH = [ISSUER, UPDATED_ISSUER]

const about = (metadata: Changes, changes: Changes = {}) =>
  serve({ resourceMetadata: { resource, ...metadata }, ...changes })

/** Where challenges say the document is. */
async function placeOf(identifier: string): Promise<string | undefined> {
  const { headers } = await refusal(about({ resource: identifier }).guard(), undefined)
  return parseChallenge(headers['www-authenticate'])['resource_metadata']
}

t.test('without the option there is no document and no parameter', async (t) => {
  const server = serve()
  t.equal(server.resourceMetadata(), null)
  const { headers } = await refusal(server.guard(), undefined)
  t.equal(headers['www-authenticate'], 'Bearer realm="api"')
})

t.test(
  'a document with only a resource lists its issuers and bearer_methods_supported',
  async (t) => {
    const document = about({}).resourceMetadata()
    t.strictSame(document, {
      resource,
      authorization_servers: BOTH,
      bearer_methods_supported: ['header'],
    })
  },
)

t.test('each member comes from its option', async (t) => {
  const orders = defineScopes('orders', { write: 'Write', read: 'Read' })
  const server = about({
    authorizationServers: 'https://auth.example.com',
    scopes: [orders],
    name: 'Orders "v2" é',
    documentation: 'https://docs.example.com/orders?lang=en',
  })
  t.strictSame(server.resourceMetadata(), {
    resource,
    authorization_servers: ['https://auth.example.com'],
    scopes_supported: ['orders/read', 'orders/write'],
    bearer_methods_supported: ['header'],
    resource_name: 'Orders "v2" é',
    resource_documentation: 'https://docs.example.com/orders?lang=en',
  })
})

/** RFC 9728 section 3.1: between host and path; a slash after the host alone is dropped. */
const places: [string, string][] = [
  ['https://api.example.com', `https://api.example.com${WELL_KNOWN}`],
  ['https://api.example.com/', `https://api.example.com${WELL_KNOWN}`],
  ['https://api.example.com:8443', `https://api.example.com:8443${WELL_KNOWN}`],
  ['https://api.example.com/v1', `https://api.example.com${WELL_KNOWN}/v1`],
  ['https://api.example.com/v1/', `https://api.example.com${WELL_KNOWN}/v1/`],
  ['https://api.example.com/a/b.c_d-e~f', `https://api.example.com${WELL_KNOWN}/a/b.c_d-e~f`],
  ['https://192.0.2.1/v1', `https://192.0.2.1${WELL_KNOWN}/v1`],
  ['https://[2001:db8::1]/v1', `https://[2001:db8::1]${WELL_KNOWN}/v1`],
  ['http://localhost:3000', `http://localhost:3000${WELL_KNOWN}`],
  ['http://127.0.0.1:3000/v1', `http://127.0.0.1:3000${WELL_KNOWN}/v1`],
  ['http://[::1]', `http://[::1]${WELL_KNOWN}`],
]
for (const [identifier, place] of places) {
  t.test(`${identifier} keeps its spelling and has its document's place`, async (t) => {
    t.equal(about({ resource: identifier }).resourceMetadata()?.resource, identifier)
    t.equal(await placeOf(identifier), place)
  })
}

t.test('every challenge has the parameter, a 503 has no challenge', async (t) => {
  const server = about({ resource: `${resource}/v1` })
  const guard = server.guard({ scopes: 'a/x' })
  const given: [string | string[] | undefined, string | undefined][] = [
    [undefined, undefined],
    ['Bearer', 'invalid_request'],
    ['Bearer x', 'invalid_token'],
    [`Bearer ${machineToken()}`, 'insufficient_scope'],
    [[`Bearer ${machineToken()}`, 'Bearer x'], 'invalid_request'],
  ]
  for (const [authorization, error] of given) {
    const { headers } = await refusal(guard, authorization)
    const params = parseChallenge(headers['www-authenticate'])
    t.equal(params['error'], error)
    t.equal(params['resource_metadata'], `${resource}${WELL_KNOWN}/v1`)
    t.equal(Object.keys(params).at(-1), 'resource_metadata')
  }
  server.close()
  const { headers } = await refusal(server.guard(), 'Bearer x')
  t.notOk('www-authenticate' in headers)
})

t.test('scopes_supported lists the scopes of every requirement declared so far', async (t) => {
  const server = about({}, { default: { scopes: 'orders/all' } })
  const supported = () => server.resourceMetadata()?.scopes_supported
  t.equal(supported(), undefined)
  server.guard({ scopes: ['b/y', 'a/x'] })
  t.strictSame(supported(), ['a/x', 'b/y'])
  server.guard({ scopes: anyOf('c/z', 'a/x'), optional: true })
  t.strictSame(supported(), ['a/x', 'b/y', 'c/z'])
  server.guard()
  t.strictSame(supported(), ['a/x', 'b/y', 'c/z', 'orders/all'])
})

t.test('configured scopes replace declared ones, deduplicated and sorted', async (t) => {
  const orders = defineScopes('orders', { write: 'Write', read: 'Read' })
  const lists: [unknown, string[] | undefined][] = [
    [
      ['b/y', 'a/x', 'b/y'],
      ['a/x', 'b/y'],
    ],
    [
      [orders, 'orders/read', 'a/x', orders],
      ['a/x', 'orders/read', 'orders/write'],
    ],
    [['openid'], ['openid']],
    [[], undefined],
    [false, undefined],
  ]
  for (const [scopes, supported] of lists) {
    const server = about({ scopes })
    server.guard({ scopes: 'declared/here' })
    t.strictSame(server.resourceMetadata()?.scopes_supported, supported)
    t.equal('scopes_supported' in (server.resourceMetadata() ?? {}), supported !== undefined)
  }
})

/** A pool whose keys are fetched; `updated` says which form has them. */
function fetching(updated: boolean) {
  const fetch = async (input: unknown) =>
    String(input).startsWith(UPDATED_ISSUER) === updated
      ? Response.json({ keys: [jwk()] })
      : new Response('no', { status: 404 })
  const server = about({}, { jwks: undefined, fetch })
  t.teardown(() => server.close())
  return { server, issuers: () => server.resourceMetadata()?.authorization_servers }
}

t.test('authorization_servers lists the issuer form in use', async (t) => {
  const original = fetching(false)
  t.strictSame(original.issuers(), [ISSUER], 'before any key')
  await original.server.ready()
  t.strictSame(original.issuers(), [ISSUER])
  const updated = fetching(true)
  t.strictSame(updated.issuers(), [ISSUER], 'before any key')
  await updated.server.ready()
  t.strictSame(updated.issuers(), [UPDATED_ISSUER])
  updated.server.close()
  t.strictSame(updated.issuers(), [UPDATED_ISSUER], 'after the end')
})

t.test('authorization_servers lists the issuers of every pool', async (t) => {
  const issuers = ['https://one.example', 'https://two.example']
  const userPools = issuers.map((issuer, index) => ({
    userPoolId: `eu-west-1_Pool${index}`,
    clientId: CLIENT,
    issuer,
    jwks: { keys: [jwk()] },
  }))
  t.strictSame(about({}, { userPools }).resourceMetadata()?.authorization_servers, issuers)
})

t.test('the document contains nothing from the request', async (t) => {
  const server = about({})
  const before = JSON.stringify(server.resourceMetadata())
  const guard = server.guard({ scopes: 'a/x' })
  const declared = JSON.stringify(server.resourceMetadata())
  t.equal(declared, before.replace(',"bearer', ',"scopes_supported":["a/x"],"bearer'))
  const evil = 'evil.example'
  const request = {
    headers: { host: evil, 'x-forwarded-host': evil, 'x-forwarded-proto': 'http', forwarded: evil },
    url: `https://${evil}/`,
  }
  const token = machineToken({ scope: 'evil/scope', iss: `https://${evil}` })
  t.equal(await outcome(guard, `Bearer ${token}`, request), 'ERR_TOKEN_ISSUER')
  const { headers } = await refusal(guard, `Bearer ${machineToken({ scope: 'evil/x' })}`, request)
  t.notMatch(JSON.stringify(headers), /evil/)
  t.equal(JSON.stringify(server.resourceMetadata()), declared)
})

t.test('options changed later have no effect', async (t) => {
  const scopes = ['a/x']
  const authorizationServers = ['https://auth.example.com']
  const resourceMetadata = { resource, scopes, authorizationServers, name: 'Orders' }
  const options = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null, jwks: { keys: [jwk()] } }
  const server = createResourceServer({ ...options, resourceMetadata } as CognitoAuthOptions)
  const before = JSON.stringify(server.resourceMetadata())
  scopes.push('b/y')
  authorizationServers[0] = 'https://evil.example'
  Object.assign(resourceMetadata, { resource: 'https://evil.example', name: 'Evil' })
  t.equal(JSON.stringify(server.resourceMetadata()), before)
})
