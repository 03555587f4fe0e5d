/** What an outage answers on each surface, to the letter. One assertion each: there are thousands. */
import type { Test } from 'tap'
import { AUTH_ERRORS } from '../../../src/core/errors.ts'
import type { ServerStatus } from '../../../src/index.ts'
import type { Answer, Surface } from '../behavior/endpoint.ts'
import { CLIENT, type Stage } from './surface-fixture.ts'

const CODE = 'ERR_KEYS_UNAVAILABLE'

/** Of the stage's one pool. */
export function poolStatus({ door }: Stage): ServerStatus['userPools'][number] {
  const [pool] = door.server.status().userPools
  if (pool === undefined) throw new Error('no pool')
  return pool
}

/**
 * 503 `ERR_KEYS_UNAVAILABLE` and nothing else, with a wait of whole seconds from 1 to 60.
 *
 * @returns Seconds to wait: Retry-After for callers; on Lambda, which has no such header, the store's value.
 */
export function expectUnavailable(
  t: Test,
  surface: Surface,
  stage: Stage,
  answer: Answer,
  when = 'it cannot be judged now',
): number {
  const { statusCode, error, message } = AUTH_ERRORS[CODE]
  const refused = { code: CODE, auth: undefined }
  if (surface.name.startsWith('Lambda')) {
    const { errorType, errorMessage } = answer.body as Record<string, unknown>
    const body = { errorType: 'AuthorizerError', errorMessage: message }
    const wanted = { ...refused, status: 500, headers: {}, body }
    t.strictSame({ ...answer, body: { errorType, errorMessage } }, wanted, when)
    return Math.max(1, Math.ceil(poolStatus(stage).nextAttempt as number))
  }
  const told = Math.trunc(Number(answer.headers['retry-after'])) || 0
  const wait = Math.min(60, Math.max(1, told))
  const headers = {
    'cache-control': 'no-store',
    'retry-after': String(wait),
    ...(surface.transport === 'http' && { 'content-type': 'application/json; charset=utf-8' }),
  }
  const body = { statusCode, code: CODE, error, message }
  t.strictSame(answer, { ...refused, status: statusCode, headers, body }, when)
  return wait
}

/** 200, for the caller the token was issued to. */
export function expectServed(t: Test, answer: Answer, when: string): void {
  t.match(answer, { status: 200, code: undefined, auth: { clientId: CLIENT } }, when)
}
