/** The input of `renderTemplate`: a user pool with scopes and machine clients, and its API. */
import {
  describeValue,
  OptionError,
  omitUndefined,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import {
  type DefinedScopes,
  listDescribedScopes,
  MAX_SCOPES_PER_CLIENT,
  type ResourceServerDefinition,
  readResourceServers,
} from '../../../core/scopes.ts'
import { type ApiDefinition, type ReadApi, readApi, readScope } from './api.ts'

/** A machine client. It has a secret, and its only flow is `client_credentials`. */
export interface ClientDefinition {
  /** 1 to 128 letters, digits, spaces and `_ + = , . @ -`. Each name once. */
  readonly name: string
  /** 1 to 50 scopes, each defined by a resource server of the definition. */
  readonly scopes: readonly string[]
  /**
   * The lifetime of access tokens, in seconds: 300 to 86,400.
   *
   * @defaultValue 3,600
   */
  readonly accessTokenValidity?: number
}

/** A user pool with its resource servers and machine clients, and optionally an API. */
export interface InfraDefinition {
  /**
   * The name of the user pool, and the first part of the names of its SSM parameters, such as `/name/user-pool-id`.
   * 1 to 128 letters, digits, `_` and `-`. It cannot begin with `aws` or `ssm`, which SSM reserves.
   */
  readonly name: string
  /**
   * The prefix of the user pool domain: 1 to 63 lowercase letters, digits and hyphens. It cannot contain `aws`,
   * `amazon` or `cognito`. Without a domain, the pool has no token endpoint until you add one.
   *
   * @defaultValue No domain
   */
  readonly domain?: string
  /** At most 25 results of `defineScopes`, or resource servers as objects. */
  readonly resourceServers: readonly (ResourceServerDefinition | DefinedScopes)[]
  /** At most 1,000 machine clients. */
  readonly clients: readonly ClientDefinition[]
  /**
   * An API whose authorizer accepts tokens of these clients.
   *
   * @defaultValue No API
   */
  readonly api?: ApiDefinition
}

/** A definition after validation, with defaults. */
export interface ReadDefinition {
  readonly name: string
  readonly domain?: string
  readonly resourceServers: readonly ResourceServerDefinition[]
  readonly clients: readonly Required<ClientDefinition>[]
  readonly api?: ReadApi
}

const NAME = /^(?!aws|ssm)[\w-]{1,128}$/i
const CLIENT_NAME = /^[\w\s+=,.@-]{1,128}$/
const PREFIX = /^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const LIFETIME = { defaultValue: 3600, min: 300, max: 86_400, unit: 'seconds', integer: true }

function readName(value: unknown, pattern: RegExp, optionPath: string, what: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new OptionError(
    optionPath,
    `expected ${what}, got ${describeValue(value)}. Choose another name.`,
  )
}

function readList(
  value: unknown,
  optionPath: string,
  min: number,
  max: number,
): readonly unknown[] {
  if (Array.isArray(value) && value.length >= min && value.length <= max) return [...value]
  const [size, fix] = Array.isArray(value)
    ? [`${value.length} items`, 'Add or remove items.']
    : [describeValue(value), 'Pass an array.']
  throw new OptionError(
    optionPath,
    `expected an array of ${min} to ${max} items, got ${size}. ${fix}`,
  )
}

export const listScopes = (servers: readonly ResourceServerDefinition[]): ReadonlySet<string> =>
  new Set(servers.flatMap((server) => listDescribedScopes(server).map(([scope]) => scope)))

/** @throws {OptionError} `ERR_OPTION_INVALID` with the path of a member that AWS would reject. */
export function readDefinition(value: unknown): ReadDefinition {
  const allowed = ['name', 'domain', 'resourceServers', 'clients', 'api']
  const members = readMembers(value, allowed, '')
  const { domain, api } = members
  const resourceServers = readServers(members['resourceServers'])
  const scopes = listScopes(resourceServers)
  const clients = readClients(members['clients'], scopes)
  const name = '1 to 128 letters, digits, _ and -, not beginning with aws or ssm'
  const prefix = '1 to 63 lowercase letters, digits and hyphens, without aws, amazon and cognito'
  return omitUndefined<ReadDefinition>({
    name: readName(members['name'], NAME, 'name', name),
    domain: domain === undefined ? undefined : readName(domain, PREFIX, 'domain', prefix),
    resourceServers,
    clients,
    api: api === undefined ? undefined : readApi(api, { scopes, clients }),
  })
}

/** Rejects lone surrogates in descriptions, because UTF-8 cannot encode them. */
function readServers(value: unknown): readonly ResourceServerDefinition[] {
  const servers = readResourceServers(value, 'resourceServers')
  for (const [index, { scopes }] of servers.entries()) {
    for (const [name, description] of Object.entries(scopes)) {
      if (!/\p{Surrogate}/u.test(description)) continue
      const optionPath = `resourceServers[${index}].scopes.${name}`
      throw new OptionError(
        optionPath,
        'expected whole Unicode characters, got half of a surrogate pair. Correct the description.',
      )
    }
  }
  return servers
}

function readClients(
  value: unknown,
  defined: ReadonlySet<string>,
): readonly Required<ClientDefinition>[] {
  const names = new Set<string>()
  return readList(value, 'clients', 0, 1000).map((item, index) => {
    const client = readClient(item, `clients[${index}]`, defined)
    if (names.has(client.name)) {
      const problem = `expected a name that no other client has, got ${describeValue(client.name)} again. Rename one of the clients.`
      throw new OptionError(`clients[${index}].name`, problem)
    }
    names.add(client.name)
    return client
  })
}

function readClient(
  value: unknown,
  optionPath: string,
  defined: ReadonlySet<string>,
): Required<ClientDefinition> {
  const members = readMembers(value, ['name', 'scopes', 'accessTokenValidity'], optionPath)
  const name = '1 to 128 letters, digits, spaces and _+=,.@-'
  const scopes = readList(members['scopes'], `${optionPath}.scopes`, 1, MAX_SCOPES_PER_CLIENT).map(
    (scope, index) => readScope(scope, `${optionPath}.scopes[${index}]`, defined),
  )
  return {
    name: readName(members['name'], CLIENT_NAME, `${optionPath}.name`, name),
    scopes: [...new Set(scopes)],
    accessTokenValidity: readNumber(members, 'accessTokenValidity', optionPath, LIFETIME),
  }
}
