/** The security scheme of a document: where tokens come from, and every scope with its description. */
import { readSecureUrl } from '../../core/options/secure-url.ts'
import { describeValue, type Members, OptionError } from '../../core/options/validate.ts'
import type { CompiledRequirement } from '../../core/requirement.ts'
import {
  type DefinedScopes,
  isReserved,
  listDescribedScopes,
  type ResourceServerDefinition,
  readResourceServers,
} from '../../core/scopes.ts'
import type { SecurityRequirement, SecurityScheme } from './objects.ts'

/**
 * All scopes: one requirement that lists them. Any: an alternative each. Optional: `{}`, nothing, is
 * an alternative too. Open: no requirement at all, which overrides one for the whole document.
 */
export function toSecurity(
  requirement: CompiledRequirement | false,
  scheme: string,
): SecurityRequirement[] {
  if (requirement === false) return []
  const { allOf, anyOf, optional } = requirement
  const alternatives = anyOf.length > 0 ? anyOf.map((scope) => [scope]) : [allOf]
  const required: SecurityRequirement[] = alternatives.map((scopes) => ({ [scheme]: [...scopes] }))
  return optional ? [...required, {}] : required
}

/** Options of the security scheme of a document. */
export interface SchemeOptions {
  /**
   * The user pool's token endpoint: `https://<domain>/oauth2/token`. http on loopback only, for a
   * local pool.
   */
  readonly tokenUrl: string
  /** What `defineScopes` gave: at most 25 resource servers, each identifier once. */
  readonly scopes: readonly (DefinedScopes | ResourceServerDefinition)[]
  /** The scheme's name in the document: letters, digits and `. _ -`. Default `'cognito'`. */
  readonly schemeName?: string
}

/** The options after validation. */
export interface Scheme {
  readonly name: string
  readonly object: SecurityScheme
  /** @throws {OptionError} for a requirement with a scope that nothing defines. */
  checkScopes(requirement: CompiledRequirement | false, optionPath: string): void
}

/** Names of the members {@link readScheme} takes. */
export const SCHEME_MEMBERS: readonly string[] = ['tokenUrl', 'scopes', 'schemeName']

/** The characters OpenAPI allows for names of components. */
const COMPONENT_NAME = /^[\w.-]+$/

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readScheme(members: Members): Scheme {
  const { tokenUrl, scopes, schemeName: name = 'cognito' } = members
  if (typeof tokenUrl !== 'string') {
    throw new OptionError(
      'tokenUrl',
      `expected the URL of the token endpoint, got ${describeValue(tokenUrl)}. Pass it as a string.`,
    )
  }
  readSecureUrl(tokenUrl, 'tokenUrl')
  if (typeof name !== 'string' || !COMPONENT_NAME.test(name)) {
    throw new OptionError(
      'schemeName',
      `expected letters, digits and . _ -, got ${describeValue(name)}. Change the name.`,
    )
  }
  const described = new Map(readResourceServers(scopes, 'scopes').flatMap(listDescribedScopes))
  return {
    name,
    object: {
      type: 'oauth2',
      description: 'An access token of Amazon Cognito, as an app client gets it for its own use.',
      flows: { clientCredentials: { tokenUrl, scopes: Object.fromEntries(described) } },
    },
    checkScopes(requirement, optionPath) {
      if (requirement === false) return
      for (const scope of [...requirement.allOf, ...requirement.anyOf]) {
        if (described.has(scope) || isReserved(scope)) continue
        throw new OptionError(
          optionPath,
          `expected a scope that the option scopes defines, got ${describeValue(scope)}. Define the scope or correct the spelling.`,
        )
      }
    },
  }
}
