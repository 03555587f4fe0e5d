/**
 * `cognito-m2m/rotate`: rotates the secret of an app client, with the old and the new one valid at the same time.
 *
 * @module
 */
export type { RotationErrorCode } from './errors.ts'
export { RotationError } from './errors.ts'
export type { RotateClientSecretOptions } from './options.ts'
export { rotateClientSecret } from './rotate-client-secret.ts'
export type { RotationHandlerEvent, RotationHandlerOptions } from './rotation-handler.ts'
export { createRotationHandler } from './rotation-handler.ts'
export type {
  SecretsManagerOperations,
  SecretsManagerStoreOptions,
} from './secrets-manager-store.ts'
export { secretsManagerStore } from './secrets-manager-store.ts'
export type { ParameterStoreOperations, SsmStoreOptions } from './ssm-store.ts'
export { ssmStore } from './ssm-store.ts'
export type {
  ClientSecretStore,
  CognitoSecretOperations,
  RotationEvent,
  RotationResult,
  RotationState,
  RotationStep,
  StoredSecret,
  StoredSecrets,
} from './types.ts'
