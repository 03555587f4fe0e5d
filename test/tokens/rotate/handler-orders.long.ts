/**
 * Secrets Manager calls the steps of its function in any order, some at once, and invocations end at a random call of the SDK.
 * An operator rolls the secret back, saves it again, and deletes secrets. The current secret of the store is always valid, and
 * the next rotation completes or names the rollback.
 */
import t from 'tap'
import {
  createRotationHandler,
  type RotationHandlerEvent,
  rotateClientSecret,
  secretsManagerStore,
} from '../../../src/tokens/rotate/index.ts'
import { createRandom } from '../../support/random.ts'
import { deleteSecret, intercept, KilledError } from '../../support/rotation.ts'
import { STEPS, setUpHandler } from '../../support/rotation-handler.ts'
import { sampleSize } from '../../support/sample.ts'
import { ARN, moveCurrent } from '../../support/secret-stores.ts'

const EVENTS = 30
const WEEK_MS = 7 * 86_400_000

const total = sampleSize('rotations by functions', { complete: 200, sampled: 60 })

t.test('the current secret is always valid', { timeout: 3_600_000 }, async (t) => {
  let rollbacks = 0
  for (let seed = 1; seed <= total; seed += 1) {
    const world = await setUpHandler(t)
    const { pool, cognito, clock, options, secretsManager, begin } = world
    const random = createRandom(seed * 104_729)
    const trace: string[] = []
    let isValid = true
    const getSecrets = (): readonly string[] => pool.clients[0]?.clientSecrets ?? []
    const readCurrent = (): string => String(secretsManager.valueOf('AWSCURRENT'))
    const check = (after: string): void => {
      trace.push(after)
      if (isValid && !getSecrets().includes(readCurrent())) {
        isValid = false
        t.fail(`seed ${seed}\n${trace.slice(-40).join('\n')}`)
      }
    }
    const tokens = [begin()]
    const createOnCall = () => {
      const killedAt = random(3) === 0 ? random(15) : -1
      let count = -1
      return async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
        count += 1
        if (killedAt >= 0 && count > killedAt) throw new KilledError()
        const result = await call()
        check(name)
        if (count === killedAt) throw new KilledError()
        return result
      }
    }
    const sleep = async (milliseconds: number): Promise<void> => {
      clock.now += milliseconds
    }
    const target = () => {
      const onCall = createOnCall()
      return {
        cognito: intercept(cognito, onCall),
        secretsManager: intercept(secretsManager, onCall),
        sleep,
      }
    }
    const call = async (event: RotationHandlerEvent): Promise<unknown> => {
      trace.push(Object.values(event).join(' '))
      return createRotationHandler({ ...options, ...target() })(event).catch((error) => {
        trace.push(String(error.message))
      })
    }
    const runCommand = async (): Promise<unknown> => {
      const { secretsManager: client, ...changes } = target()
      const { secretsManager: _, secretId: __, ...others } = options
      const store = secretsManagerStore({ secretsManager: client, secretId: ARN })
      trace.push('command')
      return rotateClientSecret({ ...others, ...changes, store }).catch((error) => {
        trace.push(String(error.message))
      })
    }
    const operate = async (): Promise<void> => {
      const kind = random(4)
      trace.push(`operator ${kind}`)
      if (kind === 0) {
        const other = secretsManager.versions.find(
          ({ stages, value }) => !stages.has('AWSCURRENT') && getSecrets().includes(String(value)),
        )
        if (other === undefined || random(3) > 0) return
        await moveCurrent(secretsManager, other.id)
      }
      if (kind === 1) {
        await secretsManager.putSecretValue({
          SecretId: ARN,
          ClientRequestToken: `ed170000-0000-4000-8000-${String(trace.length).padStart(12, '0')}`,
          SecretString: readCurrent(),
          VersionStages: ['AWSCURRENT'],
        })
      }
      if (kind === 2) tokens.push(begin())
      if (kind === 3) {
        const index = getSecrets().findIndex((value) => value !== readCurrent())
        if (getSecrets().length < 2 || index === -1 || random(3) > 0) return
        await deleteSecret(world, index)
      }
      check('operator')
    }
    let step = -1
    const next = async (): Promise<unknown> => {
      const kind = random(10)
      if (kind === 0) return runCommand()
      if (kind === 1) return call({})
      const token =
        tokens[tokens.length - 1 - (random(4) === 0 ? random(Math.min(2, tokens.length)) : 0)]
      step = random(3) === 0 ? random(4) : (step + 1) % 4
      const Step = STEPS[step] as (typeof STEPS)[number]
      return call({ Step, SecretId: ARN, ClientRequestToken: token as string })
    }
    for (let index = 0; index < EVENTS; index += 1) {
      const kind = random(6)
      if (kind === 0) await Promise.all([next(), next()])
      else if (kind === 1) await operate()
      else if (kind === 2) clock.now += random(3) * 100_000_000
      else await next()
    }
    clock.now += WEEK_MS
    const { secretsManager: _, secretId: __, ...others } = options
    const store = secretsManagerStore({ secretsManager, secretId: ARN })
    const last = await rotateClientSecret({ ...others, sleep, store }).catch(
      (error: unknown) => error,
    )
    check('the last run')
    if (last instanceof Error) {
      rollbacks += 1
      t.match(last, { message: /was rolled back/ }, `seed ${seed}`)
    } else if (getSecrets().length !== 1) t.fail(`seed ${seed}: two secrets`)
  }
  t.ok(rollbacks < total / 4, `${rollbacks} rollbacks`)
})
