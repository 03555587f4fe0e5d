/** Runs the secret recipes of docs/client.md against servers with the protocols of AWS and Vault. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SSMClient } from '@aws-sdk/client-ssm'
import t, { type Test } from 'tap'
import { fromParameterStore } from '../../../examples/client-secret/parameter-store.ts'
import { fromSecretsManager } from '../../../examples/client-secret/secrets-manager.ts'
import { fromVault } from '../../../examples/client-secret/vault.ts'
import { startUserPool } from '../../../src/testing/index.ts'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { codeOf, serve } from '../../support/client.ts'

const SECRETS = ['first+%: secret', 'second+%: secret'] as const

/** A client of the local pool whose secret rotates from the first to the second. */
async function checkRotation(t: Test, source: () => Promise<string>, rotate: () => void) {
  const pool = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: [...SECRETS] }],
  })
  t.teardown(() => pool.close())
  const client = createTokenClient({
    tokenEndpoint: pool.tokenEndpoint,
    clientId: 'billing',
    clientSecret: source,
  })
  await client.getToken()
  const after = await startUserPool({
    clients: [{ clientId: 'billing', clientSecrets: [SECRETS[1]] }],
  })
  t.teardown(() => after.close())
  const moved = createTokenClient({
    tokenEndpoint: after.tokenEndpoint,
    clientId: 'billing',
    clientSecret: source,
    // The pool has rotated to its second secret before the secret store returns it.
    fetch: async (...args) => {
      const response = await fetch(...args)
      rotate()
      return response
    },
  })
  t.equal((await moved.getToken()).accessToken.split('.').length, 3)
}

/** AWS's JSON protocol: one operation, named in a header. */
function aws(t: Test, operation: string, input: object, output: (secret: string) => object) {
  let secret: string = SECRETS[0]
  const origin = serve(t, async (request, response) => {
    t.equal(request.headers['x-amz-target'], operation)
    t.strictSame(JSON.parse(await text(request)), input)
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(output(secret)))
  })
  const rotate = (): void => {
    secret = SECRETS[1]
  }
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return { origin, rotate, settings: { region: 'eu-west-1', credentials } }
}

t.test('AWS Secrets Manager', async (t) => {
  const { origin, rotate, settings } = aws(
    t,
    'secretsmanager.GetSecretValue',
    { SecretId: 'prod/orders-client' },
    (SecretString) => ({ Name: 'prod/orders-client', SecretString }),
  )
  const manager = new SecretsManagerClient({ ...settings, endpoint: await origin })
  t.teardown(() => manager.destroy())
  await checkRotation(t, fromSecretsManager('prod/orders-client', manager), rotate)
})

t.test("SSM's Parameter Store", async (t) => {
  const { origin, rotate, settings } = aws(
    t,
    'AmazonSSM.GetParameter',
    { Name: '/prod/orders-client', WithDecryption: true },
    (Value) => ({ Parameter: { Name: '/prod/orders-client', Type: 'SecureString', Value } }),
  )
  const ssm = new SSMClient({ ...settings, endpoint: await origin })
  t.teardown(() => ssm.destroy())
  await checkRotation(t, fromParameterStore('/prod/orders-client', ssm), rotate)
})

t.test('HashiCorp Vault', async (t) => {
  let secret: string = SECRETS[0]
  const origin = await serve(t, (request, response) => {
    const known = request.headers['x-vault-token'] === 's.token'
    response.statusCode = known && request.url === '/v1/secret/data/orders-client' ? 200 : 403
    response.end(JSON.stringify({ data: { data: { client_secret: secret }, metadata: {} } }))
  })
  const url = `${origin}/v1/secret/data/orders-client`
  await checkRotation(
    t,
    fromVault(url, async () => 's.token\n'),
    () => {
      secret = SECRETS[1]
    },
  )
  const refused = createTokenClient({
    tokenEndpoint: 'http://127.0.0.1:1/oauth2/token',
    clientId: 'billing',
    clientSecret: fromVault(url, async () => 'another'),
  })
  t.equal(await codeOf(refused.getToken()), 'ERR_CLIENT_SECRET_UNAVAILABLE')
})

t.test('a secret store without the secret causes ERR_CLIENT_SECRET_UNAVAILABLE', async (t) => {
  const { origin, settings } = aws(
    t,
    'AmazonSSM.GetParameter',
    { Name: 'a', WithDecryption: true },
    () => ({}),
  )
  const ssm = new SSMClient({ ...settings, endpoint: await origin })
  t.teardown(() => ssm.destroy())
  t.equal(await fromParameterStore('a', ssm)(), '')
  const other = aws(t, 'secretsmanager.GetSecretValue', { SecretId: 'a' }, () => ({}))
  const manager = new SecretsManagerClient({ ...other.settings, endpoint: await other.origin })
  t.teardown(() => manager.destroy())
  t.equal(await fromSecretsManager('a', manager)(), '')
})

t.test('docs/client.md shows the recipes of this test', async (t) => {
  const page = await readFile('docs/client.md', 'utf8')
  for (const name of ['secrets-manager', 'parameter-store', 'vault']) {
    const recipe = await readFile(`examples/client-secret/${name}.ts`, 'utf8')
    t.ok(page.includes(`\`\`\`ts\n${recipe}\`\`\`\n`), name)
  }
})
