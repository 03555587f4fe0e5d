// From AWS Secrets Manager, where the secret stands as plain text.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

export function fromSecretsManager(SecretId: string, manager = new SecretsManagerClient()) {
  return async (): Promise<string> => {
    const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId }))
    return SecretString ?? ''
  }
}
