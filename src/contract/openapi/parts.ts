/** What a hand-written document says about access, from the requirements that guards are made of. */
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
  /** As the API's own options have it: it stands in challenges. Default `'api'`. */
  readonly realm?: string
  /** The same. Default none. */
  readonly resourceMetadata?: ResourceMetadata
  /** The same. Default: true with `resourceMetadata`, else false. */
  readonly challengeScopes?: boolean
}

/** Parts of an OpenAPI document, for 3.0 and 3.1. */
export interface OpenApiParts {
  /** For `components.securitySchemes`. */
  securitySchemes(): { [name: string]: SecurityScheme }
  /**
   * `security` of an operation and its 400, 401, 403 and 503 responses; neither is left where it is
   * open (`false`).
   *
   * @throws {OptionError} `ERR_OPTION_INVALID` for a wrong requirement, and for a scope that nothing
   *   in `scopes` defines.
   */
  access(requirement: AccessRequirement | false): OperationAccess
}

/**
 * Describes access in a document that is written by hand.
 *
 * ```ts
 * const parts = openApiParts({ tokenUrl: 'https://auth.example.com/oauth2/token', scopes: [orders] })
 * const { security, responses } = parts.access({ scopes: orders.read })
 * ```
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix.
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
