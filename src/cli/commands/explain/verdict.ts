/** What an API answers: the middleware itself is asked, with the keys that were had. */
import type { AuthError, AuthErrorBody } from '../../../core/errors.ts'
import { readOptions } from '../../../core/options/options.ts'
import { createCoreServer } from '../../../core/resource-server.ts'
import type { Expectations } from './checks.ts'

/** Stands for the pool: its issuers are replaced by the trusted ones. */
const PLACEHOLDER_POOL = { userPoolId: 'explained', issuer: 'https://explained.invalid' }

/** The refusal; undefined where the token is accepted. */
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
    // Nothing is asked again: the answers are those the checks had.
    fetch: async (url: unknown) => {
      const answer = keys.get(String(url))
      if (answer === undefined) throw new TypeError('not requested')
      if ('document' in answer) return Response.json(answer.document)
      const { status } = answer.error
      if (status === undefined) throw new TypeError('no response')
      return new Response(null, { status })
    },
  })
  // Not as options: a local pool, or an http issuer, is explained wherever this runs.
  const pools = options.pools.map((pool) => ({ ...pool, issuers: expectedIssuers.issuers }))
  const server = createCoreServer({ ...options, pools })
  await server.ready()
  const guard = server.guard(scopes.length === 0 ? {} : { scopes })
  const [decision] = await Promise.allSettled([(async () => guard(`Bearer ${token}`))()])
  server.close()
  // A guard throws nothing else.
  return decision.status === 'rejected' ? (decision.reason as AuthError).toJSON() : undefined
}
