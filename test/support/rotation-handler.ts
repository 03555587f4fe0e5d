/** Set-up of the Lambda function for Secrets Manager: a local pool, a secret, and what Secrets Manager does to start a rotation. */
import type { Test } from 'tap'
import {
  createRotationHandler,
  type RotationHandlerEvent,
  type RotationHandlerOptions,
} from '../../src/tokens/rotate/index.ts'
import { FakeSecretsManager } from './aws-fakes.ts'
import { FIRST_SECRET, setUpRotation } from './rotation.ts'
import { ARN, removePending } from './secret-stores.ts'

export const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const

export async function setUpHandler(t: Test, changes: Partial<RotationHandlerOptions> = {}) {
  const world = await setUpRotation(t)
  const { store: _, ...target } = world.options
  const secretsManager = new FakeSecretsManager(FIRST_SECRET)
  const options = { ...target, secretsManager, secretId: ARN, ...changes }
  const handler = createRotationHandler(options)
  let count = 0
  /** Moves AWSPENDING to a version without a value. */
  const begin = (): string => {
    count += 1
    const id = `c0ffee00-0000-4000-8000-${String(count).padStart(12, '0')}`
    removePending(secretsManager)
    secretsManager.versions.push({ id, value: undefined, stages: new Set(['AWSPENDING']) })
    return id
  }
  const call = (Step: RotationHandlerEvent['Step'] & string, ClientRequestToken: string) =>
    handler({ Step, SecretId: ARN, ClientRequestToken })
  const findVersion = (id: string) => secretsManager.versions.find((it) => it.id === id)
  return { ...world, secretsManager, options, handler, begin, call, findVersion }
}
