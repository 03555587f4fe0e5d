/** `createRotationHandler`: a Lambda function for the rotation of AWS Secrets Manager. */
import {
  describeValue,
  OptionError,
  omitUndefined,
  readMembers,
} from '../../core/options/validate.ts'
import { RotationError } from './errors.ts'
import {
  type RotationOptions,
  type RotationTargetOptions,
  readTargetOptions,
  TARGET_OPTION_NAMES,
} from './options.ts'
import type { RotatingSecret } from './plan.ts'
import { Rotation } from './rotation.ts'
import {
  isCurrentVersion,
  type SecretsManagerOperations,
  type SecretsManagerStoreOptions,
  secretsManagerStore,
} from './secrets-manager-store.ts'

/** Options of {@link createRotationHandler}. */
export interface RotationHandlerOptions extends RotationTargetOptions {
  /** `new SecretsManager({ region })` of `@aws-sdk/client-secrets-manager`. */
  readonly secretsManager: SecretsManagerOperations
  /** ARN of the secret. Events with another `SecretId` are rejected. */
  readonly secretId: string
  /**
   * Name of the member with the client secret, if the secret is a JSON object. Other members are copied to the new version.
   *
   * @defaultValue The secret is the client secret as plain text
   */
  readonly field?: string
}

/** Event of a rotation, or a scheduled event of EventBridge, which has none of these members. */
export interface RotationHandlerEvent {
  readonly Step?: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret'
  readonly SecretId?: string
  /** `VersionId` of the pending secret. */
  readonly ClientRequestToken?: string
}

/**
 * Creates the handler of a Lambda function that Secrets Manager calls to rotate a client secret. No invocation waits for
 * the grace period. A scheduled event deletes the old secret after it, and so does the first step of the next rotation.
 *
 * @param options `cognito`, `secretsManager`, `secretId`, `userPoolId`, `clientId`, and `tokenEndpoint` or `userPoolsApi`
 *   are required.
 * @returns The handler. It rejects with {@link RotationError}, and Secrets Manager calls it again.
 * @throws {OptionError} `ERR_OPTION_INVALID` for an invalid option.
 * @example
 * ```ts
 * export const handler = createRotationHandler({
 *   cognito: new CognitoIdentityProvider(),
 *   secretsManager: new SecretsManager(),
 *   secretId: process.env['SECRET_ARN'] ?? '',
 *   userPoolId: 'eu-west-1_AbCdEfGhI',
 *   clientId: '5kek0i61pgkokoob4fsm9fo9it',
 *   tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
 * })
 * ```
 * @see docs/rotation.md
 */
export function createRotationHandler(
  options: RotationHandlerOptions,
): (event: RotationHandlerEvent) => Promise<void> {
  const names = [...TARGET_OPTION_NAMES, 'secretsManager', 'secretId', 'field']
  const members = readMembers(options, names, '')
  const target = readTargetOptions(members)
  const { secretsManager, secretId, field } = members
  const location = omitUndefined<SecretsManagerStoreOptions>({
    secretsManager: secretsManager as SecretsManagerOperations,
    secretId: secretId as string,
    field: field as string | undefined,
  })
  // Validates them.
  const store = secretsManagerStore(location)
  return async (event) => {
    const { Step, SecretId, ClientRequestToken } = event
    if (Step === undefined) {
      await deleteOldSecret(createRotation(target, store))
      return
    }
    if (SecretId !== secretId) {
      throw new OptionError(
        'SecretId',
        `expected ${secretId}, got ${describeValue(SecretId)}. Set the function for this secret only.`,
      )
    }
    const versionId = ClientRequestToken as string
    const rotation = createRotation(target, secretsManagerStore({ ...location, versionId }))
    await runStep(Step, rotation, () => isCurrentVersion(location, versionId))
  }
}

function createRotation(
  target: Omit<RotationOptions, 'store' | 'signal' | 'onStep'>,
  store: RotationOptions['store'],
): Rotation {
  const { signal } = new AbortController()
  return new Rotation({ ...target, store, signal, onStep: () => {} })
}

/** Secrets Manager may call each step more than once. */
async function runStep(
  step: NonNullable<RotationHandlerEvent['Step']>,
  rotation: Rotation,
  isComplete: () => Promise<boolean>,
): Promise<void> {
  switch (step) {
    case 'createSecret':
      return createSecret(rotation, isComplete)
    case 'setSecret':
      return setSecret(rotation)
    case 'testSecret':
      return testSecret(rotation)
    case 'finishSecret':
      return finishSecret(rotation)
    default:
      throw new OptionError(
        'Step',
        `expected a step of a rotation, got ${describeValue(step)}. Call the function from Secrets Manager.`,
      )
  }
}

async function createSecret(rotation: Rotation, isComplete: () => Promise<boolean>): Promise<void> {
  await deleteOldSecret(rotation)
  // Secrets Manager repeats all steps if it got no response to the last one.
  if (await isComplete()) return
  const plan = await rotation.inspect()
  if (plan.kind === 'promoted') {
    throw new RotationError('ERR_ROTATION_CONFLICT', {
      detail: `The grace period of the last rotation ends in ${rotation.getGraceS(plan.secret)} s. Rotate again after it`,
    })
  }
  if (plan.kind === 'new') await rotation.createPending(plan.current, plan.replaces)
  // Copies a pending secret of a failed rotation to the version of this one.
  else await rotation.resume(plan)
}

async function setSecret(rotation: Rotation): Promise<void> {
  const plan = await rotation.inspect()
  if (plan.kind === 'pending' && !plan.isAdded) await rotation.add(plan.secret)
}

async function testSecret(rotation: Rotation): Promise<void> {
  const secret = await findAdded(rotation)
  if (secret !== undefined) await rotation.test(secret)
}

async function finishSecret(rotation: Rotation): Promise<void> {
  const secret = await findAdded(rotation)
  if (secret !== undefined) await rotation.promote(secret, false)
  await deleteOldSecret(rotation)
}

/** @returns Undefined after the promotion. */
async function findAdded(rotation: Rotation): Promise<RotatingSecret | undefined> {
  const plan = await rotation.inspect()
  if (plan.kind !== 'pending') return undefined
  if (plan.isAdded) return plan.secret
  throw new RotationError('ERR_ROTATION_SECRETS', {
    detail: 'The app client does not have the pending secret. Start the rotation again',
  })
}

/** Deletes the old secret if its grace period is over. */
async function deleteOldSecret(rotation: Rotation): Promise<void> {
  const plan = await rotation.inspect()
  if (plan.kind !== 'promoted') return
  const { secret } = plan
  // An earlier invocation ended before it had saved the time of the promotion.
  if (secret.rotation.promotedAt === undefined) await rotation.promote(secret, false)
  if (rotation.getGraceS(secret) > 0) return
  await rotation.test(secret)
  await rotation.deleteOld(secret)
}
