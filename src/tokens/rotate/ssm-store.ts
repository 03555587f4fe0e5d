/** `ssmStore`: a client secret in the Parameter Store of AWS Systems Manager, as a SecureString. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { RotationError } from './errors.ts'
import { readMethods } from './options.ts'
import { parseObject } from './stored-json.ts'
import type { ClientSecretStore, RotationState, StoredSecret, StoredSecrets } from './types.ts'

/** The operations of Parameter Store. `SSM` of `@aws-sdk/client-ssm` has them. */
export interface ParameterStoreOperations {
  getParameters(input: { readonly Names: string[]; readonly WithDecryption: boolean }): Promise<{
    readonly Parameters?:
      | readonly {
          readonly Name?: string | undefined
          readonly Type?: string | undefined
          readonly Value?: string | undefined
        }[]
      | undefined
  }>
  putParameter(input: {
    readonly Name: string
    readonly Type: 'SecureString'
    readonly Value: string
    readonly Overwrite: boolean
    readonly KeyId?: string | undefined
  }): Promise<unknown>
  deleteParameter(input: { readonly Name: string }): Promise<unknown>
}

/** Options of {@link ssmStore}. */
export interface SsmStoreOptions {
  /** `new SSM({ region })` of `@aws-sdk/client-ssm`. */
  readonly ssm: ParameterStoreOperations
  /** Name of the parameter. The pending secret is in `NAME/pending`. Both are of type SecureString. */
  readonly name: string
  /**
   * ID or ARN of the KMS key that encrypts both parameters. A parameter with a customer managed key needs it: each write
   * without it uses the key `alias/aws/ssm`.
   *
   * @defaultValue `alias/aws/ssm`
   */
  readonly kmsKeyId?: string
}

/**
 * Creates the store of a client secret in Parameter Store. The parameter is the secret. `NAME/pending` exists during a
 * rotation, and has the new secret and the state of the rotation as JSON.
 *
 * @param options `ssm` and `name` are required.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option.
 * @example
 * ```ts
 * const store = ssmStore({ ssm: new SSM(), name: '/prod/orders-client' })
 * ```
 */
export function ssmStore(options: SsmStoreOptions): ClientSecretStore {
  const members = readMembers(options, ['ssm', 'name', 'kmsKeyId'], '')
  const client = readMethods<ParameterStoreOperations>(members['ssm'], 'ssm', [
    'getParameters',
    'putParameter',
    'deleteParameter',
  ])
  const { name, kmsKeyId } = members
  if (typeof name !== 'string' || !/^[\w.\-/]{1,1000}$/.test(name)) {
    throw new OptionError(
      'name',
      `expected a name of letters, digits and _ . - /, got ${describeValue(name)}. Pass the name of the parameter, not its ARN.`,
    )
  }
  if (kmsKeyId !== undefined && (typeof kmsKeyId !== 'string' || kmsKeyId === '')) {
    throw new OptionError(
      'kmsKeyId',
      `expected the ID or ARN of a key, got ${describeValue(kmsKeyId)}. Pass it as a string.`,
    )
  }
  const store = new SecretParameters(client, name, kmsKeyId)
  return {
    get: () => store.get(),
    putPending: (secret) => store.putPending(secret),
    promote: (secret) => store.promote(secret),
  }
}

class SecretParameters implements ClientSecretStore {
  readonly #client: ParameterStoreOperations
  readonly #name: string
  readonly #pendingName: string
  readonly #kmsKeyId: string | undefined

  constructor(client: ParameterStoreOperations, name: string, kmsKeyId: string | undefined) {
    this.#client = client
    this.#name = name
    // Parameter Store requires a leading slash in names with a hierarchy.
    this.#pendingName = `${name.startsWith('/') ? '' : '/'}${name}/pending`
    this.#kmsKeyId = kmsKeyId
  }

  async get(): Promise<StoredSecrets> {
    const { value, pending } = await this.#read()
    if (pending === undefined) return { current: { value } }
    if (pending.value === value) return { current: pending }
    const pendingRemoval = `aws ssm delete-parameter --name ${this.#pendingName}`
    return { current: { value }, pending, pendingRemoval }
  }

  async putPending(secret: StoredSecret): Promise<boolean> {
    const { value, pending } = await this.#read()
    // Another run has promoted it. Its time of the promotion must stay.
    if (value === secret.value) return false
    const isSame = pending?.value === secret.value
    if (pending !== undefined && !isSame) {
      if (pending.value !== value) return false
      // Another run has promoted its secret since this one began.
      if (pending.rotation?.replaces === secret.rotation?.replaces) return false
      // A run was killed after the last deletion. The secret in it is the current one.
      await this.#deletePending()
    }
    try {
      await this.#put(this.#pendingName, formatPending(secret), isSame)
      return true
    } catch (error) {
      if (Object(error).name === 'ParameterAlreadyExists') return false
      throw error
    }
  }

  async promote(secret: StoredSecret): Promise<boolean> {
    const { value, pending } = await this.#read()
    const isPending = pending?.value === secret.value
    if (!isPending && (pending !== undefined || value !== secret.value)) return false
    if (value !== secret.value) await this.#put(this.#name, secret.value, true)
    if (secret.rotation !== undefined) {
      await this.#put(this.#pendingName, formatPending(secret), true)
    } else if (isPending) await this.#deletePending()
    return true
  }

  async #read(): Promise<{ readonly value: string; readonly pending: StoredSecret | undefined }> {
    const { Parameters = [] } = await this.#client.getParameters({
      Names: [this.#name, this.#pendingName],
      WithDecryption: true,
    })
    const [value, pending] = [this.#name, this.#pendingName].map((name) => {
      const parameter = Parameters.find(({ Name }) => Name === name)
      if (parameter === undefined || parameter.Type === 'SecureString') return parameter?.Value
      throw createStoreError(`${name} must be a SecureString. Create it again with that type`)
    })
    if (value === undefined) throw createStoreError(`${this.#name} must exist. Create it`)
    return { value, pending: pending === undefined ? undefined : this.#parsePending(pending) }
  }

  #parsePending(text: string): StoredSecret {
    const { value, replaces, heldUntil, heldBy, promotedAt } = parseObject(text)
    if (typeof value === 'string' && typeof replaces === 'string') {
      const rotation = {
        replaces,
        heldUntil: toTime(heldUntil),
        heldBy: typeof heldBy === 'string' ? heldBy : undefined,
        promotedAt: toTime(promotedAt),
      }
      return { value, rotation }
    }
    throw createStoreError(`${this.#pendingName} was not written by this package. Delete it`)
  }

  async #put(name: string, value: string, overwrite: boolean): Promise<void> {
    await this.#client.putParameter({
      Name: name,
      Type: 'SecureString',
      Value: value,
      Overwrite: overwrite,
      KeyId: this.#kmsKeyId,
    })
  }

  async #deletePending(): Promise<void> {
    try {
      await this.#client.deleteParameter({ Name: this.#pendingName })
    } catch (error) {
      // The SDK repeats a request if it got no response.
      if (Object(error).name !== 'ParameterNotFound') throw error
    }
  }
}

function formatPending({ value, rotation }: StoredSecret): string {
  const { replaces, heldUntil, heldBy, promotedAt } = rotation as RotationState
  return JSON.stringify({ value, replaces, heldUntil, heldBy, promotedAt })
}

function toTime(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

function createStoreError(detail: string): RotationError {
  return new RotationError('ERR_ROTATION_STORE', { detail: `The parameter ${detail}` })
}
