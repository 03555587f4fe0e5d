/** What a requirement asks for, in OpenAPI's terms. */
import type { CompiledRequirement } from '../../core/requirement.ts'
import type { SecurityRequirement } from './objects.ts'

/**
 * All scopes: one requirement that lists them. Any: an alternative each. Optional: `{}`, nothing, is
 * an alternative too. Open: no requirement at all, which overrides one for the whole document.
 */
export function securityOf(
  need: CompiledRequirement | false,
  scheme: string,
): SecurityRequirement[] {
  if (need === false) return []
  const { allOf, anyOf, optional } = need
  const alternatives = anyOf.length > 0 ? anyOf.map((scope) => [scope]) : [allOf]
  const required: SecurityRequirement[] = alternatives.map((scopes) => ({ [scheme]: [...scopes] }))
  return optional ? [...required, {}] : required
}
