/** The steps of one rotation. Each is idempotent, so that a later run can repeat it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { TokenClientError } from '../client/index.ts'
import { RotationError, type RotationErrorCode, readFacts } from './errors.ts'
import { HOLD_S } from './limits.ts'
import type { RotationOptions } from './options.ts'
import {
  createRollbackError,
  planRotation,
  type RotatingSecret,
  type RotationPlan,
} from './plan.ts'
import { checkSecret } from './token-check.ts'
import type { RotationState, RotationStep, StoredSecret, StoredSecrets } from './types.ts'

/**
 * Seconds before each further read: Cognito and the stores may return a state that is some seconds old. An error after
 * these reads changes nothing.
 */
const READ_DELAYS_S = [1, 2, 4]

/** 256 random bits as 64 characters. Cognito allows 24 to 64 of `[\w+]`. */
function generateSecret(): string {
  return randomBytes(32).toString('hex')
}

/** One run. It holds the rotation until it ends. */
export class Rotation {
  readonly #options: RotationOptions
  /** `heldBy` in the store while this run is active. */
  readonly #runId = randomUUID()
  /** Whether this run has added the new secret. */
  #isAdded = false
  /** `ClientSecretId` of the new secret. */
  #newId: string | undefined
  readonly steps: RotationStep[] = []

  constructor(options: RotationOptions) {
    this.#options = options
  }

  /** @throws {RotationError} also for a state that no run may change. */
  async inspect(): Promise<RotationPlan> {
    const { clientId, now } = this.#options
    const secrets = await this.#getSecrets()
    return planRotation(secrets, { ids: await this.#listIds(), clientId, now: now() })
  }

  /**
   * Gets tokens with the current secret of the store: under a wrong client ID, a rotation would replace the secret of another
   * app client. A wrong token endpoint is found here too, before the secret is added.
   *
   * Then generates a secret and saves it as pending, with the ID of the secret that it replaces.
   */
  async createPending(current: string, replaces: string): Promise<RotatingSecret> {
    try {
      await checkSecret(current, this.#options)
    } catch (error) {
      throw isUnknownSecret(error) ? createUnknownCurrent() : error
    }
    this.#begin('pending')
    return this.#putPending({ value: generateSecret(), rotation: { replaces } })
  }

  /** Holds a rotation that another run has started. */
  async resume(plan: Exclude<RotationPlan, { kind: 'new' }>): Promise<RotatingSecret> {
    const { kind, secret } = plan
    return kind === 'pending' ? this.#putPending(secret) : this.#promote(secret, true)
  }

  async #putPending({ value, rotation }: RotatingSecret): Promise<RotatingSecret> {
    const { store, now } = this.#options
    const hold = { heldUntil: now() + HOLD_S, heldBy: this.#runId }
    const secret = { value, rotation: { ...rotation, ...hold } }
    const isSaved = await this.#call('ERR_ROTATION_STORE', () => store.putPending(secret))
    if (!isSaved) throw this.#createConflict()
    return secret
  }

  /** Adds the secret to the app client. */
  async add({ value }: RotatingSecret): Promise<void> {
    this.#begin('add')
    const { cognito } = this.#options
    const input = { ...this.#client, ClientSecret: value }
    try {
      await this.#call('ERR_ROTATION_COGNITO', () => cognito.addUserPoolClientSecret(input))
      this.#isAdded = true
    } catch (error) {
      // A repeated request, or another run with the same secret. The next step finds out.
      const { exception } = error as RotationError
      if (exception !== 'LimitExceededException') throw error
    }
  }

  /** Gets tokens with the secret, and finds out its ID. */
  async test({ value, rotation }: RotatingSecret): Promise<void> {
    this.#begin('test')
    try {
      await checkSecret(value, this.#options, 'test')
    } catch (error) {
      if (!this.#isAdded && isUnknownSecret(error)) {
        throw new RotationError('ERR_ROTATION_SECRETS', {
          step: 'test',
          detail:
            'The app client has two secrets, and none is the pending one of the store. Delete the one that no caller uses',
        })
      }
      throw error
    }
    this.#newId = await this.#findNewId(rotation)
  }

  /**
   * Makes the secret the current one.
   *
   * @param isHeld Whether this run waits for the grace period.
   */
  async promote(secret: RotatingSecret, isHeld = true): Promise<RotatingSecret> {
    this.#begin('promote')
    return this.#promote(secret, isHeld)
  }

  /** Keeps the time of the promotion that another run has saved. */
  async #promote({ value, rotation }: RotatingSecret, isHeld: boolean): Promise<RotatingSecret> {
    const { store, now } = this.#options
    const { replaces, promotedAt = now() } = rotation
    const remainingS = this.#getRemainingS(promotedAt)
    const heldUntil = now() + Math.max(0, remainingS) + HOLD_S
    const hold = isHeld ? { heldUntil, heldBy: this.#runId } : {}
    const secret = { value, rotation: { replaces, promotedAt, ...hold } }
    const isPromoted = await this.#call('ERR_ROTATION_STORE', () => store.promote(secret))
    if (!isPromoted) throw this.#createConflict()
    return secret
  }

  /** Seconds until the end of the grace period. 0 or less after it. It begins now if its start is unknown. */
  getGraceS({ rotation }: RotatingSecret): number {
    return this.#getRemainingS(rotation.promotedAt)
  }

  /** At most the grace period, although the clock of another run may have been ahead. */
  #getRemainingS(promotedAt: number | undefined): number {
    const { now, graceS } = this.#options
    return promotedAt === undefined ? graceS : Math.min(graceS, promotedAt + graceS - now())
  }

  async waitForGrace(secret: RotatingSecret): Promise<void> {
    const { sleep, now, signal } = this.#options
    const remainingS = this.getGraceS(secret)
    this.#begin('grace', now() + Math.max(0, remainingS))
    if (remainingS > 0) await sleep(remainingS * 1000, signal)
  }

  /**
   * Deletes the old secret, and completes the rotation. Before, it checks that the app client has both secrets, and that the
   * new one is the current one of the store. After a rollback, callers use the old one again.
   */
  async deleteOld({ value, rotation }: RotatingSecret): Promise<void> {
    this.#begin('delete')
    const { cognito, store } = this.#options
    const newId = await this.#findNewId(rotation)
    if (newId !== this.#newId) throw createMismatch('delete')
    const isCurrent = async (): Promise<boolean> => {
      const { current } = await this.#getSecrets()
      return current.value === value
    }
    if (!(await this.#readUntil(isCurrent, (it) => it))) throw createRollbackError(newId, 'delete')
    const input = { ...this.#client, ClientSecretId: rotation.replaces }
    try {
      await this.#call('ERR_ROTATION_COGNITO', () => cognito.deleteUserPoolClientSecret(input))
    } catch (error) {
      // The SDK repeats a request if it got no response.
      const { exception } = error as RotationError
      if (exception !== 'ResourceNotFoundException') throw error
    }
    // After the deletion nothing is left to resume, so the result does not matter.
    await this.#call('ERR_ROTATION_STORE', () => store.promote({ value }))
  }

  /** Known after the step `test`. */
  get newId(): string {
    return this.#newId as string
  }

  /** Lets other runs resume at once, after an error or an abort. Its own failure has no effect. */
  async release(): Promise<void> {
    await this.#release().catch(() => {})
  }

  /** Reads the store first: after a rollback, a promotion would undo it. */
  async #release(): Promise<void> {
    const { store } = this.#options
    const { current, pending } = await store.get()
    const { value, rotation } = pending ?? current
    if (rotation?.heldBy !== this.#runId) return
    const { replaces, promotedAt } = rotation
    const released: StoredSecret = { value, rotation: { replaces, promotedAt } }
    await (pending === undefined ? store.promote(released) : store.putPending(released))
  }

  #createConflict(): RotationError {
    return new RotationError('ERR_ROTATION_CONFLICT', {
      step: this.#step,
      detail: 'It has changed the store since this run began. Run again when it has ended',
    })
  }

  #begin(step: RotationStep, until?: number): void {
    const { signal, onStep } = this.#options
    signal.throwIfAborted()
    this.steps.push(step)
    onStep(until === undefined ? { step } : { step, until })
  }

  get #step(): RotationStep | undefined {
    return this.steps.at(-1)
  }

  get #client(): { readonly UserPoolId: string; readonly ClientId: string } {
    const { userPoolId, clientId } = this.#options
    return { UserPoolId: userPoolId, ClientId: clientId }
  }

  async #getSecrets(): Promise<StoredSecrets> {
    return this.#call('ERR_ROTATION_STORE', () => this.#options.store.get())
  }

  async #listIds(): Promise<readonly string[]> {
    const { cognito } = this.#options
    const { ClientSecrets = [] } = await this.#call('ERR_ROTATION_COGNITO', () =>
      cognito.listUserPoolClientSecrets(this.#client),
    )
    return ClientSecrets.map(({ ClientSecretId }) => String(ClientSecretId))
  }

  /** @throws {RotationError} unless the app client has exactly the old and one other secret. */
  async #findNewId({ replaces }: RotationState): Promise<string> {
    const ids = await this.#readUntil(
      () => this.#listIds(),
      (it) => it.length === 2 && it.includes(replaces),
    )
    const [newId] = (ids ?? []).filter((id) => id !== replaces)
    if (newId === undefined) throw createMismatch(this.#step)
    return newId
  }

  /** Repeats a read until its result is the expected one. @returns Undefined if it never is. */
  async #readUntil<Result>(
    read: () => Promise<Result>,
    isExpected: (result: Result) => boolean,
  ): Promise<Result | undefined> {
    const { sleep, signal } = this.#options
    for (const delayS of [0, ...READ_DELAYS_S]) {
      if (delayS > 0) await sleep(delayS * 1000, signal)
      const result = await read()
      if (isExpected(result)) return result
    }
    return undefined
  }

  /** Replaces an error of the store or of Cognito: it may quote a secret. */
  async #call<Result>(code: RotationErrorCode, operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation()
    } catch (error) {
      if (error instanceof RotationError) throw error
      throw new RotationError(code, { ...readFacts(error), step: this.#step })
    }
  }
}

function createMismatch(step: RotationStep | undefined): RotationError {
  return new RotationError('ERR_ROTATION_SECRETS', {
    step,
    detail: 'The app client no longer has exactly the old and the new secret. Check its secrets',
  })
}

function createUnknownCurrent(): RotationError {
  return new RotationError('ERR_ROTATION_SECRETS', {
    detail:
      'The current secret of the store is not one of the app client. Check the client ID, the store and its content',
  })
}

function isUnknownSecret(error: unknown): boolean {
  // The reason of an abort may be any value.
  const { cause } = Object(error) as { readonly cause?: unknown }
  return cause instanceof TokenClientError && cause.error === 'invalid_client'
}
