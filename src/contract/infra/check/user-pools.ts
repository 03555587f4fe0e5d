/**
 * Findings about user pools: a missing domain, and triggers that machine tokens never reach. About their members:
 * references without the id of a pool, and repeated identifiers.
 */
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraModel, InfraUserPool } from '../model/model.ts'
import { ARN, findPoolAttribute, getKnownStart } from './authorizers.ts'
import { chooseByDialect, mayUseClientToken, servesMachinesOnly } from './clients.ts'
import type { IndexedServer } from './definitions.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCertainlyCreated, isCertainlySamePool, mayBeSamePool, type PoolLink } from './pools.ts'
import { isMachineClient, type ScopeIndex } from './scopes.ts'
import { isEmptyText } from './symbolic.ts'

/** Event versions of the pre-token-generation trigger. Only the last one applies to machine tokens. */
const VERSIONS: readonly string[] = ['V1_0', 'V2_0', 'V3_0']
const MACHINE_VERSION = 'V3_0'

export function checkUserPools(models: readonly InfraModel[], scopeIndex: ScopeIndex): Finding[] {
  const complete = models.every((model) => model.complete)
  const domains = models.flatMap((model) =>
    model.domains.map(({ userPool }) => scopeIndex.resolvePool(model, userPool)),
  )
  return models.flatMap((model) =>
    model.userPools.flatMap((userPool) => {
      const { id, at } = userPool
      const reference = { at, value: undefined, source: { resource: id }, refs: [id] }
      const pool = scopeIndex.resolvePool(model, reference)
      const version = checkTriggerVersion(userPool)
      if (!complete || version.length > 0) return version
      const hasDomain = domains.some((domain) => mayBeSamePool(domain, pool))
      return [
        ...(hasDomain ? [] : checkDomain(userPool, pool, scopeIndex)),
        ...checkMachineTrigger(userPool, pool, scopeIndex),
      ]
    }),
  )
}

/** Reports a pool whose machine clients need a token endpoint. Another stack may add the domain. */
function checkDomain(
  { id, at }: InfraUserPool,
  pool: PoolLink,
  { clients }: ScopeIndex,
): Finding[] {
  const machine = clients.find(
    (one) =>
      isCertainlySamePool(one.pool, pool) &&
      one.pool.assumed !== true &&
      isMachineClient(one.client) &&
      !one.client.conditional &&
      !mayUseClientToken(one.client),
  )
  if (machine === undefined) return []
  const message = `${toPrintable(id)} has no domain, so ${toPrintable(machine.client.id)} has no token endpoint`
  const fix = 'add a domain, or check the template that defines it too'
  return [createFinding(at, 'warning', 'pool-no-domain', message, fix, { resource: id })]
}

function checkTriggerVersion({ id, tier, triggerVersion }: InfraUserPool): Finding[] {
  const version = triggerVersion?.value
  if (triggerVersion === undefined || version === undefined) return []
  const report = (message: string, fix: string): Finding[] => [
    createFinding(triggerVersion.at, 'error', 'trigger-version', message, fix, {
      resource: id,
      value: version,
    }),
  ]
  const name = toPrintable(id)
  if (!VERSIONS.includes(version)) {
    const message = `expected a version of the pre-token-generation trigger of ${name}, got ${toPrintable(version, 60)}`
    return report(message, `use ${MACHINE_VERSION} for the tokens of machines`)
  }
  if (tier?.value !== 'LITE' || version === 'V1_0') return []
  const message = `the feature plan LITE of ${name} has no pre-token-generation trigger of version ${version}`
  return report(message, 'use the feature plan ESSENTIALS or PLUS')
}

/** Reports a trigger that no client of the pool can reach. With users, the trigger may be for their tokens. */
function checkMachineTrigger(
  { id, triggerVersion }: InfraUserPool,
  pool: PoolLink,
  scopeIndex: ScopeIndex,
): Finding[] {
  const version = triggerVersion?.value
  if (triggerVersion === undefined || version === undefined || version === MACHINE_VERSION)
    return []
  const clients = scopeIndex.clients.filter((one) => mayBeSamePool(one.pool, pool))
  if (clients.length === 0 || !clients.every(({ client }) => servesMachinesOnly(client))) return []
  const message = `every client of ${toPrintable(id)} is a machine, and its pre-token-generation trigger of version ${version} is not called for machine tokens`
  const fix = `use version ${MACHINE_VERSION}`
  const subject = { resource: id, value: version }
  return [createFinding(triggerVersion.at, 'warning', 'trigger-version', message, fix, subject)]
}

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
    if (pool.isConditional === true || isEmptyText(identifier)) return []
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
