/** Creates the clients of the AWS SDK for `cognito-m2m rotate`, from optional packages that are loaded when used. */
import { getRegion, LOCAL_REGION } from '../../../core/options/partitions.ts'
import { describeValue, OptionError, omitUndefined } from '../../../core/options/validate.ts'
import {
  type ClientSecretStore,
  type CognitoSecretOperations,
  type ParameterStoreOperations,
  type SecretsManagerOperations,
  type SecretsManagerStoreOptions,
  type SsmStoreOptions,
  secretsManagerStore,
  ssmStore,
} from '../../../tokens/rotate/index.ts'
import type { Terminal } from '../../terminal/terminal.ts'

/** Imports a package of the AWS SDK. Tests replace it. */
export type ImportPackage = (name: string) => Promise<unknown>

/** Package and class of each client. */
const CLIENTS = {
  cognito: ['@aws-sdk/client-cognito-identity-provider', 'CognitoIdentityProvider'],
  secretsmanager: ['@aws-sdk/client-secrets-manager', 'SecretsManager'],
  ssm: ['@aws-sdk/client-ssm', 'SSM'],
} as const

interface ClientConfig {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** @throws {OptionError} if the package is not installed. */
async function createClient<Client>(
  kind: keyof typeof CLIENTS,
  config: ClientConfig,
  importPackage: ImportPackage,
): Promise<Client> {
  const [name, className] = CLIENTS[kind]
  const exported = await importPackage(name).catch(() => undefined)
  const { [className]: Constructor } = Object(exported) as Record<
    string,
    (new (config: object) => Client) | undefined
  >
  if (Constructor !== undefined) return new Constructor(omitUndefined({ ...config }))
  throw new OptionError(
    name,
    `expected an installed package with ${className}, got none. Run npm install ${name}.`,
  )
}

/** Options of {@link createCognito}. */
interface CognitoTarget {
  readonly userPoolId: string
  /** Endpoint of the user pools API. Default: that of the pool's Region. */
  readonly endpointUrl: string | undefined
}

/** Creates the client of Cognito for the Region of the pool, or for an endpoint. */
export async function createCognito(
  { userPoolId, endpointUrl }: CognitoTarget,
  importPackage: ImportPackage,
): Promise<CognitoSecretOperations> {
  const region = getPoolRegion(userPoolId)
  if (region !== LOCAL_REGION) {
    return createClient('cognito', { region, endpoint: endpointUrl }, importPackage)
  }
  if (endpointUrl === undefined) {
    throw new OptionError(
      '--endpoint-url',
      'expected the URL of the local pool, got none. Pass for example http://127.0.0.1:3001.',
    )
  }
  // The SDK signs each request. A local pool does not verify the signature.
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return createClient('cognito', { region, endpoint: endpointUrl, credentials }, importPackage)
}

function getPoolRegion(userPoolId: string): string {
  const region = getRegion(userPoolId)
  if (region !== undefined) return region
  throw new OptionError(
    '--user-pool-id',
    `expected <region>_<letters and digits>, got ${describeValue(userPoolId)}. Pass the ID of the user pool.`,
  )
}

/** Flags of a store. */
interface StoreFlags {
  readonly store: string
  readonly userPoolId: string
  readonly kmsKeyId?: string
  readonly secretField?: string
}

/**
 * Creates the store of `--store`: `secretsmanager:NAME` or `ssm:NAME`.
 *
 * @throws {OptionError} for another store, and if its package is not installed.
 */
export async function createStore(
  { store, userPoolId, kmsKeyId, secretField: field }: StoreFlags,
  { env }: Pick<Terminal, 'env'>,
  importPackage: ImportPackage,
): Promise<ClientSecretStore> {
  const [, kind, name = ''] = /^(secretsmanager|ssm):(\S+)$/.exec(store) ?? []
  if (kind === undefined) {
    throw new OptionError(
      '--store',
      `expected secretsmanager:NAME or ssm:NAME, got ${describeValue(store)}. Pass where callers load the secret.`,
    )
  }
  const config = { region: getStoreRegion(name, userPoolId, env) }
  if (kind === 'secretsmanager') {
    if (kmsKeyId !== undefined) {
      throw new OptionError(
        '--kms-key-id',
        'expected no key with secretsmanager:, got one. Remove it: Secrets Manager keeps the key of the secret.',
      )
    }
    const secretsManager = await createClient<SecretsManagerOperations>(kind, config, importPackage)
    return secretsManagerStore(
      omitUndefined<SecretsManagerStoreOptions>({ secretsManager, secretId: name, field }),
    )
  }
  if (field !== undefined) {
    throw new OptionError(
      '--secret-field',
      'expected no field with ssm:, got one. Remove it: a parameter has one value.',
    )
  }
  if (name.startsWith('arn:')) {
    throw new OptionError(
      '--store',
      'expected ssm: and the name of a parameter, got an ARN. Pass its name.',
    )
  }
  const ssm = await createClient<ParameterStoreOperations>('ssm', config, importPackage)
  return ssmStore(omitUndefined<SsmStoreOptions>({ ssm, name, kmsKeyId }))
}

/** The Region of an ARN, that of the environment, or that of the user pool. Undefined: the SDK reads it. */
function getStoreRegion(
  name: string,
  userPoolId: string,
  env: Terminal['env'],
): string | undefined {
  const [, arnRegion] = /^arn:[^:]+:secretsmanager:([^:]+):/.exec(name) ?? []
  if (arnRegion !== undefined) return arnRegion
  const { AWS_REGION, AWS_DEFAULT_REGION } = env
  const poolRegion = getPoolRegion(userPoolId)
  return AWS_REGION ?? AWS_DEFAULT_REGION ?? (poolRegion === LOCAL_REGION ? undefined : poolRegion)
}
