/** Decides where a run starts: from the content of the store and the secrets of the app client. */
import { RotationError } from './errors.ts'
import type { RotationState, RotationStep, StoredSecret, StoredSecrets } from './types.ts'

/** A secret whose rotation is incomplete. */
export type RotatingSecret = StoredSecret & { readonly rotation: RotationState }

/** Where a run starts. */
export type RotationPlan =
  /** A new rotation. */
  | { readonly kind: 'new'; readonly replaces: string }
  /** A rotation before its promotion. */
  | { readonly kind: 'pending'; readonly secret: RotatingSecret; readonly isAdded: boolean }
  /** A rotation after its promotion: the old secret still exists. */
  | { readonly kind: 'promoted'; readonly secret: RotatingSecret }

/**
 * Cognito never returns values of secrets. The old secret is therefore identified by its ID, which the store has saved
 * with the new value before the new secret was added.
 *
 * @param ids `ClientSecretId` of each secret of the app client.
 * @param now Epoch seconds.
 * @throws {RotationError} `ERR_ROTATION_CONFLICT` or `ERR_ROTATION_SECRETS`.
 */
export function planRotation(
  { current, pending }: StoredSecrets,
  ids: readonly string[],
  now: number,
): RotationPlan {
  if (pending !== undefined) return planPending(pending, ids, now)
  const { rotation } = current
  assertNotHeld(rotation, now)
  if (rotation !== undefined && ids.length === 2 && ids.includes(rotation.replaces)) {
    return { kind: 'promoted', secret: { ...current, rotation } }
  }
  const [replaces] = ids
  if (replaces !== undefined && ids.length === 1) return { kind: 'new', replaces }
  throw new RotationError('ERR_ROTATION_SECRETS', {
    detail:
      replaces === undefined
        ? 'The app client has no secret. Use an app client with a secret'
        : `The app client has the secrets ${ids.join(' and ')}, and the store does not know which one is old. Delete the one that no caller uses`,
  })
}

function planPending(pending: StoredSecret, ids: readonly string[], now: number): RotationPlan {
  const { rotation } = pending
  if (rotation === undefined) {
    throw new RotationError('ERR_ROTATION_CONFLICT', {
      detail: 'The store has a pending secret of another tool. Complete or remove it',
    })
  }
  assertNotHeld(rotation, now)
  const { replaces } = rotation
  if (ids.includes(replaces)) {
    return { kind: 'pending', secret: { ...pending, rotation }, isAdded: ids.length > 1 }
  }
  throw new RotationError('ERR_ROTATION_SECRETS', {
    detail: `The pending secret replaces ${replaces}, which the app client no longer has. Remove the pending secret from the store`,
  })
}

/** @throws {RotationError} `ERR_ROTATION_CONFLICT` while another run may be active. */
function assertNotHeld(rotation: RotationState | undefined, now: number): void {
  const heldUntil = rotation?.heldUntil
  if (heldUntil === undefined || heldUntil <= now) return
  throw new RotationError('ERR_ROTATION_CONFLICT', {
    detail: `Another run holds it until ${formatTime(heldUntil)}. Run again after that time`,
  })
}

/** @param seconds Epoch seconds. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

/** Lists the steps of a run. */
export function listSteps(plan: RotationPlan): readonly RotationStep[] {
  switch (plan.kind) {
    case 'new':
      return ['pending', 'add', 'test', 'promote', 'grace', 'delete']
    case 'pending':
      return plan.isAdded
        ? ['test', 'promote', 'grace', 'delete']
        : ['add', 'test', 'promote', 'grace', 'delete']
    case 'promoted':
      return ['test', 'grace', 'delete']
  }
}
