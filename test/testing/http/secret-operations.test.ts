/** The operations for client secrets of a local pool, called by the AWS SDK and by hand. */
import {
  type AddUserPoolClientSecretCommandInput,
  CognitoIdentityProvider,
} from '@aws-sdk/client-cognito-identity-provider'
import t, { type Test } from 'tap'
import { type LocalUserPool, startUserPool } from '../../../src/testing/index.ts'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { codeOf } from '../../support/client.ts'
import { ask } from '../../support/http.ts'

const NOW = 1_800_000_000_999
const GIVEN = 'a'.repeat(63)
const JSON_1_1 = 'application/x-amz-json-1.1'

async function start(t: Test) {
  const pool = await startUserPool({
    clients: [
      { clientId: 'billing', clientSecrets: ['first'] },
      { clientId: 'public', clientSecrets: [], flows: ['code'] },
    ],
    now: () => NOW,
    quota: 1,
  })
  t.teardown(() => pool.close())
  const cognito = new CognitoIdentityProvider({
    region: 'eu-west-1',
    endpoint: pool.userPoolsApi.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })
  t.teardown(() => cognito.destroy())
  const billing = { UserPoolId: pool.userPoolId, ClientId: 'billing' }
  return { pool, cognito, billing }
}

function getToken(pool: LocalUserPool, clientSecret: string) {
  const { tokenEndpoint } = pool
  return createTokenClient({ tokenEndpoint, clientId: 'billing', clientSecret }).getToken()
}

t.test('a secret is listed, added and deleted', async (t) => {
  const { pool, cognito, billing } = await start(t)
  const first = { ClientSecretId: 'billing--1800000000', ClientSecretCreateDate: new Date(18e11) }
  t.match((await cognito.listUserPoolClientSecrets(billing)).ClientSecrets, [first])
  const added = await cognito.addUserPoolClientSecret({ ...billing, ClientSecret: GIVEN })
  // Two secrets of one second have different IDs.
  const second = { ...first, ClientSecretId: 'billing--1800000001' }
  t.strictSame(added.ClientSecretDescriptor, second)
  const { ClientSecrets } = await cognito.listUserPoolClientSecrets(billing)
  t.strictSame(ClientSecrets, [first, second])
  t.strictSame(pool.clients[0]?.clientSecrets, ['first', GIVEN])
  t.ok(Object.isFrozen(pool.clients[0]?.clientSecrets))
  await getToken(pool, GIVEN)
  const { ClientSecretId } = first
  await cognito.deleteUserPoolClientSecret({ ...billing, ClientSecretId })
  t.strictSame(pool.clients[0]?.clientSecrets, [GIVEN])
})

t.test('a deleted secret is rejected, and the log hides it', async (t) => {
  const { pool, cognito, billing } = await start(t)
  await cognito.addUserPoolClientSecret(billing)
  await cognito.deleteUserPoolClientSecret({ ...billing, ClientSecretId: 'billing--1800000000' })
  const body = 'grant_type=client_credentials&client_id=first&client_secret=first'
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status } = await ask(pool.port, { method: 'POST', path: '/oauth2/token', headers, body })
  t.equal(status, 400)
  t.notMatch(JSON.stringify(pool.events()), 'first')
})

t.test('Cognito generates a secret and returns it once', async (t) => {
  const { pool, cognito, billing } = await start(t)
  const { ClientSecretDescriptor } = await cognito.addUserPoolClientSecret(billing)
  const secret = ClientSecretDescriptor?.ClientSecretValue ?? ''
  t.match(secret, /^[a-z0-9]{51}$/)
  await getToken(pool, secret)
  const { ClientSecrets } = await cognito.listUserPoolClientSecrets(billing)
  t.notMatch(JSON.stringify(ClientSecrets), secret)
})

t.test('the operations do not use the quota of tokens', async (t) => {
  const { pool, cognito, billing } = await start(t)
  for (let count = 0; count < 3; count += 1) await cognito.listUserPoolClientSecrets(billing)
  await getToken(pool, 'first')
})

t.test('each wrong request has the exception of AWS', async (t) => {
  const { cognito, billing } = await start(t)
  const add = (input: Partial<AddUserPoolClientSecretCommandInput>) =>
    cognito.addUserPoolClientSecret({ ...billing, ...input })
  const remove = (input: object) =>
    cognito.deleteUserPoolClientSecret({ ...billing, ClientSecretId: 'x', ...input })
  const invalid = 'InvalidParameterException'
  const missing = 'ResourceNotFoundException'
  const cases: readonly (readonly [() => Promise<unknown>, string, RegExp])[] = [
    [() => add({ ClientSecret: 'a'.repeat(23) }), invalid, /Value at 'clientSecret' failed/],
    [() => add({ ClientSecret: 'a'.repeat(65) }), invalid, /Value at 'clientSecret' failed/],
    [() => add({ ClientSecret: `${GIVEN}-` }), invalid, /Value at 'clientSecret' failed/],
    [() => add({ ClientId: 'public' }), invalid, /public client/],
    [() => add({ ClientId: 'nobody' }), missing, /^User pool client nobody does not exist\.$/],
    [() => add({ UserPoolId: 'eu-west-1_a' }), missing, /^User pool eu-west-1_a does not exist\.$/],
    [() => add({ UserPoolId: undefined }), invalid, /Value at 'userPoolId' failed/],
    [() => add({ ClientId: undefined }), invalid, /Value at 'clientId' failed/],
    [() => remove({}), missing, /^Client secret x does not exist\.$/],
    [() => remove({ ClientSecretId: undefined }), invalid, /Value at 'clientSecretId' failed/],
    [() => remove({ ClientSecretId: 'billing--1800000000' }), invalid, /last secret/],
  ]
  for (const [call, name, message] of cases) await t.rejects(call(), { name, message })
  await add({ ClientSecret: GIVEN })
  await t.rejects(add({}), { name: 'LimitExceededException', message: /2 secrets/ })
  await remove({ ClientSecretId: 'billing--1800000000' })
  await t.rejects(add({ ClientSecret: GIVEN }), { name: invalid, message: /already/ })
})

t.test('a request without a signature or without JSON is rejected', async (t) => {
  const { pool } = await start(t)
  const target = 'AWSCognitoIdentityProviderService.ListUserPoolClientSecrets'
  const authorization = 'AWS4-HMAC-SHA256 Credential=a'
  const cases: readonly (readonly [Record<string, string>, string, string])[] = [
    [{}, '{}', 'MissingAuthenticationTokenException'],
    [{ authorization: 'Bearer a' }, '{}', 'MissingAuthenticationTokenException'],
    [{ authorization }, '[]', 'SerializationException'],
    [{ authorization, 'content-type': 'text/plain' }, '{}', 'UnknownOperationException'],
  ]
  for (const [extra, body, type] of cases) {
    const headers = { 'content-type': JSON_1_1, 'x-amz-target': target, ...extra }
    const { status, json } = await ask(pool.port, { method: 'POST', path: '/', headers, body })
    t.match([status, json], [400, { __type: type }])
  }
})

t.test('the secret of a rotation is not valid for other clients', async (t) => {
  const { pool, cognito, billing } = await start(t)
  await cognito.addUserPoolClientSecret({ ...billing, ClientSecret: GIVEN })
  const { tokenEndpoint } = pool
  const client = createTokenClient({ tokenEndpoint, clientId: 'public', clientSecret: GIVEN })
  t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
})
