/** The AWS SDK gets tokens and typed exceptions from a local pool, and rotates a client secret. */
import assert from 'node:assert/strict'
import {
  CognitoIdentityProvider,
  CognitoIdentityProviderClient,
  GetClientTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { rotateClientSecret } from 'cognito-m2m/rotate'
import { startUserPool } from 'cognito-m2m/testing'

const pool = await startUserPool({
  clients: [
    {
      clientId: 'billing',
      clientSecrets: ['local-secret'],
      scopes: ['orders/read', 'orders/write'],
    },
    { clientId: 'oauth-only', clientSecrets: ['local-secret'], clientToken: false },
  ],
  trigger: (event) => {
    const { clientMetadata } = event.request
    event.response.claimsAndScopeOverrideDetails = {
      accessTokenGeneration: { claimsToAddOrOverride: { ...clientMetadata } },
    }
    return event
  },
})
const settings = {
  region: 'eu-west-1',
  endpoint: pool.userPoolsApi.endpoint,
  // The SDK signs the request. The pool does not verify the signature.
  credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
  maxAttempts: 1,
}
const client = new CognitoIdentityProviderClient(settings)

const Scopes = ['orders/read']
const credentials = { ClientId: 'billing', Secret: 'local-secret' }
const { ClientAuthenticationResult: result, $metadata } = await client.send(
  new GetClientTokenCommand({ ...credentials, Scopes, ClientMetadata: { tenant: 'a' } }),
)
assert.equal(result.TokenType, 'Bearer')
assert.equal(result.ExpiresIn, 3600)
assert.match($metadata.requestId, /^[\da-f-]{36}$/)
const claims = JSON.parse(Buffer.from(result.AccessToken.split('.')[1], 'base64url').toString())
assert.equal(claims.client_id, 'billing')
assert.equal(claims.scope, 'orders/read')
assert.equal(claims.tenant, 'a')

const failures = [
  [{ ...credentials, Secret: 'wrong' }, 'NotAuthorizedException'],
  [{ ...credentials, ClientId: 'nobody' }, 'ResourceNotFoundException'],
  [{ ...credentials, ClientId: 'oauth-only' }, 'InvalidParameterException'],
  [{ ...credentials, Scopes: ['orders/purge'] }, 'InvalidParameterException'],
  [{ ...credentials, ClientMetadata: { iss: 'x' } }, 'InvalidLambdaResponseException'],
]
for (const [input, name] of failures) {
  await assert.rejects(client.send(new GetClientTokenCommand(input)), (error) => {
    assert.equal(error.name, name)
    assert.equal(error.$metadata.httpStatusCode, 400)
    assert.match(error.$metadata.requestId, /^[\da-f-]{36}$/)
    assert.notEqual(error.message, '')
    return true
  })
}

const secrets = { current: { value: 'local-secret' } }
const store = {
  get: async () => secrets,
  putPending: async (secret) => {
    secrets.pending = secret
    return true
  },
  promote: async (secret) => {
    secrets.current = secret
    delete secrets.pending
    return true
  },
}
const cognito = new CognitoIdentityProvider(settings)
const { steps, secretId } = await rotateClientSecret({
  cognito,
  store,
  userPoolId: pool.userPoolId,
  clientId: 'billing',
  tokenEndpoint: pool.tokenEndpoint,
  grace: 0,
})
assert.equal(steps.length, 6)
assert.match(secretId, /^billing--\d+$/)
assert.deepEqual(pool.clients[0].clientSecrets, [secrets.current.value])

cognito.destroy()
client.destroy()
await pool.close()
