/** The input of `renderTemplate`: a user pool with scopes and machine clients, and its APIs. */
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
import { type ApiDefinition, type DefinedAccess, type ReadApi, readApi, readScope } from './api.ts'

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

/** A user pool with its resource servers and machine clients, and its APIs. */
export interface InfraDefinition {
  /**
   * The name of the user pool, and the first part of the names of its SSM parameters, such as `/name/user-pool-id`.
   * 1 to 107 letters, digits, `_` and `-`. It cannot begin with `aws` or `ssm`, which SSM reserves.
   */
  readonly name: string
  /**
   * The default of the template's stage parameter, for example `dev`: 1 to 20 lowercase letters, digits and hyphens,
   * beginning with a letter. The stage ends the names of the pool, its domain and its APIs, and is a part of the names
   * of SSM parameters (`/name/dev/user-pool-id`). Several stages can then share an account and a Region.
   *
   * @defaultValue No stage parameter
   */
  readonly stage?: string
  /**
   * The prefix of the user pool domain: 1 to 63 lowercase letters, digits and hyphens, with a stage at most 42. It
   * cannot contain `aws`, `amazon` or `cognito`. Without a domain, the pool has no token endpoint until you add one.
   *
   * @defaultValue No domain
   */
  readonly domain?: string
  /**
   * Tags of the pool, the SSM parameters, the APIs, their stages and logs: at most 50. Keys have 1 to 128 characters
   * and do not begin with `aws:`, values have at most 256.
   *
   * @defaultValue No tags
   */
  readonly tags?: Readonly<Record<string, string>>
  /** At most 25 results of `defineScopes`, or resource servers as objects. */
  readonly resourceServers: readonly (ResourceServerDefinition | DefinedScopes)[]
  /** At most 1,000 machine clients. */
  readonly clients: readonly ClientDefinition[]
  /**
   * APIs whose authorizers accept tokens of these clients, at most 20. Each name once.
   *
   * @defaultValue No API
   */
  readonly apis?: readonly ApiDefinition[]
}

/** A definition after validation, with defaults. */
export interface ReadDefinition {
  readonly name: string
  readonly stage?: string
  readonly domain?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly resourceServers: readonly ResourceServerDefinition[]
  readonly clients: readonly Required<ClientDefinition>[]
  readonly apis: readonly ReadApi[]
}

/** A stage adds up to 21 characters to the name. */
const NAME = /^(?!aws|ssm)[\w-]{1,107}$/i
const CLIENT_NAME = /^[\w\s+=,.@-]{1,128}$/
const PREFIX = /^(?!.*(?:aws|amazon|cognito))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const STAGE = /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/
/** Longest suffix that a stage adds to a name: a hyphen and 20 characters. */
const MAX_SUFFIX_LENGTH = 21
const MAX_PREFIX_LENGTH = 63
const MAX_APIS = 20
const MAX_TAGS = 50
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
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
  const allowed = ['name', 'stage', 'domain', 'tags', 'resourceServers', 'clients', 'apis']
  const members = readMembers(value, allowed, '')
  const resourceServers = readServers(members['resourceServers'])
  const scopes = listScopes(resourceServers)
  const clients = readClients(members['clients'], scopes)
  const name = '1 to 107 letters, digits, _ and -, not beginning with aws or ssm'
  const stage = readStage(members['stage'])
  return omitUndefined<ReadDefinition>({
    name: readName(members['name'], NAME, 'name', name),
    stage,
    domain: readDomain(members['domain'], stage),
    tags: readTags(members['tags']),
    resourceServers,
    clients,
    apis: readApis(members['apis'] ?? [], { scopes, clients }),
  })
}

function readStage(value: unknown): string | undefined {
  const stage = '1 to 20 lowercase letters, digits and hyphens, beginning with a letter'
  return value === undefined ? undefined : readName(value, STAGE, 'stage', stage)
}

function readDomain(value: unknown, stage: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const max = stage === undefined ? MAX_PREFIX_LENGTH : MAX_PREFIX_LENGTH - MAX_SUFFIX_LENGTH
  const prefix = `1 to ${max} lowercase letters, digits and hyphens, without aws, amazon and cognito`
  const domain = readName(value, PREFIX, 'domain', prefix)
  if (domain.length > max) {
    const problem = `expected ${prefix}, got ${domain.length} characters. Choose a shorter prefix.`
    throw new OptionError('domain', problem)
  }
  return domain
}

function readTags(value: unknown): ReadDefinition['tags'] {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionError(
      'tags',
      `expected an object of names and values, got ${describeValue(value)}. Pass an object.`,
    )
  }
  const tags = Object.entries(value)
  if (tags.length > MAX_TAGS) {
    const problem = `expected at most ${MAX_TAGS} tags, got ${tags.length}. Remove some of them.`
    throw new OptionError('tags', problem)
  }
  for (const [key, tag] of tags) {
    const optionPath = `tags.${key}`
    const kind = 'letters, digits, spaces and _.:/=+-@'
    readName(key, TAG_KEY, 'tags', `keys of 1 to 128 ${kind}, not beginning with aws:`)
    readName(tag, TAG_VALUE, optionPath, `at most 256 ${kind}`)
  }
  return Object.fromEntries(tags)
}

function readApis(value: unknown, access: DefinedAccess): readonly ReadApi[] {
  const apis = readList(value, 'apis', 0, MAX_APIS).map((api, index) =>
    readApi(api, `apis[${index}]`, access),
  )
  for (const [index, { name }] of apis.entries()) {
    if (apis.findIndex((api) => api.name === name) === index) continue
    const problem = `expected a name that no other API has, got ${describeValue(name)} again. Rename one of the APIs.`
    throw new OptionError(`apis[${index}].name`, problem)
  }
  return apis
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
