/** The scopes that resource servers define, and whether a scope is defined in a user pool. */
import { isReserved } from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraModel, InfraResourceServer } from '../model/model.ts'
import {
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
  composeScope,
  getLiteral,
  isSameText,
  listUnknownPieces,
  type ScopeParts,
  type SymbolicText,
  splitScope,
  type TextComparer,
  type TextReader,
} from './symbolic.ts'

export interface DefinedScope {
  readonly scope: SymbolicText
  readonly name: SymbolicText
  readonly pool: PoolLink
  readonly model: InfraModel
  readonly server: InfraResourceServer
  readonly fact: Fact<string>
}

/** A resource server with its scopes. */
export interface IndexedServer {
  readonly model: InfraModel
  readonly server: InfraResourceServer
  readonly pool: PoolLink
  readonly identifier: SymbolicText
  readonly scopes: readonly DefinedScope[]
  /** False if it may define other scopes. */
  readonly isComplete: boolean
}

/** Whether a scope is defined in a user pool. */
export type ScopeStatus =
  | { readonly kind: 'defined' }
  /** `assumption`: what must hold for the scope to be missing. */
  | { readonly kind: 'missing'; readonly assumption?: string | undefined }
  /** `resolve`: what would determine it. */
  | { readonly kind: 'unknown'; readonly resolve: string }

/** A scope that a resource of a template refers to. */
export interface ScopeReference {
  readonly text: SymbolicText
  /** Ids of the resources that the scope is composed from. */
  readonly refs: readonly string[]
  /** The model of the ids. Undefined for a scope of an app. */
  readonly model?: InfraModel | undefined
}

export function indexServers(
  models: readonly InfraModel[],
  reader: TextReader,
  resolvePool: ResolvePool,
): readonly IndexedServer[] {
  return models.flatMap((model) =>
    model.resourceServers.map((server) => {
      const identifier = reader.readIdentifier(model, server)
      const pool = resolvePool(model, server.userPool)
      const scopes = server.scopes.flatMap(({ name: fact }) => {
        if (fact === undefined) return []
        const name = reader.readFact(model, fact)
        const scope = composeScope(identifier, name)
        return [{ scope, name, pool, model, server, fact }]
      })
      const isComplete = server.scopesComplete && scopes.length === server.scopes.length
      return { model, server, pool, identifier, scopes, isComplete }
    }),
  )
}

/** @param complete Whether the templates show every resource server of the pools that they create. */
export function createScopeEvaluator(
  servers: readonly IndexedServer[],
  complete: boolean,
  mayBeSame: TextComparer,
): EvaluateScope {
  const definitions = groupBy(
    servers.flatMap(({ scopes }) => scopes),
    ({ scope }) => scope.key,
  )
  const findServers = indexByPool(servers)
  const findSymbolic = indexByPool(
    servers.filter(({ identifier }) => getLiteral(identifier) === undefined),
  )
  const byIdentifier = groupBy(servers, ({ identifier }) => identifier.key)
  const byPool = groupBy(servers, ({ pool }) => pool.key)

  /** Finds the resource servers of the pool that may have the identifier of the scope. */
  function findPossible(parts: ScopeParts | undefined, pool: PoolLink): readonly IndexedServer[] {
    if (parts === undefined || getLiteral(parts.identifier) === undefined) return findServers(pool)
    const same = byIdentifier.get(parts.identifier.key) ?? []
    return [...same.filter((one) => mayBeSamePool(one.pool, pool)), ...findSymbolic(pool)]
  }

  function mayDefine(
    one: IndexedServer,
    text: SymbolicText,
    parts: ScopeParts | undefined,
  ): boolean {
    // Names of scopes have no slash, so the rest of the scope must be the identifier.
    if (parts !== undefined && !mayBeSame(one.identifier, parts.identifier)) return false
    if (!one.isComplete) return parts !== undefined || mayBeSame(composeScope(one.identifier), text)
    return one.scopes.some(({ scope, name }) =>
      parts === undefined ? mayBeSame(scope, text) : mayBeSame(name, parts.name),
    )
  }

  function evaluate(reference: ScopeReference, pool: PoolLink): ScopeStatus {
    const { text } = reference
    const reserved = classifyReserved(text)
    if (reserved !== undefined) return reserved
    const isDefined = (definitions.get(text.key) ?? []).some(
      (one) => isSameText(one.scope, text) && isSamePool(one.pool, pool),
    )
    if (isDefined) return { kind: 'defined' }
    const parts = splitScope(text)
    const possible = findPossible(parts, pool)
    const matching = possible.filter(
      ({ identifier }) => parts !== undefined && isSameText(identifier, parts.identifier),
    )
    const definers = possible.filter(
      (one) => mayDefine(one, text, parts) && !isExcluded(one, matching),
    )
    if (definers.length > 0) return { kind: 'unknown', resolve: describeDefiners(text, definers) }
    const members = complete && pool.kind === 'created' ? (byPool.get(pool.key) ?? []) : matching
    return classifyUndefined(reference, pool, { members, matching, complete })
  }

  return memoize(evaluate)
}

type EvaluateScope = (scope: ScopeReference, pool: PoolLink) => ScopeStatus

/** Many clients are granted the same scopes. A text without a key may differ from every other one. */
function memoize(evaluate: EvaluateScope): EvaluateScope {
  const results = new Map<InfraModel | undefined, Map<string, ScopeStatus>>()
  return (reference, pool) => {
    const { text, refs, model } = reference
    if (text.key === '') return evaluate(reference, pool)
    const ofModel = results.get(model) ?? new Map<string, ScopeStatus>()
    const key = JSON.stringify([text.key, refs, pool.kind, pool.key, pool.identity, pool.name])
    const result = ofModel.get(key) ?? evaluate(reference, pool)
    results.set(model, ofModel.set(key, result))
    return result
  }
}

/** Reserved scopes such as `openid` have no slash. Undefined for other scopes. */
function classifyReserved(text: SymbolicText): ScopeStatus | undefined {
  const literal = getLiteral(text)
  if (literal !== undefined) return isReserved(literal) ? { kind: 'defined' } : undefined
  const hasSlash = text.pieces.some((piece) => typeof piece === 'string' && piece.includes('/'))
  return hasSlash ? undefined : { kind: 'unknown', resolve: describeUnknown([text]) as string }
}

/**
 * Identifiers are unique within a pool. If one resource server certainly has the identifier, the others of its pool
 * have another one. Conditional ones may exclude each other.
 */
const isExcluded = (one: IndexedServer, matching: readonly IndexedServer[]): boolean =>
  !matching.includes(one) &&
  matching.some((it) => !it.server.conditional && isCertainlySamePool(it.pool, one.pool))

interface Candidates {
  /** The resource servers whose presence in the pool shows that the scope is undefined. */
  readonly members: readonly IndexedServer[]
  /** The resource servers that may be in the pool and certainly have the identifier of the scope. */
  readonly matching: readonly IndexedServer[]
  /** Whether the templates show every resource server of the pools that they create. */
  readonly complete: boolean
}

/** Classifies a scope that no resource server of the templates can define. Others may exist outside of them. */
function classifyUndefined(
  { refs, model }: ScopeReference,
  pool: PoolLink,
  { members, matching, complete }: Candidates,
): ScopeStatus {
  const certain = members.find((one) => isCertainlySamePool(one.pool, pool))
  if (certain !== undefined) return { kind: 'missing' }
  const assumed = members.find((one) => isSamePool(one.pool, pool))
  if (assumed !== undefined)
    return { kind: 'missing', assumption: describeAssumption(assumed.pool, pool) }
  const referenced = matching.find((one) => one.model === model && refs.includes(one.server.id))
  if (referenced !== undefined) {
    const owner = `${toPrintable(pool.name)} is the user pool of ${toPrintable(referenced.server.id)}`
    return { kind: 'missing', assumption: owner }
  }
  if (!complete)
    return {
      kind: 'unknown',
      resolve: 'pass what the template does not show: nested stacks, modules, macros',
    }
  const owner = pool.kind === 'created' ? 'the resource server' : toPrintable(pool.name)
  return { kind: 'unknown', resolve: `pass the template that creates ${owner}` }
}

/** Describes what would determine whether one of the resource servers defines the scope. */
function describeDefiners(text: SymbolicText, definers: readonly IndexedServer[]): string {
  const incomplete = definers.find(({ isComplete }) => !isComplete)
  return (
    describeUnknown([text]) ??
    describeUnknown(listNames(definers)) ??
    (incomplete === undefined
      ? `pass the template that creates ${toPrintable((definers[0] as IndexedServer).pool.name)}`
      : `list the scopes of ${toPrintable(incomplete.server.id)}`)
  )
}

function* listNames(servers: readonly IndexedServer[]): Generator<SymbolicText> {
  for (const { identifier, scopes } of servers) {
    yield identifier
    for (const { name } of scopes) yield name
  }
}

/** Most unknown pieces that one text names. */
const MAX_NAMED = 5

/** Describes what would determine the unknown pieces of texts. Undefined if there are none. */
export function describeUnknown(texts: Iterable<SymbolicText>): string | undefined {
  const all = new Set<string>()
  for (const text of texts) {
    for (const { resolve } of listUnknownPieces(text)) all.add(toPrintable(resolve))
    // A template can have thousands of unknown pieces.
    if (all.size >= MAX_NAMED) break
  }
  return all.size === 0 ? undefined : [...all].slice(0, MAX_NAMED).join(', ')
}
