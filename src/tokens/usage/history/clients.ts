/** Finds names, teams, tags and resource servers of app clients. */
import {
  describeValue,
  OptionError,
  omitUndefined,
  readList,
  readMembers,
} from '../../../core/options/validate.ts'
import type { ClientInfo, ClientTemplate, FindClient } from './types.ts'

/** Information of one client, complete. */
export interface KnownClient {
  readonly name: string | null
  readonly team: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly resourceServers: readonly string[]
}

type Lookup = (client: Parameters<FindClient>[0]) => KnownClient

const MEMBERS = [
  'clientId',
  'userPoolId',
  'name',
  'team',
  'tags',
  'resourceServers',
] as const satisfies (keyof ClientInfo)[]

/** Longest name, team, tag or identifier. AWS's are shorter. */
const MAX_TEXT_LENGTH = 256

/** @throws {OptionError} for an invalid list, at its position. */
export function createClientLookup(clients: unknown = [], templates: unknown = []): Lookup {
  const find =
    typeof clients === 'function' ? callFind(clients as FindClient) : readClients(clients)
  const servers = readTemplates(templates)
  return (client) => {
    const found = find(client)
    const { name = null, team = null, tags = {} } = found ?? {}
    const resourceServers =
      found?.resourceServers ?? servers.get(name ?? '') ?? servers.get(client.clientId) ?? []
    return { name, team, tags, resourceServers }
  }
}

function callFind(find: FindClient): FindClient {
  return (client) => {
    const found: unknown = find(client)
    if (found === undefined) return undefined
    return readInfo({ ...(found as object), clientId: client.clientId }, 'clients()')
  }
}

/** An entry with a user pool has precedence over one without. */
function readClients(value: unknown): FindClient {
  const entries = readList(value, 'clients', readInfo)
  if (entries === undefined) {
    throw new OptionError(
      'clients',
      `expected an array or a function, got ${describeValue(value)}. Pass objects with clientId and name.`,
    )
  }
  const byId = new Map<string, ClientInfo[]>()
  for (const entry of entries) {
    byId.set(entry.clientId, [...(byId.get(entry.clientId) ?? []), entry])
  }
  return ({ userPoolId, clientId }) => {
    const candidates = byId.get(clientId)
    return (
      candidates?.find((it) => it.userPoolId !== undefined && it.userPoolId === userPoolId) ??
      candidates?.find((it) => it.userPoolId === undefined || userPoolId === null)
    )
  }
}

function readInfo(value: unknown, optionPath: string): ClientInfo {
  const members = readMembers(value, MEMBERS, optionPath)
  const text = (member: string): string | undefined =>
    member in members ? readText(members[member], `${optionPath}.${member}`) : undefined
  const clientId = readText(members['clientId'], `${optionPath}.clientId`)
  const [userPoolId, name, team] = [text('userPoolId'), text('name'), text('team')]
  const servers =
    'resourceServers' in members
      ? readList(members['resourceServers'], `${optionPath}.resourceServers`, readText)
      : undefined
  if ('resourceServers' in members && servers === undefined) {
    throw new OptionError(
      `${optionPath}.resourceServers`,
      `expected an array, got ${describeValue(members['resourceServers'])}. Pass identifiers of resource servers.`,
    )
  }
  return omitUndefined<ClientInfo>({
    clientId,
    userPoolId,
    name,
    team,
    tags: 'tags' in members ? readTags(members['tags'], `${optionPath}.tags`) : undefined,
    resourceServers: servers && [...new Set(servers)].sort(),
  })
}

function readTags(value: unknown, optionPath: string): Readonly<Record<string, string>> {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const members = readMembers(value, names, optionPath)
  // Without a prototype: a tag may be named __proto__.
  const tags: Record<string, string> = Object.create(null)
  for (const name of names) tags[name] = readText(members[name], `${optionPath}.${name}`)
  return tags
}

function readText(value: unknown, optionPath: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT_LENGTH) return value
  throw new OptionError(
    optionPath,
    `expected a text of 1 to ${MAX_TEXT_LENGTH} characters, got ${describeValue(value)}. Correct or remove it.`,
  )
}

/** @returns Resource servers by the name and by the id of a client in the templates. */
function readTemplates(value: unknown): ReadonlyMap<string, readonly string[]> {
  const servers = new Map<string, readonly string[]>()
  const templates = readList(value, 'templates', (it) => it as ClientTemplate)
  if (templates === undefined || !templates.every((it) => Array.isArray(it?.clients))) {
    throw new OptionError(
      'templates',
      `expected an array of models, got ${describeValue(value)}. Pass results of readTemplate().`,
    )
  }
  for (const { id, name, scopes } of templates.flatMap(({ clients }) => clients)) {
    const found = listResourceServers((scopes?.items ?? []).flatMap((it) => it.value ?? []))
    if (found.length === 0) continue
    servers.set(id, found)
    if (name?.value !== undefined) servers.set(name.value, found)
  }
  return servers
}

/** Lists the identifiers of scopes, sorted. A scope is `identifier/name`: an identifier may contain `/`, a name may not. */
export function listResourceServers(scopes: readonly string[]): readonly string[] {
  const identifiers = scopes.flatMap((scope) => {
    const slash = scope.lastIndexOf('/')
    return slash > 0 ? [scope.slice(0, slash)] : []
  })
  return [...new Set(identifiers)].sort()
}
