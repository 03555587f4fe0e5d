/** `rotateClientSecret`: replaces the secret of an app client without an interruption of its callers. */
import { type RotateClientSecretOptions, readRotateOptions } from './options.ts'
import { listSteps, type RotatingSecret, type RotationPlan } from './plan.ts'
import { Rotation } from './rotation.ts'
import type { RotationResult } from './types.ts'

/**
 * Rotates the secret of an app client, or resumes a rotation that was interrupted. It saves a new secret as pending, adds
 * it to the app client, and gets a token with it in each Region. Then it makes it the current secret of the store, waits for
 * the grace period, and deletes the old secret. Both secrets are valid from the second step to the last.
 *
 * It deletes nothing if the store has the old secret as its current one again, after a rollback.
 *
 * A run that fails or is aborted can be resumed at once by another call. After a process was killed, calls reject with
 * `ERR_ROTATION_CONFLICT` for 15 minutes, or until 15 minutes after the grace period.
 *
 * @param options `cognito`, `userPoolId`, `clientId`, `store`, and `tokenEndpoint` or `userPoolsApi` are required.
 * @returns The steps and the IDs of both secrets. No secret.
 * @throws {RotationError} One of {@link RotationErrorCode}. Nothing was deleted, unless the step `delete` failed.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option.
 * @throws The reason of `signal` after an abort.
 * @example
 * ```ts
 * await rotateClientSecret({
 *   cognito: new CognitoIdentityProvider({ region: 'eu-west-1' }),
 *   store: secretsManagerStore({ secretsManager: new SecretsManager(), secretId: 'prod/orders-client' }),
 *   userPoolId: 'eu-west-1_AbCdEfGhI',
 *   clientId: '5kek0i61pgkokoob4fsm9fo9it',
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 * })
 * ```
 * @see docs/rotation.md
 */
export async function rotateClientSecret(
  options: RotateClientSecretOptions,
): Promise<RotationResult> {
  const { dryRun, ...rotationOptions } = readRotateOptions(options)
  const rotation = new Rotation(rotationOptions)
  const plan = await rotation.inspect()
  const resumed = plan.kind !== 'new'
  if (dryRun) {
    return { resumed, steps: listSteps(plan), secretId: null, oldSecretId: getOldId(plan) }
  }
  try {
    await runSteps(rotation, plan)
  } catch (error) {
    await rotation.release()
    throw error
  }
  const { steps, newId } = rotation
  return { resumed, steps, secretId: newId, oldSecretId: getOldId(plan) }
}

async function runSteps(rotation: Rotation, plan: RotationPlan): Promise<void> {
  const secret = await start(rotation, plan)
  const isAdded = plan.kind === 'promoted' || (plan.kind === 'pending' && plan.isAdded)
  if (!isAdded) await rotation.add(secret)
  await rotation.test(secret)
  const promoted = plan.kind === 'promoted' ? secret : await rotation.promote(secret)
  await rotation.waitForGrace(promoted)
  await rotation.deleteOld(promoted)
}

async function start(rotation: Rotation, plan: RotationPlan): Promise<RotatingSecret> {
  return plan.kind === 'new'
    ? rotation.createPending(plan.current, plan.replaces)
    : rotation.resume(plan)
}

function getOldId(plan: RotationPlan): string {
  return plan.kind === 'new' ? plan.replaces : plan.secret.rotation.replaces
}
