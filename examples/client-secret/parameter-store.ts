// From SSM's Parameter Store, where the secret is a SecureString.
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'

export function fromParameterStore(Name: string, ssm = new SSMClient()) {
  return async (): Promise<string> => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))
    return Parameter?.Value ?? ''
  }
}
