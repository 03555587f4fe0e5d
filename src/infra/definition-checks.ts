/** Resource servers, domains and lifetimes: what is defined for nobody, and Cognito's limits. */

import { printable } from '../core/printable.ts'
import { type Finding, finding } from './finding.ts'
import type { Fact, InfraClient, InfraModel, InfraResourceServer } from './model.ts'
import type { ScopeTable } from './scope-table.ts'
import type { Position } from './template-error.ts'

const IDENTIFIER = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
const NAME = /^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$/
const PREFIX = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const MAX_SCOPE = 256
const MAX_SCOPES_OF_SERVER = 100
const MAX_SCOPES_OF_CLIENT = 50
const MAX_SERVERS = 25
const LIFETIME = { min: 300, max: 86_400 }

export function checkUnused({ defined, granted, grantsKnown }: ScopeTable): Finding[] {
  if (!grantsKnown) return []
  return [...defined.values()]
    .flat()
    .filter(({ scope }) => !granted.has(scope))
    .map(({ scope, fact }) =>
      finding(
        fact.at,
        'warning',
        'scope-unused',
        `${printable(scope)} is granted to no client`,
        'grant it to the client that needs it, or remove it',
      ),
    )
}

export const checkReferences = ({ dangling }: InfraModel): Finding[] =>
  dangling.map(({ at, name }) =>
    finding(
      at,
      'error',
      'reference-missing',
      `${printable(name)} is not in the template`,
      'define it, or correct the spelling',
    ),
  )

const limit = (at: Position, message: string, fix: string): Finding =>
  finding(at, 'error', 'cognito-limit', message, fix)

/** Judges a fact that is known. */
function wrong(
  fact: Fact<string> | undefined,
  passes: (value: string) => boolean,
  what: string,
  fix: string,
): Finding[] {
  if (fact?.value === undefined || passes(fact.value)) return []
  return [limit(fact.at, `${printable(fact.value, 60)} is no ${what}`, fix)]
}

export function checkLimits(model: InfraModel): Finding[] {
  return [
    ...model.domains.flatMap(({ domain }) =>
      // With a dot it is a domain of one's own, not a prefix.
      wrong(
        domain,
        (value) => value.includes('.') || PREFIX.test(value),
        'domain prefix',
        'use 1 to 63 lower-case letters, digits and hyphens',
      ),
    ),
    ...model.resourceServers.flatMap(serverLimits),
    ...model.clients.flatMap(clientLimits),
    ...tooManyServers(model.resourceServers),
  ]
}

function serverLimits({ id, at, identifier, scopes }: InfraResourceServer): Finding[] {
  const found = wrong(
    identifier,
    (value) => IDENTIFIER.test(value),
    'identifier of a resource server',
    'use 1 to 256 printable characters without space, quote or backslash',
  )
  if (scopes.length > MAX_SCOPES_OF_SERVER) {
    const message = `${printable(id)} defines ${scopes.length} scopes`
    found.push(limit(at, message, `Cognito takes at most ${MAX_SCOPES_OF_SERVER}: split it`))
  }
  for (const { name, description } of scopes) {
    const prefix = identifier?.value === undefined ? 0 : identifier.value.length + 1
    found.push(
      ...wrong(
        name,
        (value) => NAME.test(value) && prefix + value.length <= MAX_SCOPE,
        'name of a scope',
        'use printable characters without slash, space, quote or backslash, at most 256 together with the identifier',
      ),
      ...wrong(
        description,
        (value) => value.length >= 1 && value.length <= 256,
        'description of a scope',
        'describe it in 1 to 256 characters',
      ),
    )
  }
  return found
}

function clientLimits({ id, scopes, accessTokenValidity }: InfraClient): Finding[] {
  const found: Finding[] = []
  if (scopes !== undefined && scopes.items.length > MAX_SCOPES_OF_CLIENT) {
    const message = `${printable(id)} is granted ${scopes.items.length} scopes`
    found.push(limit(scopes.at, message, `Cognito takes at most ${MAX_SCOPES_OF_CLIENT}`))
  }
  const seconds = accessTokenValidity?.value
  if (accessTokenValidity === undefined || seconds === undefined) return found
  if (seconds < LIFETIME.min || seconds > LIFETIME.max) {
    const message = `${printable(id)}'s tokens live ${seconds} s`
    found.push(limit(accessTokenValidity.at, message, 'use 5 minutes to 24 hours'))
  }
  return found
}

function tooManyServers(servers: readonly InfraResourceServer[]): Finding[] {
  const first = servers[MAX_SERVERS]
  if (first === undefined) return []
  const pools = new Set(servers.map(({ userPool }) => userPool?.source.resource))
  if (pools.size > 1 || pools.has(undefined)) return []
  const fix = `Cognito takes at most ${MAX_SERVERS} a user pool: use a second pool`
  return [limit(first.at, `there are ${servers.length} resource servers`, fix)]
}
