/** Set-up of `cognito-m2m rotate` in this process: a local pool, and stores that the real AWS SDK calls. */
import type { Test } from 'tap'
import { FakeParameterStore, FakeSecretsManager, serveAws } from './aws-fakes.ts'
import { CLIENT_ID, FIRST_SECRET, setUpRotation } from './rotation.ts'

export const SECRET_ID = 'prod/orders-client'
export const NAME = '/prod/orders-client'

/** Variables that the AWS SDK reads. */
function setEnvironment(t: Test, variables: Readonly<Record<string, string>>): void {
  const names = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...variables }
  for (const [name, value] of Object.entries(names)) {
    const before = process.env[name]
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

/** A local pool, and both stores behind the endpoints of the SDK. */
export async function setUpRotate(t: Test, serveStore: typeof serveAws = serveAws) {
  const world = await setUpRotation(t)
  const secretsManager = new FakeSecretsManager(FIRST_SECRET)
  const parameters = new FakeParameterStore(NAME, FIRST_SECRET)
  setEnvironment(t, {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: await serveStore(t, secretsManager),
    AWS_ENDPOINT_URL_SSM: await serveStore(t, parameters),
  })
  const { pool } = world
  const args = [
    ...['rotate', '--user-pool-id', pool.userPoolId, '--client-id', CLIENT_ID],
    ...['--endpoint-url', pool.userPoolsApi.endpoint, '--grace', '0'],
  ]
  return { ...world, secretsManager, parameters, args }
}
