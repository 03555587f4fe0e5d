/** Rejects an MCP server that no scope binds its callers' tokens to. */
import type { RequirementSummary } from '../../core/introspection.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import type { AccessRequirement, AnyOf } from '../../core/requirement.ts'
import type { Scope } from '../../core/scopes.ts'

/** What a request needs to reach an MCP server: at least one scope. */
export type McpRequirement = AccessRequirement & {
  /**
   * With `resourceMetadata.resource`, scopes of the resource server definition whose identifier is that resource,
   * for example `https://mcp.example.com/mcp/tools.read`.
   */
  readonly scopes: Scope | readonly Scope[] | AnyOf
}

/**
 * A machine's token has no `aud`, so without a scope of this server, a token for any other API of the user pool
 * would be accepted.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function requireResourceScopes(
  { allOf, anyOf }: RequirementSummary,
  resource: string | undefined,
  optionPath: string,
): void {
  const scopes = [...allOf, ...anyOf]
  if (scopes.length === 0) {
    throw new OptionError(
      `${optionPath}.scopes`,
      `expected a scope, got none. Machine tokens have no aud, so only a scope binds them to this MCP server: pass { scopes: '${resource ?? 'https://mcp.example.com/mcp'}/…' }.`,
    )
  }
  for (const scope of scopes) {
    if (resource === undefined || scope.slice(0, scope.lastIndexOf('/')) === resource) continue
    throw new OptionError(
      `${optionPath}.scopes`,
      `expected scopes of the resource ${describeValue(resource)}, got ${describeValue(scope)}. Machine tokens have no aud, so the identifier of the scope must be the resource: define '${resource}/…' in the user pool.`,
    )
  }
}
