/** Helpers of tests over every surface: the loop, the response of each code, waiting for a state. */
import { setImmediate } from 'node:timers/promises'
import type { Test } from 'tap'
import { AUTH_ERRORS } from '../../../src/core/errors.ts'
import type { AuthErrorCode } from '../../../src/index.ts'
import type { Answer, Door, Surface } from '../behavior/endpoint.ts'
import { surfacesFor } from '../behavior/surfaces.ts'

/** Milliseconds of real time after which a state that was waited for counts as never reached. */
const PATIENCE = 120_000

/** One subtest per surface, under the surface's name. */
export function onEverySurface(
  t: Test,
  behaviour: string,
  prove: (t: Test, surface: Surface) => Promise<void>,
): void {
  t.test(behaviour, async (t) => {
    for (const surface of surfacesFor(behaviour)) {
      await t.test(surface.name, (t) => prove(t, surface))
    }
  })
}

/** Ends once `reached` says so; turns of the event loop, no sleep. */
export async function until(reached: () => boolean): Promise<void> {
  const begun = performance.now()
  while (!reached()) {
    if (performance.now() - begun > PATIENCE) throw new Error(`never reached: ${reached}`)
    await setImmediate()
  }
}

/** The state of a pool's keys, the only pool's where none is named. */
export function keysOf({ server }: Door, pool = 0) {
  const status = server.status().userPools[pool]
  if (status === undefined) throw new Error(`no pool ${pool}`)
  return status
}

export function isReached(t: Test, answer: Answer, name: string): void {
  t.strictSame([answer.status, answer.code], [200, undefined], name)
}

/**
 * Status, headers, body and code of a refusal to the letter. API Gateway answers for an authorizer:
 * it takes 401, a Deny (403), and makes 500 of a 503, without headers of this package.
 */
export function isRefused(
  t: Test,
  { name: surface, transport }: Surface,
  answer: Answer,
  code: AuthErrorCode,
  name: string,
): void {
  const { statusCode, error, message, challenge } = AUTH_ERRORS[code]
  if (surface.startsWith('Lambda')) {
    const status = statusCode === 503 ? 500 : statusCode
    t.strictSame([answer.status, answer.code, answer.headers], [status, code, {}], name)
    return
  }
  const { 'retry-after': retryAfter, ...headers } = answer.headers
  const decided: Record<string, string> = { 'cache-control': 'no-store' }
  if (challenge === 'bare') decided['www-authenticate'] = 'Bearer realm="api"'
  else if (challenge !== 'none') {
    decided['www-authenticate'] =
      `Bearer realm="api", error="${challenge}", error_description="${message}"`
  }
  if (transport === 'http') decided['content-type'] = 'application/json; charset=utf-8'
  t.strictSame(
    { status: answer.status, code: answer.code, headers, body: answer.body, auth: answer.auth },
    {
      status: statusCode,
      code,
      headers: decided,
      body: { statusCode, code, error, message },
      auth: undefined,
    },
    name,
  )
  if (statusCode === 503) t.match(retryAfter, /^([1-9]|[1-5]\d|60)$/, `${name}: Retry-After`)
  else t.equal(retryAfter, undefined, `${name}: no Retry-After`)
}
