/** Coverage of `checkScopes`: what it evaluates in templates, and what it cannot evaluate. */
import { toPrintable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import type {
  Fact,
  FactList,
  InfraAuthorizer,
  InfraClient,
  InfraModel,
  InfraResourceServer,
  InfraRoute,
} from '../model/model.ts'
import type { Position } from '../position.ts'
import { describeUnknown } from './definitions.ts'
import { comparePositions } from './finding.ts'
import { findGateway, isCognitoAuthorizer, listAuthorizerPools } from './gateway.ts'
import { type CheckScopesOptions, readCheckInput } from './index.ts'
import type { PoolLink } from './pools.ts'
import { listAppPools } from './routes.ts'
import {
  createScopeIndex,
  hasAllItems,
  isUserClient,
  type ListedScope,
  type ScopeIndex,
  toScopeReference,
} from './scopes.ts'
import { createTextReader, type TextReader } from './symbolic.ts'

/** A fact that cannot be evaluated because only the deployment determines it. It has the position of the fact. */
export interface UnevaluatedFact extends Position {
  /** The logical id or Terraform address of the resource. Empty for a fact about a whole template. */
  readonly resource: string
  /**
   * The fact, on one printable line: `scope ${Prefix}/read`, `user pool`, `flows`. Together with `resource`, it
   * identifies the fact across changes of the template that only move lines.
   */
  readonly fact: string
  /**
   * What would resolve it, on one printable line. It names the parameter, pseudo parameter, variable or template:
   * `pass parameter Prefix`, `pass pseudo parameter AWS::StackName`, `pass variable prefix`.
   */
  readonly resolve: string
}

/** How many items the templates have, and how many of them were evaluated. */
export interface CoverageCount {
  readonly total: number
  /** The items without an unevaluated fact. */
  readonly evaluated: number
}

/** What `checkScopes` evaluated. */
export interface Coverage {
  /** The names of the files that were read, in the order of the models. */
  readonly files: readonly string[]
  readonly clients: CoverageCount
  /** Scopes that resource servers define, clients are granted, and routes and authorizers require. */
  readonly scopes: CoverageCount
  /** Routes of API Gateway, of the app, and of its OpenAPI document. */
  readonly routes: CoverageCount
  readonly authorizers: CoverageCount
  /** Sorted by file, line and column. Empty if everything was evaluated. */
  readonly unevaluated: readonly UnevaluatedFact[]
}

type ResourceKind = 'clients' | 'routes' | 'authorizers'

/**
 * Reports what {@link checkScopes} evaluates with the same arguments. A fact that cannot be evaluated hides mistakes,
 * so no finding means little if the facts that matter are among them.
 *
 * @example
 * ```ts
 * for (const { file, line, resource, fact, resolve } of checkCoverage(models, options).unevaluated) {
 *   console.error(`${file}:${line}: ${resource}: ${fact} is not evaluated; ${resolve}`)
 * }
 * ```
 *
 * @param models One model, or the models of all templates that are deployed together.
 * @param options The options of `checkScopes`.
 * @returns What was read, how much of it was evaluated, and each fact that was not.
 * @throws {OptionError} `ERR_OPTION_INVALID` if a model, a route or an option is invalid.
 */
export function checkCoverage(
  models: InfraModel | readonly InfraModel[],
  options: CheckScopesOptions = {},
): Coverage {
  const { models: all, code, documented, pools: groups } = readCheckInput(models, options)
  const scopeIndex = createScopeIndex(all, groups)
  const recorder = new CoverageRecorder(all, scopeIndex)
  for (const model of all) recorder.recordModel(model)
  const routes = [...code, ...documented]
  const pools = listAppPools(all, findGateway(all, routes), routes, scopeIndex)
  for (const route of routes) recorder.recordAppRoute(route, pools)
  return recorder.finish()
}

const UNREAD_RESOURCES = 'resources that the template does not show'
const REPLACE_EXPRESSION = 'replace the expression by a value or a parameter'

class CoverageRecorder {
  readonly #models: readonly InfraModel[]
  readonly #scopeIndex: ScopeIndex
  readonly #reader: TextReader
  readonly #unevaluated: UnevaluatedFact[] = []
  readonly #counts = {
    clients: { total: 0, evaluated: 0 },
    scopes: { total: 0, evaluated: 0 },
    routes: { total: 0, evaluated: 0 },
    authorizers: { total: 0, evaluated: 0 },
  }

  constructor(models: readonly InfraModel[], scopeIndex: ScopeIndex) {
    this.#models = models
    this.#scopeIndex = scopeIndex
    this.#reader = createTextReader(models)
  }

  finish(): Coverage {
    const facts = this.#unevaluated.map((one): [string, UnevaluatedFact] => [
      JSON.stringify(one),
      one,
    ])
    return {
      files: this.#models.flatMap(({ files }) => files),
      ...this.#counts,
      unevaluated: [...new Map(facts).values()].sort(comparePositions),
    }
  }

  recordModel(model: InfraModel): void {
    for (const { at, resource, resolve } of model.unread)
      this.#add(at, resource, UNREAD_RESOURCES, resolve)
    if (!model.complete && model.unread.length === 0) {
      const at = { file: model.files[0] as string, line: 1, column: 1 }
      this.#add(at, '', UNREAD_RESOURCES, 'create the plan again, without errors')
    }
    for (const server of model.resourceServers) this.#recordServer(model, server)
    for (const client of model.clients)
      this.#count('clients', () => this.#recordClient(model, client))
    for (const authorizer of model.authorizers)
      this.#count('authorizers', () => this.#recordAuthorizer(model, authorizer))
    for (const route of model.routes) this.#count('routes', () => this.#recordRoute(model, route))
  }

  recordAppRoute(route: ReadRoute, pools: readonly PoolLink[]): void {
    this.#count('routes', () => {
      const scopes = [...new Set(route.alternatives.flat())].map((scope) => {
        return { ...toScopeReference(scope), at: route.findScopePosition(scope) }
      })
      this.#recordScopes(`${route.method} ${route.path}`, scopes, pools)
    })
  }

  /** Counts a resource, which is evaluated if `record` adds no fact. */
  #count(kind: ResourceKind, record: () => void): void {
    const before = this.#unevaluated.length
    record()
    this.#counts[kind].total += 1
    if (this.#unevaluated.length === before) this.#counts[kind].evaluated += 1
  }

  #add({ file, line, column }: Position, resource: string, fact: string, resolve: string): void {
    this.#unevaluated.push({ file, line, column, resource, fact: toPrintable(fact), resolve })
  }

  #recordServer(model: InfraModel, server: InfraResourceServer): void {
    const { id, at, scopes, scopesComplete, userPool } = server
    this.#recordPool(model, server, userPool)
    if (!scopesComplete) this.#add(at, id, 'scopes', `list the scopes of ${toPrintable(id)}`)
    for (const { name } of scopes) {
      if (name === undefined) continue
      const resolve = describeUnknown([this.#reader.readFact(model, name)])
      this.#counts.scopes.total += 1
      if (resolve === undefined) this.#counts.scopes.evaluated += 1
      else this.#add(name.at, id, 'name of a scope', resolve)
    }
  }

  #recordClient(model: InfraModel, client: InfraClient): void {
    const { id, at, complete, flows, scopes, generateSecret, oauth, accessTokenValidity } = client
    this.#recordPool(model, client, client.userPool)
    if (flows === undefined ? !complete : !flows.complete)
      this.#add(flows?.at ?? at, id, 'flows', this.#describeList(model, flows))
    if (!isUserClient(client)) {
      this.#recordFact(model, client, generateSecret, 'secret')
      this.#recordFact(model, client, oauth, 'OAuth setting')
      this.#recordFact(model, client, accessTokenValidity, 'token lifetime')
    }
    if (scopes === undefined ? !complete : !hasAllItems(scopes))
      this.#add(scopes?.at ?? at, id, 'scopes', this.#describeList(model, scopes))
    const pool = this.#scopeIndex.resolvePool(model, client.userPool)
    this.#recordScopes(id, this.#scopeIndex.listScopes(model, scopes), [pool])
  }

  #recordAuthorizer(model: InfraModel, authorizer: InfraAuthorizer): void {
    const { id, at, kind, userPools, scopes, ttl } = authorizer
    const name = kind === 'rest' ? 'user pools' : 'issuer'
    if (userPools === undefined ? !authorizer.complete : !hasAllItems(userPools))
      this.#add(userPools?.at ?? at, id, name, this.#describeList(model, userPools))
    if (!isCognitoAuthorizer(model, authorizer, this.#scopeIndex)) {
      // An issuer that is known is that of another identity provider.
      for (const item of userPools?.items ?? []) this.#recordValue(model, id, item, name)
      return
    }
    for (const item of userPools?.items ?? []) this.#recordPool(model, authorizer, item)
    if (kind === 'rest') this.#recordFact(model, authorizer, ttl, 'cache lifetime')
    const pools = listAuthorizerPools(model, authorizer, this.#scopeIndex)
    this.#recordScopes(id, this.#scopeIndex.listScopes(model, scopes), pools)
  }

  #recordRoute(model: InfraModel, route: InfraRoute): void {
    const { id, at, method, path, authorization, complete, scopes } = route
    for (const [fact, name] of [
      [method, 'method'],
      [path, 'path'],
    ] as const) {
      if (fact === undefined) this.#add(at, id, name, REPLACE_EXPRESSION)
      else this.#recordValue(model, id, fact, name)
    }
    if (authorization === undefined) this.#add(at, id, 'authorization', REPLACE_EXPRESSION)
    if (authorization !== 'cognito') return
    const authorizer = model.authorizers.find((one) => one.id === route.authorizer)
    if (authorizer === undefined) {
      this.#add(at, id, 'authorizer', 'pass the template that creates the authorizer')
      return
    }
    if (!isCognitoAuthorizer(model, authorizer, this.#scopeIndex)) return
    if (scopes === undefined ? !complete : !hasAllItems(scopes))
      this.#add(scopes?.at ?? at, id, 'scopes', this.#describeList(model, scopes))
    const pools = listAuthorizerPools(model, authorizer, this.#scopeIndex)
    this.#recordScopes(id, this.#scopeIndex.listScopes(model, scopes), pools)
  }

  #recordScopes(
    resource: string,
    scopes: readonly ListedScope[],
    pools: readonly PoolLink[],
  ): void {
    for (const scope of scopes) {
      const status = this.#scopeIndex.evaluate(scope, pools)
      this.#counts.scopes.total += 1
      if (status.kind === 'unknown')
        this.#add(scope.at, resource, `scope ${scope.text.label}`, status.resolve)
      else this.#counts.scopes.evaluated += 1
    }
  }

  /** Records a reference that identifies no pool. */
  #recordPool(
    model: InfraModel,
    { id, at }: { readonly id: string; readonly at: Position },
    fact: Fact<string> | undefined,
  ): void {
    if (this.#scopeIndex.resolvePool(model, fact).kind !== 'unknown') return
    const resolve = fact && describeUnknown([this.#reader.readFact(model, fact)])
    this.#add(fact?.at ?? at, id, 'user pool', resolve ?? REPLACE_EXPRESSION)
  }

  #recordFact(
    model: InfraModel,
    {
      id,
      at,
      complete,
    }: { readonly id: string; readonly at: Position; readonly complete: boolean },
    fact: Fact<unknown> | undefined,
    name: string,
  ): void {
    if (fact !== undefined) this.#recordValue(model, id, fact, name)
    else if (!complete) this.#add(at, id, name, REPLACE_EXPRESSION)
  }

  #recordValue(model: InfraModel, id: string, fact: Fact<unknown>, name: string): void {
    const resolve = describeUnknown([this.#reader.readFact(model, fact)])
    if (resolve !== undefined) this.#add(fact.at, id, name, resolve)
  }

  #describeList(model: InfraModel, list: FactList<string> | undefined): string {
    const texts = (list?.items ?? []).map((fact) => this.#reader.readFact(model, fact))
    const source =
      list?.source && this.#reader.readFact(model, { value: undefined, source: list.source })
    return describeUnknown(source === undefined ? texts : [source]) ?? REPLACE_EXPRESSION
  }
}
