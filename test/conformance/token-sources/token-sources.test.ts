/** Client, proxy, command line and local pool have equal results over both token APIs. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import type { LocalUserPoolOptions, PreTokenGenerationTrigger } from '../../../src/testing/index.ts'
import { createUsage } from '../../../src/tokens/usage/index.ts'
import { decode } from '../../support/http.ts'
import { createCognito } from '../../support/rotation.ts'
import { PRICE } from '../../support/usage.ts'
import { APIS, type SourceRequest, startSources } from './sources.ts'

/** The local pool's ID is in `iss`, and so is its port: both APIs have one. */
const userPoolId = 'xx-local-1_TokenSources'
const OLD = 'old-secret+1'
const NEW = 'new-secret+2'

const trigger: PreTokenGenerationTrigger = (event) => {
  const { scopes, clientMetadata = {} } = event.request
  if (scopes.includes('orders/fail')) throw new Error('Unknown tenant')
  const { iss, ...claims } = clientMetadata
  event.response.claimsAndScopeOverrideDetails = {
    accessTokenGeneration: {
      claimsToAddOrOverride: iss === undefined ? claims : { iss },
      scopesToSuppress: ['orders/hidden'],
    },
  }
  return event
}

const options: LocalUserPoolOptions = {
  userPoolId,
  trigger,
  clients: [
    {
      clientId: 'billing',
      clientSecrets: [OLD, NEW],
      scopes: ['orders/read', 'orders/write', 'orders/hidden', 'orders/fail'],
    },
    {
      clientId: 'closed',
      clientSecrets: [OLD],
      flows: ['code'],
      scopes: ['orders/read'],
      clientToken: false,
    },
  ],
}

const billing = { clientId: 'billing', secret: OLD }
const scopes = ['orders/read', 'orders/write']
const claims = { client_id: 'billing', sub: 'billing', token_use: 'access', version: 2 }

/** A request, the expected claims or error, and the exception of AWS for it. */
const rows: readonly (readonly [
  name: string,
  request: SourceRequest,
  expected: object | string,
  exception?: string,
])[] = [
  ['scopes', { ...billing, scopes }, { ...claims, scope: 'orders/read orders/write' }],
  ['one scope', { ...billing, scopes: ['orders/read'] }, { ...claims, scope: 'orders/read' }],
  [
    'the second secret',
    { ...billing, secret: NEW, scopes },
    { ...claims, scope: scopes.join(' ') },
  ],
  [
    'a scope that the trigger suppresses',
    { ...billing, scopes: ['orders/hidden', 'orders/read'] },
    { ...claims, scope: 'orders/read' },
  ],
  ['a wrong secret', { ...billing, secret: 'x' }, 'invalid_client', 'NotAuthorizedException'],
  [
    'an unknown client',
    { clientId: 'nobody', secret: OLD },
    'invalid_client',
    'ResourceNotFoundException',
  ],
  [
    'a scope that the client lacks',
    { ...billing, scopes: ['orders/purge'] },
    'invalid_scope',
    'InvalidParameterException',
  ],
  [
    'a client without the flow',
    { clientId: 'closed', secret: OLD, scopes: ['orders/read'] },
    'unauthorized_client',
    'InvalidParameterException',
  ],
  [
    'an exception of the trigger',
    { ...billing, scopes: ['orders/fail'] },
    'invalid_request',
    'UserLambdaValidationException',
  ],
]

/** The command line sends no client metadata. */
const metadataRows: typeof rows = [
  [
    'client metadata becomes a claim',
    { ...billing, scopes, metadata: { tenant: 'a&b', level: 'gold' } },
    { ...claims, tenant: 'a&b', level: 'gold' },
  ],
  [
    'a claim that no trigger can change',
    { ...billing, scopes, metadata: { iss: 'https://evil.example' } },
    'invalid_request',
    'InvalidLambdaResponseException',
  ],
]

for (const api of APIS) {
  t.test(`over ${api}`, async (t) => {
    const { pool, sources } = await startSources(t, api, options)
    for (const [source, get] of Object.entries(sources)) {
      const applicable = source === 'command line' ? rows : [...rows, ...metadataRows]
      for (const [name, request, expected, exception] of applicable) {
        const result = await get(request)
        const label = `${source}: ${name}`
        if (typeof expected === 'object') {
          t.match(result, { claims: { ...expected, iss: pool.issuer }, error: undefined }, label)
          continue
        }
        const error = source === 'pool' && api === 'userPoolsApi' ? exception : expected
        t.strictSame(result, { claims: undefined, error }, label)
      }
    }
  })
}

t.test('usage counts the tokens of both APIs, through a proxy once', async (t) => {
  for (const api of APIS) {
    const { pool, sources } = await startSources(t, api, options)
    const usage = createUsage({ price: PRICE })
    t.teardown(() => usage.close())
    usage.attach(pool)
    await sources['pool']?.({ ...billing, scopes })
    await sources['client']?.({ ...billing, scopes })
    await sources['proxy']?.({ ...billing, scopes })
    await sources['proxy']?.({ ...billing, scopes })
    await sources['pool']?.({ ...billing, secret: 'x' })
    const { rows } = await usage.report()
    t.match(rows, [
      { clientId: 'billing', userPoolId, tokens: { issued: 3, refused: 0 } },
      { kind: 'unverified', tokens: { issued: 0, refused: 1 } },
    ])
  }
})

t.test('the AWS SDK gets a token, and the exceptions of Cognito', async (t) => {
  const { pool } = await startSources(t, 'userPoolsApi', options)
  const cognito = createCognito(pool)
  t.teardown(() => cognito.destroy())
  for (const [name, request, expected, exception] of [...rows, ...metadataRows]) {
    const { clientId, secret, scopes: requested, metadata } = request
    const input = {
      ClientId: clientId,
      Secret: secret,
      Scopes: requested && [...requested],
      ClientMetadata: metadata,
    }
    if (typeof expected === 'string') {
      await t.rejects(cognito.getClientToken(input), { name: exception }, name)
      continue
    }
    const { ClientAuthenticationResult: result } = await cognito.getClientToken(input)
    t.match(result, { ExpiresIn: 3600, TokenType: 'Bearer' }, name)
    t.match(decode(String(result?.AccessToken), 1), expected, name)
  }
})

t.test('curl gets a token by each API, without the library', async (t) => {
  const { pool } = await startSources(t, 'userPoolsApi', options)
  const curl = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', ...args])
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const oauth = await curl(
    ...['--user', `billing:${OLD}`, '--data', 'grant_type=client_credentials&scope=orders%2Fread'],
    pool.tokenEndpoint,
  )
  t.equal(decode(String(oauth['access_token']), 1)['scope'], 'orders/read')
  const body = { ClientId: 'billing', Secret: OLD, Scopes: ['orders/read'] }
  const api = await curl(
    ...['--header', 'content-type: application/x-amz-json-1.1'],
    ...['--header', 'x-amz-target: AWSCognitoIdentityProviderService.GetClientToken'],
    ...['--data', JSON.stringify(body)],
    pool.userPoolsApi.endpoint,
  )
  const { AccessToken } = api['ClientAuthenticationResult'] as { AccessToken: string }
  t.equal(decode(AccessToken, 1)['scope'], 'orders/read')
})
