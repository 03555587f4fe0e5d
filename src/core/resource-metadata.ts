/**
 * Protected resource metadata: RFC 9728. Every value comes from configuration, because a Host header is
 * whatever the caller sends.
 */
import { QUOTABLE } from './challenge.ts'
import { readSecureUrl } from './options/secure-url.ts'
import {
  describeValue,
  OptionError,
  readList,
  readMembers,
  readStrings,
} from './options/validate.ts'
import {
  checkScope,
  type DefinedScopes,
  getResourceServer,
  listDescribedScopes,
  type Scope,
} from './scopes.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
/** A path that no router reads as a parameter or a wildcard. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/

/** Options of the metadata document. */
export interface ResourceMetadata {
  /**
   * The API's identifier: its public https URL, without query or fragment. On loopback, http is allowed. The
   * document is at `/.well-known/oauth-protected-resource`, followed by its path.
   */
  readonly resource: string
  /**
   * Issuers of accepted tokens.
   *
   * @defaultValue The issuers of the user pools, in the form in use.
   */
  readonly authorizationServers?: string | readonly string[]
  /**
   * `scopes_supported`: scopes, or results of `defineScopes`. `false` omits the member, for APIs that do not
   * publish their scopes.
   *
   * @defaultValue The scopes of every requirement declared so far.
   */
  readonly scopes?: readonly (Scope | DefinedScopes)[] | false
  /** `resource_name`, for people. */
  readonly name?: string
  /** `resource_documentation`: a URL for developers. */
  readonly documentation?: string
}

/** The document: RFC 9728 section 2. Empty members are omitted. */
export interface ResourceMetadataDocument {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly ['header']
  readonly resource_name?: string
  readonly resource_documentation?: string
}

/** The options after validation. */
export interface ResourceMetadataConfig {
  /** The API's identifier. */
  readonly resource: string
  /** Path of the document. */
  readonly path: string
  /** URL of the document, for challenges. */
  readonly url: string
  readonly document: (
    declaredScopes: Iterable<string>,
    issuers: readonly string[],
  ) => ResourceMetadataDocument
}

/**
 * Reads the option `resourceMetadata`.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID`.
 */
export function readResourceMetadata(value: unknown): ResourceMetadataConfig | undefined {
  if (value === undefined) return undefined
  const optionPath = 'resourceMetadata'
  const members = readMembers(
    value,
    ['resource', 'authorizationServers', 'scopes', 'name', 'documentation'],
    optionPath,
  )
  const { resource, url } = readResource(members['resource'], `${optionPath}.resource`)
  const configuredIssuers = readIssuers(
    members['authorizationServers'],
    `${optionPath}.authorizationServers`,
  )
  const configuredScopes = readScopes(members['scopes'], `${optionPath}.scopes`)
  const name = readText(members['name'], `${optionPath}.name`)
  const documentation = readText(members['documentation'], `${optionPath}.documentation`)
  if (documentation !== undefined) readSecureUrl(documentation, `${optionPath}.documentation`)
  const path = url.pathname === '/' ? WELL_KNOWN : `${WELL_KNOWN}${url.pathname}`
  return {
    resource,
    path,
    url: `${url.origin}${path}`,
    document: (declaredScopes, issuers) => {
      const scopes =
        configuredScopes === false ? [] : [...(configuredScopes ?? declaredScopes)].sort()
      return {
        resource,
        authorization_servers: [...(configuredIssuers ?? issuers)],
        ...(scopes.length > 0 && { scopes_supported: scopes }),
        bearer_methods_supported: ['header'],
        ...(name !== undefined && { resource_name: name }),
        ...(documentation !== undefined && { resource_documentation: documentation }),
      }
    },
  }
}

/** @throws {OptionError} `ERR_OPTION_INVALID` where an app serves the document and has not configured it. */
export function requireMetadata(
  metadata: ResourceMetadataConfig | undefined,
): ResourceMetadataConfig {
  if (metadata !== undefined) return metadata
  throw new OptionError(
    'resourceMetadata',
    'expected an object, got undefined. Set it to serve a metadata document.',
  )
}

/** Callers compare the identifier as an exact string, so only its normalized form is accepted. */
function readResource(value: unknown, optionPath: string): { resource: string; url: URL } {
  if (typeof value !== 'string') {
    throw new OptionError(
      optionPath,
      `expected the URL that callers use for the API, got ${describeValue(value)}. Pass an absolute URL.`,
    )
  }
  const url = readSecureUrl(value, optionPath)
  if (value.includes('?') || !PLAIN_PATH.test(url.pathname)) {
    throw new OptionError(
      optionPath,
      'expected a URL without a query, whose path has only letters, digits and -._~/, got one with other characters. Remove them.',
    )
  }
  // URL allows a quote in a host, which would end the quoted string of the challenge.
  if (!QUOTABLE.test(url.host))
    throw new OptionError(
      optionPath,
      'expected a host name without quotes, got one with a quote. Remove the quote.',
    )
  checkSpelling(value, url, optionPath)
  return { resource: value, url }
}

function checkSpelling(value: string, url: URL, optionPath: string): void {
  if (url.href === value || url.href === `${value}/`) return
  throw new OptionError(
    optionPath,
    `expected ${describeValue(url.href)}, got ${describeValue(value)}. Write the normalized URL: callers compare it as exact text.`,
  )
}

function readIssuers(value: unknown, optionPath: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  const servers = readStrings(value, optionPath, 'issuer')
  for (const server of servers) {
    checkSpelling(server, readSecureUrl(server, optionPath), optionPath)
    if (server.includes('?'))
      throw new OptionError(
        optionPath,
        'expected an issuer URL without a query, got one with a query. Remove the query.',
      )
  }
  return servers
}

function readScopes(value: unknown, optionPath: string): readonly string[] | false | undefined {
  if (value === undefined || value === false) return value
  const scopes = readList(value, optionPath, (item, itemPath) => {
    if (typeof item === 'string') return checkScope(item, itemPath)
    return listDescribedScopes(getResourceServer(item, itemPath)).map(([scope]) => scope)
  })
  if (scopes === undefined) {
    throw new OptionError(
      optionPath,
      `expected an array of scopes or false, got ${describeValue(value)}. Pass an array, or false to omit the scopes.`,
    )
  }
  return [...new Set(scopes.flat())]
}

function readText(value: unknown, optionPath: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw new OptionError(
    optionPath,
    `expected a non-empty string, got ${describeValue(value)}. Pass a text or omit the option.`,
  )
}
