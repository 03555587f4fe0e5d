/** Resource servers, domains and lifetimes: what is defined for nobody, and limits of Cognito and API Gateway. */

import { toPrintable } from '../../../core/util/text.ts'
import type {
  Fact,
  InfraAuthorizer,
  InfraClient,
  InfraModel,
  InfraResourceServer,
} from '../model/model.ts'
import type { Position } from '../position.ts'
import { type Finding, finding } from './finding.ts'
import type { PoolOf } from './pools.ts'
import { grants, type ScopeTable } from './scope-index.ts'

const IDENTIFIER = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
const NAME = /^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$/
const PREFIX = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const MAX_SCOPE = 256
const MAX_SCOPES_OF_SERVER = 100
const MAX_SCOPES_OF_CLIENT = 50
const MAX_SERVERS = 25
/** Seconds. */
const LIFETIME = { min: 300, max: 86_400 }
const MAX_TTL = 3600

export const checkUnused = ({ defined, isUngranted }: ScopeTable): Finding[] =>
  defined
    .filter(({ scope, pool }) => isUngranted(scope, pool))
    .map(({ scope, fact }) =>
      finding(
        fact.at,
        'warning',
        'scope-unused',
        `${toPrintable(scope)} is granted to no client`,
        'grant it to the client that needs it, or remove it',
      ),
    )

export const checkReferences = ({ dangling }: InfraModel): Finding[] =>
  dangling.map(({ at, name }) =>
    finding(
      at,
      'error',
      'reference-missing',
      `${toPrintable(name)} is not in the template`,
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
  return [limit(fact.at, `${toPrintable(fact.value, 60)} is no ${what}`, fix)]
}

export function checkLimits(model: InfraModel, poolOf: PoolOf): Finding[] {
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
    ...model.authorizers.flatMap(authorizerLimits),
    ...tooManyServers(model, poolOf),
  ]
}

function serverLimits({ id, identifier, scopes, scopesComplete }: InfraResourceServer): Finding[] {
  const found = wrong(
    identifier,
    (value) => IDENTIFIER.test(value),
    'identifier of a resource server',
    'use 1 to 256 printable characters without space, quote or backslash',
  )
  // What is not known may be none.
  const named = scopes.filter(({ name }) => name?.value !== undefined)
  const spare = named[MAX_SCOPES_OF_SERVER]
  if (spare !== undefined) {
    const message = `${toPrintable(id)} defines ${named.length} scopes`
    found.push(limit(spare.at, message, `Cognito takes at most ${MAX_SCOPES_OF_SERVER}: split it`))
  }
  const prefix = identifier?.value === undefined ? 0 : identifier.value.length + 1
  for (const { at, name, description } of scopes) {
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
    if (description === undefined && scopesComplete) {
      const whose = name?.value === undefined ? 'a scope' : toPrintable(name.value, 60)
      const fix = 'describe it in 1 to 256 characters (ScopeDescription, scope_description)'
      found.push(limit(at, `${whose} of ${toPrintable(id)} has no description`, fix))
    }
  }
  return found
}

function clientLimits(client: InfraClient): Finding[] {
  const { id, accessTokenValidity } = client
  const found: Finding[] = []
  const granted = [...new Map(grants(client).map((grant) => [grant.value, grant])).values()]
  const spare = granted[MAX_SCOPES_OF_CLIENT]
  if (spare !== undefined) {
    const message = `${toPrintable(id)} is granted ${granted.length} scopes`
    found.push(limit(spare.at, message, `Cognito takes at most ${MAX_SCOPES_OF_CLIENT}`))
  }
  const seconds = accessTokenValidity?.value
  if (accessTokenValidity === undefined || seconds === undefined) return found
  if (seconds < LIFETIME.min || seconds > LIFETIME.max) {
    const message = `${toPrintable(id)}'s tokens live ${seconds} s`
    found.push(limit(accessTokenValidity.at, message, 'use 5 minutes to 24 hours'))
  }
  return found
}

function authorizerLimits({ id, ttl }: InfraAuthorizer): Finding[] {
  if (ttl?.value === undefined || (ttl.value >= 0 && ttl.value <= MAX_TTL)) return []
  const message = `${toPrintable(id)} keeps its decisions ${ttl.value} s`
  return [limit(ttl.at, message, `API Gateway takes 0 to ${MAX_TTL}`)]
}

/** Of each pool of the template; what a condition decides may not be there. */
function tooManyServers(model: InfraModel, poolOf: PoolOf): Finding[] {
  const count = new Map<string, number>()
  return model.resourceServers.flatMap(({ at, userPool, conditional }) => {
    const pool = poolOf(model, userPool).key
    if (conditional) return []
    const number = (count.get(pool) ?? 0) + 1
    count.set(pool, number)
    if (number !== MAX_SERVERS + 1) return []
    const message = `it is resource server number ${number} of its user pool`
    return limit(at, message, `Cognito takes at most ${MAX_SERVERS} a user pool: use a second pool`)
  })
}
