/** Generates the security parts of a hand-written OpenAPI document from the requirements that guards enforce. */
import {
  createAuthErrorFactory,
  listPossibleErrors,
  readChallengeScopes,
  readRealm,
} from '../../core/challenge.ts'
import { readMembers } from '../../core/options/validate.ts'
import { type AccessRequirement, compileRequirement } from '../../core/requirement.ts'
import { type ResourceMetadata, readResourceMetadata } from '../../core/resource-metadata.ts'
import type { OperationAccess, SecurityScheme } from './objects.ts'
import { toResponses } from './responses.ts'
import { readScheme, SCHEME_MEMBERS, type SchemeOptions, toSecurity } from './scheme.ts'

/** Options of {@link openApiParts}. */
export interface OpenApiOptions extends SchemeOptions {
  /**
   * The `realm` parameter of `WWW-Authenticate`. Pass the same value as to the API's guard.
   *
   * @defaultValue `'api'`
   */
  readonly realm?: string
  /**
   * Protected resource metadata (RFC 9728), which `WWW-Authenticate` links to. Pass the same value as to the
   * API's guard.
   *
   * @defaultValue None
   */
  readonly resourceMetadata?: ResourceMetadata
  /**
   * Whether `WWW-Authenticate` of a 401 response names the required scopes. Pass the same value as to the API's
   * guard.
   *
   * @defaultValue `true` with `resourceMetadata`, else `false`
   */
  readonly challengeScopes?: boolean
}

/** Generates parts of an OpenAPI document. They are valid in versions 3.0 and 3.1. */
export interface OpenApiParts {
  /**
   * Creates the value of `components.securitySchemes`.
   *
   * @returns A new object with one security scheme.
   */
  securitySchemes(): { [name: string]: SecurityScheme }
  /**
   * Creates `security` and the 400, 401, 403 and 503 responses of one operation.
   *
   * @param requirement The requirement that the guard of the route enforces. `false`: a public route.
   * @returns New objects. Both are empty for a public route.
   * @throws {OptionError} `ERR_OPTION_INVALID` if the requirement is invalid, or requires a scope that the option
   *   `scopes` does not define.
   */
  access(requirement: AccessRequirement | false): OperationAccess
}

/**
 * Generates the security parts of an OpenAPI document that is written by hand.
 *
 * @example
 * ```ts
 * const parts = openApiParts({ tokenUrl: 'https://auth.example.com/oauth2/token', scopes: [orders] })
 * const { security, responses } = parts.access({ scopes: orders.read })
 * ```
 *
 * @param options The token endpoint, the scopes, and the options of the API's guard that change its responses.
 * @returns Functions that create the parts.
 * @throws {OptionError} `ERR_OPTION_INVALID`, with the path of the option and the fix.
 * @see https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object
 */
export function openApiParts(options: OpenApiOptions): OpenApiParts {
  const serverOptions = ['realm', 'resourceMetadata', 'challengeScopes']
  const members = readMembers(options, [...SCHEME_MEMBERS, ...serverOptions], '')
  const scheme = readScheme(members)
  const realm = readRealm(members['realm'])
  const metadata = readResourceMetadata(members['resourceMetadata'])
  const challengeScopes = readChallengeScopes(members['challengeScopes'], metadata)
  const createError = createAuthErrorFactory(realm, metadata?.url, challengeScopes)
  return Object.freeze({
    securitySchemes: () => ({ [scheme.name]: structuredClone(scheme.object) }),
    access(requirement: AccessRequirement | false) {
      const compiled = requirement === false ? false : compileRequirement(requirement, 'access')
      scheme.checkScopes(compiled, 'access')
      return {
        security: toSecurity(compiled, scheme.name),
        responses: compiled === false ? {} : toResponses(listPossibleErrors(compiled, createError)),
      }
    },
  })
}
