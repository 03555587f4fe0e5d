/** Scopes and machine clients as they are to be deployed: what `renderTemplate` writes. */
import { OptionError, readMembers, readNumber, show } from '../core/option-error.ts'
import {
  checkScope,
  type DefinedScopes,
  type ResourceServer,
  resourceServerOf,
} from '../core/scopes.ts'
import type { Fact, InfraModel } from './model.ts'

/** A machine client: it has a secret, and `client_credentials` is its only flow. */
export interface ClientDefinition {
  /** 1–128 word characters, blanks and `+ = , . @ -`. */
  readonly name: string
  /** At most 50, each defined by a resource server of the definition. */
  readonly scopes: readonly string[]
  /** Seconds a token lives; 300 to 86,400, default 3,600. */
  readonly accessTokenValidity?: number
}

export interface InfraDefinition {
  /** The user pool's name, and where its id and ARN are published: `/name/user-pool-id`. */
  readonly name: string
  /** The prefix of the pool's domain. Default: no domain. */
  readonly domain?: string
  /** At most 25, from `defineScopes` or as objects. */
  readonly resourceServers: readonly (ResourceServer | DefinedScopes)[]
  readonly clients: readonly ClientDefinition[]
}

/** A definition with everything decided. */
export interface ReadDefinition {
  readonly name: string
  readonly domain?: string
  readonly resourceServers: readonly ResourceServer[]
  readonly clients: readonly Required<ClientDefinition>[]
}

const NAME = /^[\w-]{1,128}$/
const CLIENT_NAME = /^[\w\s+=,.@-]{1,128}$/
const PREFIX = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

function readText(value: unknown, pattern: RegExp, place: string, fix: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new OptionError(place, `is ${show(value)}: ${fix}`)
}

function readList(value: unknown, place: string, most: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value
  throw new OptionError(place, `is ${show(value)}: pass an array of at most ${most}`)
}

export function readDefinition(value: unknown): ReadDefinition {
  const members = readMembers(value, ['name', 'domain', 'resourceServers', 'clients'], '')
  const { domain } = members
  const resourceServers = readList(members['resourceServers'], 'resourceServers', 25).map(
    (server, index) => resourceServerOf(server, `resourceServers[${index}]`),
  )
  const identifiers = new Set(resourceServers.map(({ identifier }) => identifier))
  if (identifiers.size < resourceServers.length) {
    throw new OptionError('resourceServers', 'repeat an identifier: merge the two')
  }
  const defined = new Set(
    resourceServers.flatMap(({ identifier, scopes }) =>
      Object.keys(scopes).map((name) => `${identifier}/${name}`),
    ),
  )
  const prefix = 'use 1 to 63 lower-case letters, digits and hyphens'
  return {
    name: readText(members['name'], NAME, 'name', 'use 1 to 128 letters, digits, _ and -'),
    ...(domain === undefined ? {} : { domain: readText(domain, PREFIX, 'domain', prefix) }),
    resourceServers,
    clients: readList(members['clients'], 'clients', 1000).map((client, index) =>
      readClient(client, `clients[${index}]`, defined),
    ),
  }
}

function readClient(
  value: unknown,
  place: string,
  defined: ReadonlySet<string>,
): Required<ClientDefinition> {
  const members = readMembers(value, ['name', 'scopes', 'accessTokenValidity'], place)
  const scopes = readList(members['scopes'], `${place}.scopes`, 50).map((scope, index) => {
    const read = checkScope(scope, `${place}.scopes[${index}]`)
    if (defined.has(read)) return read
    throw new OptionError(
      `${place}.scopes[${index}]`,
      `is ${show(read)}: no resource server defines it; define it or correct the spelling`,
    )
  })
  return {
    name: readText(
      members['name'],
      CLIENT_NAME,
      `${place}.name`,
      'use 1 to 128 letters and digits',
    ),
    scopes,
    accessTokenValidity: readNumber(members, 'accessTokenValidity', place, {
      ...{ fallback: 3600, min: 300, max: 86_400, unit: 'seconds', integer: true },
    }),
  }
}

/**
 * The definition behind the model of a template: its machine clients, with every default decided.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` where the template has not exactly one user pool, or leaves a
 *   fact unknown: pass `parameters` to `readTemplate`.
 */
export function definitionOf(model: InfraModel): InfraDefinition {
  const [pool, ...others] = model.userPools
  if (pool === undefined || others.length > 0) {
    throw new OptionError('model', `has ${model.userPools.length} user pools: pass one with one`)
  }
  const [domain] = model.domains
  const machines = model.clients.filter(({ flows }) =>
    flows?.items.some(({ value }) => value === 'client_credentials'),
  )
  return readDefinition({
    name: known(pool.name, pool.id),
    ...(domain === undefined ? {} : { domain: known(domain.domain, domain.id) }),
    resourceServers: model.resourceServers.map(({ id, identifier, scopes }) => ({
      identifier: known(identifier, id),
      scopes: Object.fromEntries(
        scopes.map(({ name, description }) => [known(name, id), known(description, id)]),
      ),
    })),
    clients: machines.map(({ id, name, scopes, accessTokenValidity }) => ({
      name: known(name, id),
      scopes: (scopes?.items ?? []).map((scope) => known(scope, id)),
      ...(accessTokenValidity && { accessTokenValidity: known(accessTokenValidity, id) }),
    })),
  })
}

function known<T>(fact: Fact<T> | undefined, id: string): T {
  if (fact?.value !== undefined) return fact.value
  throw new OptionError('model', `leaves open a fact of ${show(id)}: give its parameters a value`)
}
