/** `secretsManagerStore`: a client secret in AWS Secrets Manager, as plain text or in a field of JSON. */
import { createHash } from 'node:crypto'
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { RotationError, readFacts } from './errors.ts'
import { readMethods } from './options.ts'
import { parseObject, replaceMember } from './stored-json.ts'
import type { ClientSecretStore, RotationState, StoredSecret, StoredSecrets } from './types.ts'

/** The operations of Secrets Manager. `SecretsManager` of `@aws-sdk/client-secrets-manager` has them. */
export interface SecretsManagerOperations {
  getSecretValue(input: {
    readonly SecretId: string
    readonly VersionId?: string
    readonly VersionStage?: string
  }): Promise<{
    readonly SecretString?: string | undefined
    readonly VersionId?: string | undefined
    readonly VersionStages?: readonly string[] | undefined
  }>
  putSecretValue(input: {
    readonly SecretId: string
    readonly ClientRequestToken: string
    readonly SecretString: string
    readonly VersionStages: string[]
  }): Promise<unknown>
  updateSecretVersionStage(input: {
    readonly SecretId: string
    readonly VersionStage: string
    readonly MoveToVersionId?: string | undefined
    readonly RemoveFromVersionId?: string | undefined
  }): Promise<unknown>
}

/** Options of {@link secretsManagerStore}. */
export interface SecretsManagerStoreOptions {
  /** `new SecretsManager({ region })` of `@aws-sdk/client-secrets-manager`. */
  readonly secretsManager: SecretsManagerOperations
  /** ARN or name of the secret. */
  readonly secretId: string
  /**
   * Name of the member with the client secret, if the secret is a JSON object. Other members are copied to the new version.
   *
   * @defaultValue The secret is the client secret as plain text
   */
  readonly field?: string
  /**
   * `VersionId` of the pending secret, for a rotation that Secrets Manager started: its `ClientRequestToken`.
   *
   * @defaultValue A hash of the ID of the old secret, so that two runs cannot both create a version
   */
  readonly versionId?: string
}

/**
 * Creates the store of a client secret in AWS Secrets Manager: `AWSCURRENT` and `AWSPENDING` have the current and the
 * pending one. The state of a rotation is in further staging labels of the version, which begin with `cognito-m2m/`. They
 * find the version again after another rotation has taken `AWSPENDING`.
 *
 * @param options `secretsManager` and `secretId` are required.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option.
 * @example
 * ```ts
 * const store = secretsManagerStore({ secretsManager: new SecretsManager(), secretId: 'prod/orders-client' })
 * ```
 */
export function secretsManagerStore(options: SecretsManagerStoreOptions): ClientSecretStore {
  const members = readMembers(options, ['secretsManager', 'secretId', 'field', 'versionId'], '')
  const client = readMethods<SecretsManagerOperations>(
    members['secretsManager'],
    'secretsManager',
    ['getSecretValue', 'putSecretValue', 'updateSecretVersionStage'],
  )
  const { secretId, field, versionId } = members
  const store = new SecretVersions(client, {
    secretId: readText(secretId, 'secretId', 'the ARN or name of the secret'),
    field: field === undefined ? undefined : readText(field, 'field', 'the name of a member'),
    versionId:
      versionId === undefined
        ? undefined
        : readText(versionId, 'versionId', 'the ClientRequestToken of the event'),
  })
  return {
    get: () => store.get(),
    putPending: (secret) => store.putPending(secret),
    promote: (secret) => store.promote(secret),
  }
}

/** Whether a version has become the current one. */
export async function isCurrentVersion(
  { secretsManager, secretId }: SecretsManagerStoreOptions,
  versionId: string,
): Promise<boolean> {
  try {
    const input = { SecretId: secretId, VersionStage: CURRENT }
    const { VersionId } = await secretsManager.getSecretValue(input)
    return VersionId === versionId
  } catch (error) {
    throw new RotationError('ERR_ROTATION_STORE', readFacts(error))
  }
}

function readText(value: unknown, option: string, what: string): string {
  if (typeof value === 'string' && /^\S{1,2048}$/.test(value)) return value
  throw new OptionError(
    option,
    `expected a non-empty string without spaces, got ${describeValue(value)}. Pass ${what}.`,
  )
}

const CURRENT = 'AWSCURRENT'
const PENDING = 'AWSPENDING'
const PREFIX = 'cognito-m2m/'
/** The version of the incomplete rotation: pending, promoted, or rolled back. */
const ROTATION = `${PREFIX}rotation`

/** One version of the secret. */
interface Version {
  readonly id: string
  /** The whole text. */
  readonly text: string
  /** The client secret. */
  readonly value: string
  /** Each label with the ID of the version that has it. */
  readonly labels: ReadonlyMap<string, string>
}

/** Versions that earlier rotations of the same old secret have left. Secrets Manager keeps about as many. */
const MAX_ABANDONED_VERSIONS = 100

/** Validated options. */
interface SecretLocation {
  readonly secretId: string
  readonly field: string | undefined
  readonly versionId: string | undefined
}

class SecretVersions implements ClientSecretStore {
  readonly #client: SecretsManagerOperations
  readonly #secretId: string
  readonly #field: string | undefined
  readonly #versionId: string | undefined

  constructor(client: SecretsManagerOperations, { secretId, field, versionId }: SecretLocation) {
    this.#client = client
    this.#secretId = secretId
    this.#field = field
    this.#versionId = versionId
  }

  async get(): Promise<StoredSecrets> {
    const { current, pending } = await this.#readBoth()
    if (pending === undefined) return { current: this.#toSecret(current) }
    return {
      current: this.#toSecret(current),
      pending: this.#toSecret(pending),
      pendingRemoval: [PENDING, ROTATION]
        .filter((label) => pending.labels.has(label))
        .map((label) => this.#formatRemoval(label, pending.id))
        .join(' && '),
    }
  }

  async putPending({ value, rotation }: StoredSecret): Promise<boolean> {
    const { current, pending } = await this.#readBoth()
    // An earlier run has promoted it already.
    if (current.value === value) return false
    if (pending === undefined) {
      // Another run has promoted its secret since this one began.
      if (this.#toSecret(current).rotation?.replaces === rotation?.replaces) return false
      // A run may have ended before it had removed all. Later, no label would find this version again.
      await this.#setLabels(current, undefined)
      return this.#create(this.#format(value, current), rotation as RotationState)
    }
    if (pending.value !== value) return false
    const text = this.#format(value, current)
    const isOther = this.#versionId !== undefined || pending.text !== text
    if (isOther && pending.id !== this.#versionId) {
      return this.#replace(pending, text, rotation as RotationState)
    }
    await this.#setLabels(pending, rotation, true)
    return true
  }

  /**
   * Copies a pending secret to the version of this rotation of Secrets Manager, or to one with the current other members. All
   * labels move with it: one that stays behind would count for the limit of 20 labels forever.
   */
  async #replace(pending: Version, text: string, rotation: RotationState): Promise<boolean> {
    const token = this.#versionId ?? hash(`${pending.id}/${rotation.heldBy}`)
    await this.#setLabels(pending, rotation, true)
    return this.#put(token, text, rotation)
  }

  async promote({ value, rotation }: StoredSecret): Promise<boolean> {
    const { current, pending } = await this.#readBoth()
    if (current.value === value) {
      if (pending !== undefined) return false
      await this.#setLabels(current, rotation)
      return true
    }
    if (pending?.value !== value) return false
    // Fails if another version has become the current one.
    await this.#client.updateSecretVersionStage({
      SecretId: this.#secretId,
      VersionStage: CURRENT,
      MoveToVersionId: pending.id,
      RemoveFromVersionId: current.id,
    })
    await this.#setLabels(pending, rotation)
    return true
  }

  /**
   * Two runs for one old secret use the same version ID, and Secrets Manager never changes the value of a version. So one
   * of them fails.
   */
  async #create(text: string, rotation: RotationState): Promise<boolean> {
    let token = this.#versionId ?? hash(rotation.replaces)
    for (let count = 0; count < MAX_ABANDONED_VERSIONS; count += 1) {
      if (await this.#put(token, text, rotation)) return true
      const { VersionStages = [] } = await this.#client.getSecretValue({
        SecretId: this.#secretId,
        VersionId: token,
      })
      const isInUse = VersionStages.includes(PENDING) || VersionStages.includes(CURRENT)
      if (isInUse || this.#versionId !== undefined) return false
      token = hash(token)
    }
    return false
  }

  async #put(token: string, text: string, rotation: RotationState): Promise<boolean> {
    try {
      await this.#client.putSecretValue({
        SecretId: this.#secretId,
        ClientRequestToken: token,
        SecretString: text,
        VersionStages: [PENDING, ...formatLabels(rotation)],
      })
      return true
    } catch (error) {
      if (hasName(error, 'ResourceExistsException')) return false
      throw error
    }
  }

  async #readBoth(): Promise<{ readonly current: Version; readonly pending: Version | undefined }> {
    const [current, ...candidates] = await Promise.all([
      this.#read(CURRENT),
      this.#readOptional(PENDING),
      this.#readOptional(ROTATION),
    ])
    // Both labels are on the current version if a run ended right after the promotion.
    const other = candidates.find((it) => it !== undefined && it.id !== current.id)
    if (other?.value !== current.value || !other.labels.has(ROTATION)) {
      return { current, pending: other }
    }
    // The promoted secret was saved again, for example with another member. It is current, so nothing is pending.
    return { current: { ...current, labels: other.labels }, pending: undefined }
  }

  /** @returns Undefined also for a version that Secrets Manager has created for a rotation, without a value. */
  async #readOptional(stage: string): Promise<Version | undefined> {
    return this.#read(stage).catch((error: unknown) => {
      if (hasName(error, 'ResourceNotFoundException')) return undefined
      throw error
    })
  }

  async #read(stage: string): Promise<Version> {
    const { SecretString, VersionId, VersionStages } = await this.#client.getSecretValue({
      SecretId: this.#secretId,
      VersionStage: stage,
    })
    const text = SecretString ?? ''
    const value = this.#field === undefined ? text : parseObject(text)[this.#field]
    // Without a field, a rotation would replace JSON that callers read.
    if (typeof value === 'string' && /^[^\s{}"]+$/.test(value)) {
      const id = String(VersionId)
      const labels = new Map(VersionStages?.map((label) => [label, id]))
      return { id, text, value, labels }
    }
    const expected =
      this.#field === undefined ? 'as plain text' : `in the member ${this.#field} of a JSON object`
    throw new RotationError('ERR_ROTATION_STORE', {
      detail: `The version ${stage} in Secrets Manager must have a client secret ${expected}. Correct the secret or the field`,
    })
  }

  #format(value: string, { text }: Version): string {
    if (this.#field === undefined) return value
    return replaceMember(text, this.#field, value)
  }

  #formatRemoval(label: string, id: string): string {
    return `aws secretsmanager update-secret-version-stage --secret-id ${this.#secretId} --version-stage ${label} --remove-from-version-id ${id}`
  }

  #toSecret({ id, value, labels }: Version): StoredSecret {
    const rotation = parseLabels([...labels.keys()])
    // The run that Secrets Manager started holds its own version.
    if (rotation === undefined || id !== this.#versionId) return { value, rotation }
    return { value, rotation: { ...rotation, heldUntil: undefined, heldBy: undefined } }
  }

  /** Adds labels before it removes any, so that an interruption loses none. */
  async #setLabels(
    { id, labels }: Version,
    rotation: RotationState | undefined,
    isPending = false,
  ): Promise<void> {
    const wanted = rotation === undefined ? [] : formatLabels(rotation)
    for (const label of wanted) {
      const owner = labels.get(label)
      if (owner === id) continue
      await this.#updateStage(label, { MoveToVersionId: id, RemoveFromVersionId: owner })
    }
    for (const [label, owner] of labels) {
      const isOwn = label.startsWith(PREFIX) || (label === PENDING && !isPending)
      if (isOwn && !wanted.includes(label)) {
        await this.#updateStage(label, { RemoveFromVersionId: owner })
      }
    }
  }

  async #updateStage(
    label: string,
    change: {
      readonly MoveToVersionId?: string
      readonly RemoveFromVersionId: string | undefined
    },
  ): Promise<void> {
    await this.#client.updateSecretVersionStage({
      SecretId: this.#secretId,
      VersionStage: label,
      ...change,
    })
  }
}

/** SHA-256 in hexadecimal: 64 characters, the longest version ID. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hasName(error: unknown, name: string): boolean {
  return Object(error).name === name
}

/** Name, value and run. Labels of times have the ID of the old secret, because a label is on one version only. */
const LABEL = /^cognito-m2m\/(replaces|held-until|promoted-at)\/([^/]+)(?:\/[^/]*\/([^/]+))?/

function formatLabels({ replaces, heldUntil, heldBy = '', promotedAt }: RotationState): string[] {
  const labels = [ROTATION, `${PREFIX}replaces/${replaces}`]
  if (heldUntil !== undefined) labels.push(`${PREFIX}held-until/${heldUntil}/${replaces}/${heldBy}`)
  if (promotedAt !== undefined) labels.push(`${PREFIX}promoted-at/${promotedAt}/${replaces}`)
  return labels
}

/** After an interruption a version may have two labels of a kind. The later time counts. */
function parseLabels(labels: readonly string[]): RotationState | undefined {
  const texts = new Map<string, string>()
  let heldBy: string | undefined
  for (const label of [...labels].sort()) {
    const [, name, text, run] = LABEL.exec(label) ?? []
    if (name !== undefined) texts.set(name, text as string)
    heldBy = run ?? heldBy
  }
  const replaces = texts.get('replaces')
  if (replaces === undefined) return undefined
  return {
    replaces,
    heldUntil: parseTime(texts.get('held-until')),
    heldBy,
    promotedAt: parseTime(texts.get('promoted-at')),
  }
}

/** Epoch seconds have ten digits until 2286, so they sort as text. */
function parseTime(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
