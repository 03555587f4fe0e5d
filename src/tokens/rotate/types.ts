/** Public types of a rotation: the store of the secret, the operations of Cognito, steps and results. */

/** A client secret in a store. */
export interface StoredSecret {
  /** The client secret. */
  readonly value: string
  /** The state of the rotation to this secret. Absent once the rotation is complete. */
  readonly rotation?: RotationState | undefined
}

/** What a later run needs to resume a rotation. Contains no secret. */
export interface RotationState {
  /** `ClientSecretId` of the secret that this one replaces. The last step deletes it. */
  readonly replaces: string
  /** Other runs refuse to start until then, in epoch seconds. Absent if no run is active. */
  readonly heldUntil?: number | undefined
  /** Random ID of the run that is active. Only this run ends `heldUntil` early. Absent if no run is active. */
  readonly heldBy?: string | undefined
  /**
   * Time of the promotion in epoch seconds. Absent before it. If the secret is not the current one although it has this time,
   * the rotation was rolled back.
   */
  readonly promotedAt?: number | undefined
}

/** Content of a {@link ClientSecretStore}. */
export interface StoredSecrets {
  /** The secret that callers load. */
  readonly current: StoredSecret
  /** The secret of a rotation before its promotion, or after a rollback of it. */
  readonly pending?: StoredSecret | undefined
  /** Command that removes the pending secret. Messages contain it, so it has no secret. */
  readonly pendingRemoval?: string | undefined
}

/**
 * Where callers load the client secret. `secretsManagerStore` and `ssmStore` implement it. A custom store saves
 * {@link RotationState} with each value, so that another process can resume. Messages contain the name of its errors, and
 * none of their text.
 */
export interface ClientSecretStore {
  /** Returns the current secret and the pending one. */
  get(): Promise<StoredSecrets>
  /**
   * Saves a pending secret. If the same value is pending, it replaces its state.
   *
   * @returns False if another value is pending, or if this one is the current one. Also if the current one has a state with
   *   the same `replaces`: another run has promoted it. The check and the write must be one atomic operation, or two runs
   *   may start at once.
   */
  putPending(secret: StoredSecret): Promise<boolean>
  /**
   * Makes the pending secret the current one, with the given state. If the value is current already, it replaces its
   * state.
   *
   * @returns False if the value is neither pending nor current, and if another value is pending.
   */
  promote(secret: StoredSecret): Promise<boolean>
}

/** Names an app client. */
interface AppClientInput {
  readonly UserPoolId: string
  readonly ClientId: string
}

/**
 * The operations of Cognito for client secrets. `CognitoIdentityProvider` of `@aws-sdk/client-cognito-identity-provider`
 * has them.
 */
export interface CognitoSecretOperations {
  listUserPoolClientSecrets(input: AppClientInput): Promise<{
    readonly ClientSecrets?: readonly { readonly ClientSecretId?: string | undefined }[] | undefined
  }>
  addUserPoolClientSecret(
    input: AppClientInput & { readonly ClientSecret: string },
  ): Promise<unknown>
  deleteUserPoolClientSecret(
    input: AppClientInput & { readonly ClientSecretId: string },
  ): Promise<unknown>
}

/**
 * A step of a rotation, in this order:
 *
 * - `pending`: generates the secret and saves it as pending
 * - `add`: adds it to the app client
 * - `test`: gets a token with it in every Region
 * - `promote`: makes it the current secret of the store
 * - `grace`: waits until callers have loaded it
 * - `delete`: deletes the old secret
 */
export type RotationStep = (typeof ROTATION_STEPS)[number]

/** All steps in their order. */
export const ROTATION_STEPS = ['pending', 'add', 'test', 'promote', 'grace', 'delete'] as const

/** The start of a step. Contains no secret. */
export interface RotationEvent {
  readonly step: RotationStep
  /** End of the step `grace` in epoch seconds. */
  readonly until?: number
}

/** Result of a rotation. Contains no secret. */
export interface RotationResult {
  /** Whether the run continued a rotation that another run had started. */
  readonly resumed: boolean
  /** Steps of this run. With `dryRun`, the steps that a run would take. */
  readonly steps: readonly RotationStep[]
  /** `ClientSecretId` of the new secret. null with `dryRun`. */
  readonly secretId: string | null
  /** `ClientSecretId` of the old secret. With `dryRun`, it was not deleted. */
  readonly oldSecretId: string
}
