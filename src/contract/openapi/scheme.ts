/** The security scheme of a document: the token endpoint, and every scope with its description. */
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
 * Several required scopes are one alternative, scopes of `anyOf` are one alternative each. Optional auth adds the
 * alternative `{}`. A public route has an empty list, which overrides the security of the whole document.
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
   * The token endpoint of the user pool: `https://<domain>/oauth2/token`. http is accepted on loopback only, for a
   * local pool.
   */
  readonly tokenUrl: string
  /** Results of `defineScopes`, or resource servers as objects: at most 25, each identifier once. */
  readonly scopes: readonly (DefinedScopes | ResourceServerDefinition)[]
  /**
   * The name of the security scheme in the document: letters, digits and `. _ -`.
   *
   * @defaultValue `'cognito'`
   */
  readonly schemeName?: string
}

/** The options after validation. */
export interface Scheme {
  readonly name: string
  readonly object: SecurityScheme
  /** @throws {OptionError} `ERR_OPTION_INVALID` if the requirement has a scope that the option `scopes` lacks. */
  checkScopes(requirement: CompiledRequirement | false, optionPath: string): void
}

/** The options that {@link readScheme} reads. */
export const SCHEME_MEMBERS: readonly string[] = ['tokenUrl', 'scopes', 'schemeName']

/** The names of components that OpenAPI allows. */
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
      description: 'An Amazon Cognito access token from the client credentials grant.',
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
