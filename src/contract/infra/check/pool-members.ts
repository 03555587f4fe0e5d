/** Findings about the members of user pools: references that are not the id of a pool, and repeated identifiers. */
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraModel } from '../model/model.ts'
import { ARN, findPoolAttribute, getKnownStart } from './authorizers.ts'
import { chooseByDialect } from './clients.ts'
import type { IndexedServer } from './definitions.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCertainlyCreated } from './pools.ts'
import type { ScopeIndex } from './scopes.ts'

/** Attributes of a user pool, in both dialects, that are not its id. */
const OTHER_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['Arn', 'its ARN'],
  ['arn', 'its ARN'],
  ['ProviderName', 'its provider name'],
  ['ProviderURL', 'its issuer'],
  ['endpoint', 'its endpoint'],
])

/** Reports clients, resource servers and domains that refer to their pool by another attribute than its id. */
export const checkPoolReferences = (model: InfraModel): Finding[] =>
  [...model.resourceServers, ...model.clients, ...model.domains].flatMap(({ id, userPool }) => {
    const actual = userPool && findOtherAttribute(model, userPool)
    if (userPool === undefined || actual === undefined) return []
    const message = `${toPrintable(id)}: expected the id of a user pool, got ${actual}: Cognito rejects it`
    const pool = toPrintable(userPool.source.resource ?? model.userPools[0]?.id ?? 'Pool')
    const fix = chooseByDialect(model, `use !Ref ${pool}`, `use ${pool}.id`)
    const subject = { resource: id, value: actual }
    return [createFinding(userPool.at, 'error', 'pool-reference', message, fix, subject)]
  })

function findOtherAttribute(model: InfraModel, userPool: Fact<string>): string | undefined {
  const other = OTHER_ATTRIBUTES.get(findPoolAttribute(model, userPool))
  return other ?? (getKnownStart(userPool).startsWith(ARN) ? 'an ARN' : undefined)
}

/** Whether the template of the resource server creates its pool. */
const isOwner = ({ server, pool }: IndexedServer): boolean =>
  isCertainlyCreated(pool) && server.userPool?.refs.includes(pool.name) === true

/** Reports resource servers of one pool with the same identifier. */
export function checkIdentifiers({ servers }: ScopeIndex): Finding[] {
  const known = new Map<string, IndexedServer>()
  return servers.flatMap((one) => {
    const { model, server, pool, identifier } = one
    // A condition may deploy one of two, or several pools. An assumed pool may be another one.
    if (server.conditional || pool.kind === 'unknown' || pool.assumed === true) return []
    if (pool.isConditional === true) return []
    const key = JSON.stringify([pool.identity, identifier.key])
    const first = known.get(key)
    if (first === undefined) known.set(key, one)
    // Two templates that use the pool of another one may be alternatives, for example for two stages.
    if (first === undefined || !(first.model === model || isOwner(one) || isOwner(first))) return []
    const message = `${toPrintable(server.id)} has the identifier ${toPrintable(identifier.label)}, as ${toPrintable(first.server.id)} has in the same user pool: Cognito rejects it`
    const fix = 'rename one of the two, or define the scopes in one resource server'
    const { at } = server.identifier as Fact<string>
    const subject = { resource: server.id, value: identifier.label }
    return [createFinding(at, 'error', 'identifier-repeated', message, fix, subject)]
  })
}
