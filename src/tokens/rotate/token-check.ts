/** Tests a client secret: gets a token with it at each token API. */

import { omitUndefined } from '../../core/options/validate.ts'
import {
  createTokenClient,
  type TokenClientError,
  type TokenClientErrorCode,
  type TokenClientOptions,
} from '../client/index.ts'
import { RotationError } from './errors.ts'
import type { RotationOptions, TokenApiOptions } from './options.ts'
import type { RotationStep } from './types.ts'

/** Seconds before each further attempt: a new secret reaches all servers of Cognito late. */
const RETRY_DELAYS_S = [1, 2, 4, 8, 16, 30, 30]
/** Longest wait of one attempt in seconds. */
const ATTEMPT_TIMEOUT_S = 10

const TRANSIENT: ReadonlySet<TokenClientErrorCode> = new Set([
  'ERR_TOKEN_REQUEST_NETWORK',
  'ERR_TOKEN_REQUEST_TIMEOUT',
  'ERR_TOKEN_REQUEST_STATUS',
  'ERR_TOKEN_TIMEOUT',
])

/** Options of {@link checkSecret}. */
type CheckOptions = Pick<RotationOptions, 'apis' | 'clientId' | 'fetch' | 'sleep' | 'signal'>

/**
 * Gets a token at each API. Retries for 91 s while the API is not available, and while a new secret is unknown.
 *
 * @param step The step `test` of a new secret.
 * @throws {RotationError} `ERR_ROTATION_TOKEN`.
 * @throws The reason of the signal after an abort.
 */
export async function checkSecret(
  value: string,
  options: CheckOptions,
  step?: RotationStep,
): Promise<void> {
  for (const api of options.apis) await checkAtApi(api, value, options, step)
}

async function checkAtApi(
  api: TokenApiOptions,
  value: string,
  { clientId, fetch, sleep, signal }: CheckOptions,
  step: RotationStep | undefined,
): Promise<void> {
  const credentials = { ...api, clientId, clientSecret: value }
  const delaysS = [...RETRY_DELAYS_S]
  for (;;) {
    signal.throwIfAborted()
    const error = await tryToken(omitUndefined<TokenClientOptions>({ ...credentials, fetch }))
    if (error === undefined) return
    const delayS = isRetryable(error, step) ? delaysS.shift() : undefined
    if (delayS === undefined) {
      const { message } = error
      throw new RotationError('ERR_ROTATION_TOKEN', { step, detail: message, cause: error })
    }
    await sleep(delayS * 1000, signal)
  }
}

/** Each attempt has its own client, because a client waits longer after each failure. */
async function tryToken(options: TokenClientOptions): Promise<TokenClientError | undefined> {
  const client = createTokenClient(options)
  const error = await client.getToken({ timeout: ATTEMPT_TIMEOUT_S }).then(
    () => undefined,
    (reason: TokenClientError) => reason,
  )
  client.close()
  return error
}

function isRetryable({ code, error }: TokenClientError, step: RotationStep | undefined): boolean {
  return (error === 'invalid_client' && step === 'test') || TRANSIENT.has(code)
}
