/** The scopes that templates define and grant, and findings about single scopes. */
import { NAME_PATTERN } from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type { FactList, InfraClient, InfraModel } from '../model/model.ts'
import type { Position } from '../position.ts'
import {
  createScopeEvaluator,
  type DefinedScope,
  type IndexedServer,
  indexServers,
  type ScopeReference,
  type ScopeStatus,
} from './definitions.ts'
import { addAssumption, createFinding, type Finding } from './finding.ts'
import type { PoolGroups } from './pool-names.ts'
import {
  createPoolResolver,
  describeAssumption,
  groupBy,
  indexByPool,
  isCertainlySamePool,
  isSamePool,
  mayBeSamePool,
  type PoolLink,
  type ResolvePool,
} from './pools.ts'
import {
  createLiteral,
  createTextComparer,
  createTextReader,
  getLiteral,
  isEmptyText,
  isSameText,
  type SymbolicText,
  splitScope,
  type TextComparer,
} from './symbolic.ts'

/** Returns the part of a scope before its last slash. */
export const parseIdentifier = (scope: string): string =>
  scope.slice(0, Math.max(scope.lastIndexOf('/'), 0))

/** Returns the name of a scope, with the slash before it. */
const getNameSuffix = ({ label }: SymbolicText): string =>
  label.slice(Math.max(label.lastIndexOf('/'), 0))

/** A client with its pool. */
export interface PooledClient {
  readonly model: InfraModel
  readonly client: InfraClient
  readonly pool: PoolLink
}

/** A scope of a list, such as the scopes that a client is granted. */
export interface ListedScope extends ScopeReference {
  readonly at: Position
}

export interface ScopeIndex {
  readonly resolvePool: ResolvePool
  readonly clients: readonly PooledClient[]
  readonly servers: readonly IndexedServer[]
  readonly defined: readonly DefinedScope[]
  /** Lists the scopes of a list, known in full or in part. */
  readonly listScopes: (
    model: InfraModel,
    list: FactList<string> | undefined,
  ) => readonly ListedScope[]
  /** Finds the definitions of a scope that may be in the pool. */
  readonly findDefinitions: (scope: SymbolicText, pool: PoolLink) => readonly DefinedScope[]
  /** Finds the definitions of a scope in all pools. */
  readonly findInAnyPool: (scope: SymbolicText) => readonly DefinedScope[]
  /** Finds the scopes of the same resource server that may be in the pool. */
  readonly findSiblings: (scope: SymbolicText, pool: PoolLink) => readonly DefinedScope[]
  /** Finds the scopes of all resource servers that have the same name. */
  readonly findNamesakes: (scope: SymbolicText) => readonly DefinedScope[]
  /** Whether the scope is defined in one of the pools. */
  readonly evaluate: (scope: ScopeReference, pools: readonly PoolLink[]) => ScopeStatus
  /** Whether the scope is certainly granted to no client of the pool. */
  readonly isUnused: (scope: SymbolicText, pool: PoolLink) => boolean
  /** Whether a trigger of the pool may add scopes to access tokens: version V2_0 or later of pre-token-generation. */
  readonly mayAddScopes: (pool: PoolLink) => boolean
  readonly mayBeSame: TextComparer
}

export function createScopeIndex(
  models: readonly InfraModel[],
  groups: PoolGroups = [],
): ScopeIndex {
  const resolvePool = createPoolResolver(models, groups)
  const withTrigger = models.flatMap((model) =>
    model.userPools
      .filter(
        ({ triggerVersion }) => triggerVersion !== undefined && triggerVersion.value !== 'V1_0',
      )
      .map(({ id, at }) =>
        resolvePool(model, { at, value: undefined, source: { resource: id }, refs: [id] }),
      ),
  )
  const reader = createTextReader(models)
  const mayBeSame = createTextComparer()
  const complete = models.every((model) => model.complete)
  const servers = indexServers(models, reader, resolvePool)
  const defined = servers.flatMap(({ scopes }) => scopes)
  const evaluateInPool = createScopeEvaluator(servers, complete, mayBeSame)
  const listScopes: ScopeIndex['listScopes'] = (model, list) =>
    (list?.items ?? []).map((fact) => {
      return { at: fact.at, text: reader.readFact(model, fact), refs: fact.refs, model }
    })
  const clients = models.flatMap((model) =>
    model.clients.map((client) => ({ model, client, pool: resolvePool(model, client.userPool) })),
  )
  const byScope = groupBy(defined, ({ scope }) => scope.key)
  const byIdentifier = groupBy(servers, ({ identifier }) => identifier.key)
  const byName = groupBy(defined, ({ scope }) => getNameSuffix(scope))
  const findInAnyPool: ScopeIndex['findInAnyPool'] = (scope) =>
    (byScope.get(scope.key) ?? []).filter((one) => isSameText(one.scope, scope))
  return {
    resolvePool,
    mayAddScopes: (pool) => withTrigger.some((one) => mayBeSamePool(one, pool)),
    clients,
    servers,
    defined,
    listScopes,
    findDefinitions: (scope, pool) =>
      findInAnyPool(scope).filter((one) => mayBeSamePool(one.pool, pool)),
    findInAnyPool,
    findSiblings(scope, pool) {
      const parts = splitScope(scope)
      if (parts === undefined) return []
      return (byIdentifier.get(parts.identifier.key) ?? [])
        .filter((one) => isSameText(one.identifier, parts.identifier))
        .filter((one) => mayBeSamePool(one.pool, pool))
        .flatMap(({ scopes }) => scopes)
    },
    findNamesakes: (scope) => byName.get(getNameSuffix(scope)) ?? [],
    evaluate: (scope, pools) => combineStatuses(pools.map((pool) => evaluateInPool(scope, pool))),
    isUnused: createUnusedCheck(clients, { complete, listScopes, mayBeSame }),
    mayBeSame,
  }
}

/** A scope is missing if it is missing in every pool, and defined if one pool defines it. */
function combineStatuses(statuses: readonly ScopeStatus[]): ScopeStatus {
  const decisive =
    statuses.find(({ kind }) => kind === 'defined') ??
    statuses.find(({ kind }) => kind === 'unknown') ??
    statuses.find((one) => one.kind === 'missing' && one.assumption !== undefined)
  return decisive ?? (statuses[0] as ScopeStatus)
}

function createUnusedCheck(
  clients: readonly PooledClient[],
  {
    complete,
    listScopes,
    mayBeSame,
  }: Pick<ScopeIndex, 'listScopes' | 'mayBeSame'> & {
    readonly complete: boolean
  },
): ScopeIndex['isUnused'] {
  const all = clients.flatMap(({ model, client, pool }) =>
    listScopes(model, client.scopes).map(({ text }) => ({ text, pool })),
  )
  // A scope that many clients are granted is compared once.
  const grants = all.filter(isFirstGrant())
  const findClients = indexByPool(clients)
  const findGrants = indexByPool(grants)
  const findSymbolic = indexByPool(grants.filter(({ text }) => getLiteral(text) === undefined))
  const literals = groupBy(grants, ({ text }) => text.key)
  const grantsKnownByPool = new Map<string, boolean>()
  const areGrantsKnown = (pool: PoolLink): boolean => {
    const matching = findClients(pool)
    return matching.length > 0 && matching.every(({ client }) => hasAllGrants(client))
  }
  return (scope, pool) => {
    // The templates alone must determine the content of the pool.
    if (!complete || pool.kind !== 'created' || pool.key !== pool.identity) return false
    if (!grantsKnownByPool.has(pool.key)) grantsKnownByPool.set(pool.key, areGrantsKnown(pool))
    if (grantsKnownByPool.get(pool.key) !== true) return false
    const isGranted = (literals.get(scope.key) ?? []).some(
      (one) => mayBeSamePool(one.pool, pool) && mayBeSame(one.text, scope),
    )
    const others = getLiteral(scope) === undefined ? findGrants(pool) : findSymbolic(pool)
    return !isGranted && !others.some(({ text }) => mayBeSame(text, scope))
  }
}

interface PooledGrant {
  readonly text: SymbolicText
  readonly pool: PoolLink
}

/** Creates a filter that removes repeated grants. A text without a key may differ from every other one. */
function isFirstGrant(): (grant: PooledGrant) => boolean {
  const keys = new Set<string>()
  return ({ text, pool }) => {
    const key = JSON.stringify([text.key, pool.kind, pool.key, pool.identity])
    const isRepeated = text.key !== '' && keys.has(key)
    keys.add(key)
    return !isRepeated
  }
}

/** Whether the list of granted scopes has no other items. Values of items may be unknown. */
const hasAllGrants = ({ complete, scopes }: InfraClient): boolean =>
  complete && (scopes === undefined || hasAllItems(scopes))

/** Whether the deployed list has exactly these items. Their values may be unknown. */
export const hasAllItems = ({ complete, hasUnknownValues }: FactList<string>): boolean =>
  complete || hasUnknownValues === true

export interface Grant {
  readonly at: Position
  readonly value: string
  readonly refs: readonly string[]
}

/** Lists the known scopes that a client is granted. */
export const listGrants = ({ scopes }: InfraClient): Grant[] =>
  (scopes?.items ?? []).flatMap(({ at, value, refs }) =>
    value === undefined ? [] : [{ at, value, refs }],
  )

/** Whether only users get tokens from the client. False if its flows are unknown. */
export const isUserClient = ({ flows, complete }: InfraClient): boolean =>
  flows === undefined
    ? complete
    : flows.complete && flows.items.every(({ value }) => value !== 'client_credentials')

/** Whether a client requests tokens with client credentials; false if that is unknown. */
export const isMachineClient = ({ flows }: InfraClient): boolean =>
  flows?.items.some(({ value }) => value === 'client_credentials') === true

/** A scope that a route or an authorizer requires. */
export interface RequiredScope extends ListedScope {
  readonly resource: string
}

/** Creates the reference to a scope that an app requires. */
export const toScopeReference = (scope: string): ScopeReference => ({
  text: createLiteral(scope),
  refs: [],
})

/** Reports a scope that none of these pools defines. */
export function checkDefined(
  required: RequiredScope,
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] {
  if (isEmptyText(required.text) || pools.some(scopeIndex.mayAddScopes)) return []
  const status = scopeIndex.evaluate(required, pools)
  if (status.kind !== 'missing') return []
  const { at, resource, text } = required
  const message = `${toPrintable(text.label)} is required and no resource server defines it: no caller can have it`
  const fix = suggestDefinition(text, scopeIndex, pools[0] as PoolLink)
  const subject = { resource, value: text.label }
  const finding = createFinding(at, 'error', 'scope-undefined', message, fix, subject)
  return [addAssumption(finding, status.assumption)]
}

export function checkGrant(
  { id }: InfraClient,
  granted: ListedScope,
  scopeIndex: ScopeIndex,
  pool: PoolLink,
): Finding[] {
  if (isEmptyText(granted.text)) return []
  const status = scopeIndex.evaluate(granted, [pool])
  if (status.kind !== 'missing') return []
  const { at, text } = granted
  const message = `${toPrintable(id)} is granted ${toPrintable(text.label)}, which no resource server of its pool defines`
  const fix = suggestDefinition(text, scopeIndex, pool)
  const subject = { resource: id, value: text.label }
  const finding = createFinding(at, 'error', 'grant-undefined', message, fix, subject)
  return [addAssumption(finding, status.assumption)]
}

/** Suggests the definition in another pool, other scopes of the resource server, or scopes with the same name. */
function suggestDefinition(scope: SymbolicText, scopeIndex: ScopeIndex, pool: PoolLink): string {
  const [elsewhere] = scopeIndex.findInAnyPool(scope)
  if (elsewhere !== undefined) {
    const { file, line } = elsewhere.fact.at
    return `define it there too: ${toPrintable(elsewhere.server.id)} (${toPrintable(file)}:${line}) belongs to another user pool`
  }
  const siblings = scopeIndex.findSiblings(scope, pool)
  const candidates = siblings.length > 0 ? siblings : scopeIndex.findNamesakes(scope)
  // A scope with an invalid name has another finding. An unknown name passes.
  const valid = candidates.filter(({ fact }) => NAME_PATTERN.test(String(fact.value)))
  const scopes = new Set(valid.map((one) => one.scope.label))
  const names = [...scopes].slice(0, 5).map((name) => toPrintable(name))
  return names.length === 0
    ? 'define it, correct the spelling, or check the template that defines it too'
    : `define it, or use ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`
}

export const checkUnused = ({ defined, isUnused }: ScopeIndex): Finding[] =>
  defined
    .filter(({ scope, pool }) => isUnused(scope, pool))
    .map(({ scope: { label }, fact, server }) =>
      createFinding(
        fact.at,
        'warning',
        'scope-unused',
        `${toPrintable(label)} is granted to no client`,
        'grant it to the client that needs it, or remove it',
        { resource: server.id, value: label },
      ),
    )

/** Reports granted scopes that no route of the app requires. */
export function checkLeastPrivilege(
  routes: readonly ReadRoute[],
  scopeIndex: ScopeIndex,
  pools: readonly PoolLink[],
): Finding[] {
  const required = [...new Set(routes.flatMap(({ alternatives }) => alternatives.flat()))].map(
    createLiteral,
  )
  const identifiers = new Set(required.map((scope) => splitScope(scope)?.identifier.key))
  return scopeIndex.clients.flatMap(({ model, client, pool }) => {
    const appPool =
      pools.find((one) => isCertainlySamePool(one, pool)) ??
      pools.find((one) => isSamePool(one, pool))
    if (!isMachineClient(client) || appPool === undefined) return []
    // Scopes of other resource servers belong to another app.
    const excess = scopeIndex
      .listScopes(model, client.scopes)
      .filter(
        (scope) =>
          identifiers.has(splitScope(scope.text)?.identifier.key ?? '') &&
          !required.some((one) => scopeIndex.mayBeSame(one, scope.text)) &&
          scopeIndex.evaluate(scope, [pool]).kind !== 'missing',
      )
    return excess.map(({ at, text: { label } }) => {
      const message = `${toPrintable(client.id)} is granted ${toPrintable(label)}, which no route requires`
      const fix =
        'remove it from the client, and from the resource server if no other app requires it'
      const subject = { resource: client.id, value: label }
      const finding = createFinding(at, 'warning', 'client-over-granted', message, fix, subject)
      return addAssumption(finding, describeAssumption(appPool, pool))
    })
  })
}
