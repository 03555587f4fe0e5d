/** Secret rotation: the clients of the AWS SDK are objects with a few methods. */
import {
  type ClientSecretStore,
  type CognitoSecretOperations,
  createRotationHandler,
  type RotationResult,
  rotateClientSecret,
  type SecretsManagerOperations,
  secretsManagerStore,
} from 'cognito-m2m/rotate'

declare const cognito: CognitoSecretOperations
declare const secretsManager: SecretsManagerOperations

const store: ClientSecretStore = secretsManagerStore({ secretsManager, secretId: 'a' })
const target = { cognito, userPoolId: 'eu-west-1_a', clientId: 'a' }
const tokenEndpoint = 'https://a/oauth2/token'
export const result: () => Promise<RotationResult> = () =>
  rotateClientSecret({ ...target, store, tokenEndpoint })
export const handler: (event: object) => Promise<void> = createRotationHandler({
  ...target,
  tokenEndpoint: [tokenEndpoint],
  secretsManager,
  secretId: 'a',
})
// @ts-expect-error store is required
rotateClientSecret({ ...target, tokenEndpoint })
