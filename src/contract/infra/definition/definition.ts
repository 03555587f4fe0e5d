/** Scopes, machine clients and their API as they are to be deployed: what `renderTemplate` writes. */
import {
  describeValue,
  OptionError,
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

/** A machine client: it has a secret, and `client_credentials` is its only flow. */
export interface ClientDefinition {
  /** 1–128 word characters, blanks and `+ = , . @ -`; each name once. */
  readonly name: string
  /** 1 to 50, each defined by a resource server of the definition. */
  readonly scopes: readonly string[]
  /** Seconds a token lives; 300 to 86,400, default 3,600. */
  readonly accessTokenValidity?: number
}

export interface InfraDefinition {
  /**
   * The user pool's name, and where its id and ARN are published: `/name/user-pool-id`. 1–128 letters,
   * digits, `_` and `-`, and not one that begins with `aws` or `ssm`, which SSM keeps for itself.
   */
  readonly name: string
  /**
   * The prefix of the pool's domain, without `aws`, `amazon` and `cognito`. Default: no domain, and then no
   * token endpoint: the domain has to be made elsewhere.
   */
  readonly domain?: string
  /** At most 25, from `defineScopes` or as objects. */
  readonly resourceServers: readonly (ResourceServerDefinition | DefinedScopes)[]
  /** At most 1,000. */
  readonly clients: readonly ClientDefinition[]
  /** An API that admits these clients, by scope. Default: none. */
  readonly api?: ApiDefinition
}

/** A definition with everything decided. */
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

function readText(value: unknown, pattern: RegExp, optionPath: string, what: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new OptionError(
    optionPath,
    `expected ${what}, got ${describeValue(value)}. Change the value.`,
  )
}

function readList(
  value: unknown,
  optionPath: string,
  least: number,
  most: number,
): readonly unknown[] {
  if (Array.isArray(value) && value.length >= least && value.length <= most) return [...value]
  const size = Array.isArray(value) ? `${value.length} items` : describeValue(value)
  throw new OptionError(
    optionPath,
    `expected an array of ${least} to ${most} items, got ${size}. Change the array.`,
  )
}

export const listScopes = (servers: readonly ResourceServerDefinition[]): ReadonlySet<string> =>
  new Set(servers.flatMap((server) => listDescribedScopes(server).map(([scope]) => scope)))

/** @throws {OptionError} naming the member that Cognito, SSM or API Gateway would refuse. */
export function readDefinition(value: unknown): ReadDefinition {
  const allowed = ['name', 'domain', 'resourceServers', 'clients', 'api']
  const members = readMembers(value, allowed, '')
  const { domain, api } = members
  const resourceServers = readServers(members['resourceServers'])
  const scopes = listScopes(resourceServers)
  const clients = readClients(members['clients'], scopes)
  const name = '1 to 128 letters, digits, _ and -, not beginning with aws or ssm'
  const prefix = '1 to 63 lowercase letters, digits and hyphens, without aws, amazon and cognito'
  return {
    name: readText(members['name'], NAME, 'name', name),
    ...(domain === undefined ? {} : { domain: readText(domain, PREFIX, 'domain', prefix) }),
    resourceServers,
    clients,
    ...(api === undefined ? {} : { api: readApi(api, { scopes, clients }) }),
  }
}

/** With descriptions that can be written: half a character has no bytes. */
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
    name: readText(members['name'], CLIENT_NAME, `${optionPath}.name`, name),
    scopes: [...new Set(scopes)],
    accessTokenValidity: readNumber(members, 'accessTokenValidity', optionPath, {
      ...{ defaultValue: 3600, min: 300, max: 86_400, unit: 'seconds', integer: true },
    }),
  }
}
