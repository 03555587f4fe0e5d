/** Secrets Manager and Parameter Store in memory: their rules for versions, labels and types, and the protocol of AWS. */
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { serve } from './client.ts'

/** An error in the form of the AWS SDK. Its message quotes the input, as AWS does. */
export class AwsError extends Error {
  override readonly name: string
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string }

  constructor(name: string, input: object, status = 400) {
    super(`${name}: ${JSON.stringify(input)}`)
    this.name = name
    this.$metadata = { httpStatusCode: status, requestId: randomUUID() }
  }
}

interface Version {
  readonly id: string
  readonly value: string | undefined
  readonly stages: Set<string>
}

/** The secret `prod/orders-client` in Secrets Manager. */
export class FakeSecretsManager {
  readonly versions: Version[] = []
  /** Names of the called operations. */
  readonly calls: string[] = []

  constructor(current: string) {
    this.versions.push({ id: randomUUID(), value: current, stages: new Set(['AWSCURRENT']) })
  }

  async getSecretValue(input: {
    readonly SecretId: string
    readonly VersionId?: string
    readonly VersionStage?: string
  }) {
    this.#begin('GetSecretValue', input)
    const { VersionId, VersionStage = 'AWSCURRENT' } = input
    const version = this.versions.find(({ id, stages }) =>
      VersionId === undefined ? stages.has(VersionStage) : id === VersionId,
    )
    if (version?.value === undefined) throw new AwsError('ResourceNotFoundException', input)
    const { id, value, stages } = version
    return { SecretString: value, VersionId: id, VersionStages: [...stages] }
  }

  async putSecretValue(input: {
    readonly SecretId: string
    readonly ClientRequestToken: string
    readonly SecretString: string
    readonly VersionStages: readonly string[]
  }) {
    this.#begin('PutSecretValue', input)
    const { ClientRequestToken: id, SecretString: value, VersionStages } = input
    if (id.length < 32 || id.length > 64) throw new AwsError('InvalidParameterException', input)
    const existing = this.versions.findIndex((it) => it.id === id)
    if ((this.versions[existing]?.value ?? value) !== value) {
      throw new AwsError('ResourceExistsException', input)
    }
    if (this.versions[existing]?.value === value) return { VersionId: id }
    if (existing !== -1) this.versions.splice(existing, 1)
    for (const { stages } of this.versions) for (const it of VersionStages) stages.delete(it)
    this.versions.push({ id, value, stages: new Set(VersionStages) })
    this.#checkLabels(input)
    return { VersionId: id }
  }

  async updateSecretVersionStage(input: {
    readonly SecretId: string
    readonly VersionStage: string
    readonly MoveToVersionId?: string | undefined
    readonly RemoveFromVersionId?: string | undefined
  }) {
    this.#begin('UpdateSecretVersionStage', input)
    const { VersionStage, MoveToVersionId, RemoveFromVersionId } = input
    const owner = this.versions.find(({ stages }) => stages.has(VersionStage))
    const target = this.versions.find(({ id }) => id === MoveToVersionId)
    const isMoved = owner !== undefined && owner !== target
    if (isMoved && owner.id !== RemoveFromVersionId) {
      throw new AwsError('InvalidParameterException', input)
    }
    if (isMoved) owner.stages.delete(VersionStage)
    if (isMoved && VersionStage === 'AWSCURRENT') this.#setPrevious(owner)
    target?.stages.add(VersionStage)
    this.#checkLabels(input)
    return {}
  }

  /** Value of a label. */
  valueOf(label: string): string | undefined {
    return this.versions.find(({ stages }) => stages.has(label))?.value
  }

  /** Labels that are not those of Secrets Manager. */
  get ownLabels(): readonly string[] {
    return this.versions.flatMap(({ stages }) => [...stages]).filter((it) => !it.startsWith('AWS'))
  }

  /** Secrets Manager moves this label by itself. */
  #setPrevious(version: Version): void {
    for (const { stages } of this.versions) stages.delete('AWSPREVIOUS')
    version.stages.add('AWSPREVIOUS')
  }

  #begin(operation: string, input: { readonly SecretId: string }): void {
    this.calls.push(operation)
    if (input.SecretId.includes('missing')) throw new AwsError('ResourceNotFoundException', input)
  }

  /** AWS allows 20 labels in a secret, of at most 256 characters. */
  #checkLabels(input: object): void {
    const labels = this.versions.flatMap(({ stages }) => [...stages])
    if (labels.length > 20 || labels.some((it) => it.length > 256)) {
      throw new AwsError('LimitExceededException', input)
    }
  }
}

interface Parameter {
  readonly Name: string
  readonly Type: string
  readonly Value: string
  readonly KeyId: string
}

/** Parameter Store. */
export class FakeParameterStore {
  readonly parameters = new Map<string, Parameter>()
  readonly calls: string[] = []

  constructor(name: string, current: string, Type = 'SecureString') {
    this.parameters.set(name, { Name: name, Type, Value: current, KeyId: 'alias/aws/ssm' })
  }

  async getParameters(input: {
    readonly Names: readonly string[]
    readonly WithDecryption: boolean
  }) {
    this.calls.push('GetParameters')
    const found = input.Names.map((name) => this.parameters.get(name))
    const Parameters = found.filter((it) => it !== undefined)
    return { Parameters: Parameters.map(({ Name, Type, Value }) => ({ Name, Type, Value })) }
  }

  async putParameter(input: {
    readonly Name: string
    readonly Type: string
    readonly Value: string
    readonly Overwrite: boolean
    readonly KeyId?: string | undefined
  }) {
    this.calls.push('PutParameter')
    const { Name, Type, Value, Overwrite, KeyId = 'alias/aws/ssm' } = input
    const isHierarchy = Name.includes('/') && !Name.startsWith('/')
    if (isHierarchy || Value.includes('{{')) throw new AwsError('ValidationException', input)
    if (this.parameters.has(Name) && !Overwrite) throw new AwsError('ParameterAlreadyExists', input)
    this.parameters.set(Name, { Name, Type, Value, KeyId })
    return { Version: 1 }
  }

  async deleteParameter(input: { readonly Name: string }) {
    this.calls.push('DeleteParameter')
    if (!this.parameters.delete(input.Name)) throw new AwsError('ParameterNotFound', input)
    return {}
  }

  valueOf(name: string): string | undefined {
    return this.parameters.get(name)?.Value
  }
}

/** Serves a fake with the JSON protocol of AWS. Returns its URL. */
export function serveAws(t: Test, fake: FakeSecretsManager | FakeParameterStore): Promise<string> {
  return serve(t, async (request, response) => {
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
    const method = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`
    const handlers = fake as unknown as Record<string, (input: object) => Promise<object>>
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
    }
    try {
      const result = await handlers[method]?.(JSON.parse(await text(request)))
      response.writeHead(200, headers)
      response.end(JSON.stringify(result))
    } catch (error) {
      const { name, message, $metadata } = error as AwsError
      response.writeHead($metadata.httpStatusCode, headers)
      response.end(JSON.stringify({ __type: name, message }))
    }
  })
}
