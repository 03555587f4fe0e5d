/** Set-up of the rotation tests: a local pool, a store in memory, an injected clock, and runs that are killed. */
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider'
import type { Test } from 'tap'
import { type LocalUserPool, startUserPool } from '../../src/testing/index.ts'
import {
  type ClientSecretStore,
  type CognitoSecretOperations,
  type RotateClientSecretOptions,
  RotationError,
  rotateClientSecret,
  type StoredSecret,
  type StoredSecrets,
} from '../../src/tokens/rotate/index.ts'
import { START } from './client.ts'

export const CLIENT_ID = 'billing'
export const FIRST_SECRET = 'first0secret0of0the0local0pool'

/** A store in memory. Each operation is atomic. */
export class MemorySecretStore implements ClientSecretStore {
  secrets: StoredSecrets

  constructor(value: string) {
    this.secrets = { current: { value } }
  }

  async get(): Promise<StoredSecrets> {
    return structuredClone(this.secrets)
  }

  async putPending(secret: StoredSecret): Promise<boolean> {
    const { current, pending } = this.secrets
    if ((pending ?? secret).value !== secret.value) return false
    if (current.value === secret.value) return false
    if (current.rotation?.replaces === secret.rotation?.replaces) return false
    this.secrets = { current, pending: secret }
    return true
  }

  async promote(secret: StoredSecret): Promise<boolean> {
    const { current, pending } = this.secrets
    if ((pending ?? current).value !== secret.value) return false
    this.secrets = { current: secret }
    return true
  }
}

/** The error of a killed run: nothing of it happens later, not even the release. */
export class KilledError extends Error {}

/** Gets the name of an operation, and the function that calls it. */
export type OnCall = (name: string, call: () => Promise<unknown>) => Promise<unknown>

/** Wraps operations, so that a run can be observed, fail or be killed at one of them. */
export function intercept<Target extends object>(target: Target, onCall: OnCall): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const method: unknown = Reflect.get(object, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => onCall(String(name), () => method.apply(object, args))
    },
  })
}

/** Fails at one operation. Its message quotes a secret. */
export function failAt<Target extends object>(target: Target, method: string): Target {
  return intercept(target, async (name, call) => {
    if (name === method) throw new Error(`${FIRST_SECRET} is quoted`)
    return call()
  })
}

/** Calls one operation twice, as the SDK does after a lost response. */
export function repeatCalls<Target extends object>(target: Target, method: string): Target {
  return intercept(target, async (name, call) => {
    if (name === method) await call()
    return call()
  })
}

/** A wait that ends a run in its grace period. */
export async function stop(): Promise<never> {
  throw new Error('stop')
}

/** A local pool with one client, its secret in a store, and a clock. */
export async function setUpRotation(t: Test) {
  const clock = { now: START }
  const now = (): number => clock.now
  const pool = await startUserPool({
    clients: [{ clientId: CLIENT_ID, clientSecrets: [FIRST_SECRET], scopes: ['orders/read'] }],
    now,
    quota: false,
  })
  t.teardown(() => pool.close())
  const cognito = createCognito(pool)
  t.teardown(() => cognito.destroy())
  const store = new MemorySecretStore(FIRST_SECRET)
  const sleeps: number[] = []
  const options: RotateClientSecretOptions = {
    cognito,
    store,
    userPoolId: pool.userPoolId,
    clientId: CLIENT_ID,
    tokenEndpoint: pool.tokenEndpoint,
    now,
    sleep: async (milliseconds) => {
      sleeps.push(milliseconds)
      clock.now += milliseconds
    },
  }
  const rotate = (changes: Partial<RotateClientSecretOptions> = {}) => {
    const { tokenEndpoint: _, ...others } = options
    const base = changes.userPoolsApi === undefined ? options : others
    return rotateClientSecret({ ...base, ...changes })
  }
  return { pool, cognito, store, clock, sleeps, options, rotate }
}

/** The real SDK, with a local pool as its endpoint. */
export function createCognito({ userPoolsApi }: LocalUserPool): CognitoIdentityProvider {
  return new CognitoIdentityProvider({
    region: 'xx-local-1',
    endpoint: userPoolsApi.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })
}

/** What the tests of a rotation share. */
export type RotationWorld = Awaited<ReturnType<typeof setUpRotation>>

/** Deletes the secret at an index from the app client. */
export async function deleteSecret(
  { pool, cognito }: Pick<RotationWorld, 'pool' | 'cognito'>,
  index: number,
): Promise<void> {
  const ClientSecretId = (await listIds(cognito, pool))[index] as string
  const client = { UserPoolId: pool.userPoolId, ClientId: CLIENT_ID }
  await cognito.deleteUserPoolClientSecret({ ...client, ClientSecretId })
}

/** IDs of the secrets of the app client. */
export async function listIds(
  cognito: CognitoSecretOperations,
  { userPoolId }: { readonly userPoolId: string },
): Promise<readonly string[]> {
  const input = { UserPoolId: userPoolId, ClientId: CLIENT_ID }
  const { ClientSecrets = [] } = await cognito.listUserPoolClientSecrets(input)
  return ClientSecrets.map(({ ClientSecretId }) => String(ClientSecretId))
}

/** Returns the error of a rejected rotation. */
export async function rotationErrorOf(called: Promise<unknown>): Promise<RotationError> {
  const error: unknown = await called.then(
    () => new Error('The call did not reject'),
    (reason: unknown) => reason,
  )
  if (error instanceof RotationError) return error
  throw error
}
