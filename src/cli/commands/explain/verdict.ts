/** Gets the response of an API by running the middleware with the loaded keys. */
import type { AuthError, AuthErrorBody } from '../../../core/errors.ts'
import { readOptions } from '../../../core/options/options.ts'
import { createCoreServer } from '../../../core/resource-server.ts'
import type { Expectations } from './checks.ts'

/** Placeholder of the pool. The trusted issuers replace its issuers. */
const PLACEHOLDER_POOL = { userPoolId: 'explained', issuer: 'https://explained.invalid' }

/** Gets the error of an API. Undefined if it accepts the token. */
export async function getAuthError(
  token: string,
  {
    expectedIssuers,
    keys,
    clientIds,
    subjects,
    audience,
    scopes,
    clockTolerance,
    now,
  }: Expectations,
): Promise<AuthErrorBody | undefined> {
  const options = readOptions({
    ...PLACEHOLDER_POOL,
    clientId: clientIds ?? null,
    subjects,
    audience: audience ?? null,
    clockTolerance,
    now: () => now,
    monotonicNow: () => 0,
    // Sends no request: the responses are the same as in the checks.
    fetch: async (url: unknown) => {
      const answer = keys.get(String(url))
      if (answer === undefined) throw new TypeError('not requested')
      if ('document' in answer) return Response.json(answer.document)
      const { status } = answer.error
      if (status === undefined) throw new TypeError('no response')
      return new Response(null, { status })
    },
  })
  // Not passed as options, which reject local pools and http issuers in production.
  const pools = options.pools.map((pool) => ({ ...pool, issuers: expectedIssuers.issuers }))
  const server = createCoreServer({ ...options, pools })
  await server.ready()
  const guard = server.guard(scopes.length === 0 ? {} : { scopes })
  const [decision] = await Promise.allSettled([(async () => guard(`Bearer ${token}`))()])
  server.close()
  // A guard throws only AuthError.
  return decision.status === 'rejected' ? (decision.reason as AuthError).toJSON() : undefined
}
