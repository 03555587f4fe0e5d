/**
 * RFC 9728: what a protected resource says about itself, and where. Every value comes from
 * configuration: a Host header is whatever the caller sends.
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
/** What no router takes for a parameter or a wildcard. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/

/** Options of the metadata document. */
export interface ResourceMetadata {
  /**
   * The API's identifier: the https URL callers know it by, without query or fragment; http on
   * loopback only. The document is at `/.well-known/oauth-protected-resource`, followed by its path.
   */
  readonly resource: string
  /** Issuers of accepted tokens. Default: those of the user pools, in the form they are used. */
  readonly authorizationServers?: string | readonly string[]
  /**
   * `scopes_supported`: scopes, or what `defineScopes` gives. Default: those of every requirement
   * declared so far. `false` leaves the member out, for APIs that do not publish their scopes.
   */
  readonly scopes?: readonly (Scope | DefinedScopes)[] | false
  /** `resource_name`, for people. */
  readonly name?: string
  /** `resource_documentation`: a URL for developers. */
  readonly documentation?: string
}

/** The document: RFC 9728 section 2. Empty members are left out. */
export interface ResourceMetadataDocument {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly ['header']
  readonly resource_name?: string
  readonly resource_documentation?: string
}

/** The options after validation. */
export interface MetadataPlan {
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

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readResourceMetadata(value: unknown): MetadataPlan | undefined {
  if (value === undefined) return undefined
  const place = 'resourceMetadata'
  const members = readMembers(
    value,
    ['resource', 'authorizationServers', 'scopes', 'name', 'documentation'],
    place,
  )
  const { resource, url } = readResource(members['resource'], `${place}.resource`)
  const servers = readServers(members['authorizationServers'], `${place}.authorizationServers`)
  const listed = readScopes(members['scopes'], `${place}.scopes`)
  const name = readText(members['name'], `${place}.name`)
  const documentation = readText(members['documentation'], `${place}.documentation`)
  if (documentation !== undefined) readSecureUrl(documentation, `${place}.documentation`)
  const path = url.pathname === '/' ? WELL_KNOWN : `${WELL_KNOWN}${url.pathname}`
  return {
    resource,
    path,
    url: `${url.origin}${path}`,
    document: (declaredScopes, issuers) => {
      const scopes = listed === false ? [] : [...(listed ?? declaredScopes)].sort()
      return {
        resource,
        authorization_servers: [...(servers ?? issuers)],
        ...(scopes.length > 0 && { scopes_supported: scopes }),
        bearer_methods_supported: ['header'],
        ...(name !== undefined && { resource_name: name }),
        ...(documentation !== undefined && { resource_documentation: documentation }),
      }
    },
  }
}

/** Callers compare the identifier to the letter, so it is taken in one spelling only. */
function readResource(value: unknown, place: string): { resource: string; url: URL } {
  if (typeof value !== 'string') {
    throw new OptionError(place, `is ${describeValue(value)}: pass the URL callers know the API by`)
  }
  const url = readSecureUrl(value, place)
  if (value.includes('?') || !PLAIN_PATH.test(url.pathname)) {
    throw new OptionError(place, 'has a query or an unusual path: use letters, digits and -._~/')
  }
  // URL lets a quote into a host, which would end the challenge's.
  if (!QUOTABLE.test(url.host)) throw new OptionError(place, 'has a quote in its host: remove it')
  checkSpelling(value, url, place)
  return { resource: value, url }
}

function checkSpelling(value: string, url: URL, place: string): void {
  if (url.href === value || url.href === `${value}/`) return
  throw new OptionError(place, `is ${describeValue(value)}: write it as ${describeValue(url.href)}`)
}

function readServers(value: unknown, place: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  const servers = readStrings(value, place, 'issuer')
  for (const server of servers) {
    checkSpelling(server, readSecureUrl(server, place), place)
    if (server.includes('?')) throw new OptionError(place, 'has a query: an issuer has none')
  }
  return servers
}

function readScopes(value: unknown, place: string): readonly string[] | false | undefined {
  if (value === undefined || value === false) return value
  const scopes = readList(value, place, (item, at) => {
    if (typeof item === 'string') return checkScope(item, at)
    return listDescribedScopes(getResourceServer(item, at)).map(([scope]) => scope)
  })
  if (scopes === undefined) {
    throw new OptionError(place, `is ${describeValue(value)}: pass an array of scopes, or false`)
  }
  return [...new Set(scopes.flat())]
}

function readText(value: unknown, place: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw new OptionError(place, `is ${describeValue(value)}: pass a non-empty string`)
}
