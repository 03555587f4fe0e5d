/** Decides where a run starts: from the content of the store and the secrets of the app client. */
import { RotationError } from './errors.ts'
import { HOLD_S, MAX_GRACE } from './limits.ts'
import type { RotationState, RotationStep, StoredSecret, StoredSecrets } from './types.ts'

/** A secret whose rotation is incomplete. */
export type RotatingSecret = StoredSecret & { readonly rotation: RotationState }

/** Where a run starts. */
export type RotationPlan =
  /** A new rotation. */
  | { readonly kind: 'new'; readonly replaces: string; readonly current: string }
  /** A rotation before its promotion. */
  | { readonly kind: 'pending'; readonly secret: RotatingSecret; readonly isAdded: boolean }
  /** A rotation after its promotion: the old secret still exists. */
  | { readonly kind: 'promoted'; readonly secret: RotatingSecret }

/** What a plan depends on, besides the store. */
export interface PlanFacts {
  /** `ClientSecretId` of each secret of the app client. */
  readonly ids: readonly string[]
  readonly clientId: string
  /** Epoch seconds. */
  readonly now: number
}

/**
 * Cognito never returns values of secrets. The old secret is therefore identified by its ID, which the store has saved
 * with the new value before the new secret was added.
 *
 * @throws {RotationError} `ERR_ROTATION_CONFLICT` or `ERR_ROTATION_SECRETS`.
 */
export function planRotation(secrets: StoredSecrets, facts: PlanFacts): RotationPlan {
  const { current, pending } = secrets
  if (pending !== undefined) return planPending(pending, secrets.pendingRemoval, facts)
  const { rotation } = current
  const { ids, now } = facts
  assertNotHeld(rotation, now)
  if (rotation !== undefined && ids.length === 2 && ids.includes(rotation.replaces)) {
    return { kind: 'promoted', secret: { ...current, rotation } }
  }
  const [replaces] = ids
  if (replaces !== undefined && ids.length === 1)
    return { kind: 'new', replaces, current: current.value }
  throw new RotationError('ERR_ROTATION_SECRETS', {
    detail:
      replaces === undefined
        ? 'The app client has no secret. Use an app client with a secret'
        : `The app client has the secrets ${ids.join(' and ')}, and the store does not know which one is old. Delete the one that no caller uses`,
  })
}

function planPending(
  pending: StoredSecret,
  removal: string | undefined,
  { ids, clientId, now }: PlanFacts,
): RotationPlan {
  const { value, rotation } = pending
  const remove = `the pending secret from the store${removal === undefined ? '' : `: ${removal}`}`
  if (rotation === undefined) {
    throw new RotationError('ERR_ROTATION_CONFLICT', {
      detail: `The store has a pending secret of another tool. Complete its rotation, or remove ${remove}`,
    })
  }
  assertNotHeld(rotation, now)
  const { replaces, promotedAt } = rotation
  const [, owner = clientId] = /^(.+)--\d+$/.exec(replaces) ?? []
  if (owner !== clientId) {
    throw new RotationError('ERR_ROTATION_SECRETS', {
      detail: `The pending secret is of another app client, ${owner}. Check the client ID and the store`,
    })
  }
  if (!ids.includes(replaces)) {
    throw new RotationError('ERR_ROTATION_SECRETS', {
      detail: `The pending secret replaces ${replaces}, which the app client no longer has. If it gets a token, make it the current secret. Otherwise remove ${remove}`,
    })
  }
  const others = ids.filter((id) => id !== replaces)
  if (promotedAt === undefined) {
    return { kind: 'pending', secret: { value, rotation }, isAdded: others.length > 0 }
  }
  if (others.length > 0) throw createRollbackError(others.join(' and '))
  // The new secret was deleted after the rollback. The rotation begins again, with its own grace period.
  return { kind: 'pending', secret: { value, rotation: { replaces } }, isAdded: false }
}

/** The store has the old secret again, although the new one was promoted. */
export function createRollbackError(newId: string, step?: RotationStep): RotationError {
  return new RotationError('ERR_ROTATION_SECRETS', {
    step,
    detail: `The rotation was rolled back: the current secret of the store is no longer the new one. Delete the secret ${newId} from the app client, or make it the current one again, then run again`,
  })
}

/**
 * Longest time for which a run holds a rotation in seconds. A later end was written by another tool, or under a wrong clock.
 */
const MAX_HOLD_S = MAX_GRACE + HOLD_S

/** @throws {RotationError} `ERR_ROTATION_CONFLICT` while another run may be active. */
function assertNotHeld(rotation: RotationState | undefined, now: number): void {
  const heldUntil = rotation?.heldUntil
  if (heldUntil === undefined || heldUntil <= now || heldUntil > now + MAX_HOLD_S) return
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
