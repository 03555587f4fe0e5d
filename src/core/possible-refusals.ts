/** Every refusal a route may answer, as it answers it: for documents about an API. */
import type { Refusals } from './challenge.ts'
import { type AuthError, type AuthErrorCode, answers } from './errors.ts'
import type { CompiledRequirement } from './requirement.ts'

/** In the order of the table of codes; what a `check` of the server's may say included. */
export function possibleRefusals(
  requirement: CompiledRequirement,
  { refuse, unavailable, headersOf }: Refusals,
): AuthError[] {
  const { allOf, anyOf, optional } = requirement
  const never = new Set<AuthErrorCode>()
  if (optional) never.add('ERR_TOKEN_MISSING')
  if (allOf.length + anyOf.length === 0) never.add('ERR_SCOPE_INSUFFICIENT')
  const headers = headersOf(requirement)
  const codes = Object.keys(answers) as AuthErrorCode[]
  return codes
    .filter((code) => !never.has(code))
    .map((code) =>
      code === 'ERR_KEYS_UNAVAILABLE' || code === 'ERR_CHECK_UNAVAILABLE'
        ? unavailable(code, 1000)
        : refuse(code, headers.get(code)),
    )
}
