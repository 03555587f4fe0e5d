/** Stores of a client secret over services in memory, and what an operator does to them. */
import {
  type ClientSecretStore,
  secretsManagerStore,
  ssmStore,
} from '../../src/tokens/rotate/index.ts'
import { FakeParameterStore, FakeSecretsManager } from './aws-fakes.ts'
import { FIRST_SECRET, intercept, MemorySecretStore, type OnCall } from './rotation.ts'

export const NAME = '/prod/orders-client'
export const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-client-a1b2c3'

/** A store with the first secret of the app client. */
export interface SecretService {
  /** The store of one process. `onCall` gets the calls of the SDK. */
  createStore(onCall?: OnCall): ClientSecretStore
  readCurrent(): string | undefined
  /** Makes the first secret the current one again. */
  rollBack(): Promise<unknown>
  /** Removes AWSPENDING. No effect on other stores. */
  removePending(): void
}

const passCall: OnCall = (_name, call) => call()

function createMemory(): SecretService {
  const store = new MemorySecretStore(FIRST_SECRET)
  return {
    createStore: (onCall = passCall) => intercept(store, onCall),
    readCurrent: () => store.secrets.current.value,
    async rollBack() {
      store.secrets = { current: { value: FIRST_SECRET } }
    },
    removePending() {},
  }
}

function createSecretsManager(): SecretService {
  const fake = new FakeSecretsManager(FIRST_SECRET)
  const [first] = fake.versions
  return {
    createStore: (onCall = passCall) =>
      secretsManagerStore({ secretsManager: intercept(fake, onCall), secretId: ARN }),
    readCurrent: () => fake.valueOf('AWSCURRENT'),
    rollBack: () => moveCurrent(fake, first?.id),
    removePending: () => removePending(fake),
  }
}

function createParameterStore(): SecretService {
  const fake = new FakeParameterStore(NAME, FIRST_SECRET)
  const input = { Name: NAME, Type: 'SecureString', Value: FIRST_SECRET, Overwrite: true }
  return {
    createStore: (onCall = passCall) => ssmStore({ ssm: intercept(fake, onCall), name: NAME }),
    readCurrent: () => fake.valueOf(NAME),
    rollBack: () => fake.putParameter(input),
    removePending() {},
  }
}

/** The services of AWS, by the function that creates their store. */
export const AWS_SERVICES: Readonly<Record<string, () => SecretService>> = {
  secretsManagerStore: createSecretsManager,
  ssmStore: createParameterStore,
}

export const ALL_SERVICES: typeof AWS_SERVICES = { memory: createMemory, ...AWS_SERVICES }

/** Moves AWSCURRENT to another version, as an operator does. */
export function moveCurrent(fake: FakeSecretsManager, id: string | undefined): Promise<unknown> {
  const owner = fake.versions.find(({ stages }) => stages.has('AWSCURRENT'))
  return fake.updateSecretVersionStage({
    SecretId: ARN,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: id,
    RemoveFromVersionId: owner?.id,
  })
}

/** Removes AWSPENDING, as `aws secretsmanager update-secret-version-stage` does. */
export function removePending({ versions }: FakeSecretsManager): void {
  for (const { stages } of versions) stages.delete('AWSPENDING')
}
