/** `checkScopes`: compares templates, code and OpenAPI documents. */

import {
  describeValue,
  OptionError,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { type AppRoute, type ReadRoute, readAppRoutes } from '../app/route.ts'
import type { InfraModel } from '../model/model.ts'
import { checkAudiences, checkAuthorizerSettings } from './authorizers.ts'
import { checkClients, checkFlows, checkGrants } from './clients.ts'
import { type CheckCode, comparePositions, type Finding } from './finding.ts'
import { checkAuthorizers, findGateway } from './gateway.ts'
import { checkLifetimes, checkLimits, checkProblems, checkReferences } from './limits.ts'
import { type PoolGroups, readPoolGroups } from './pool-names.ts'
import {
  checkAgreement,
  checkAppScopes,
  checkDocument,
  checkUnprotected,
  listAppPools,
} from './routes.ts'
import { checkLeastPrivilege, checkUnused, createScopeIndex } from './scopes.ts'
import { applySuppressions } from './suppressions.ts'
import { checkIdentifiers, checkPoolReferences, checkUserPools } from './user-pools.ts'

/** Validated options. */
interface CheckInput {
  readonly models: readonly InfraModel[]
  /** Routes of the code of an app. */
  readonly code: readonly ReadRoute[]
  /** Routes of an OpenAPI document. */
  readonly documented: readonly ReadRoute[]
  /** In seconds. */
  readonly proxyTtl: number | undefined
  readonly pools: PoolGroups
}

/** @throws {OptionError} `ERR_OPTION_INVALID` if a model, a route or an option is invalid. */
export function readCheckInput(models: unknown, options: unknown): CheckInput {
  const all = readModels(models)
  const members = readMembers(options, ['routes', 'openapi', 'proxyTtl', 'pools'], '')
  return {
    models: all,
    code: readAppRoutes(members['routes'] ?? [], 'routes'),
    documented: readAppRoutes(members['openapi'] ?? [], 'openapi'),
    proxyTtl: readProxyTtl(members),
    pools: readPoolGroups(members['pools'] ?? [], 'pools'),
  }
}

function readModels(models: unknown): readonly InfraModel[] {
  const all: unknown[] = Array.isArray(models) ? [...models] : [models]
  for (const model of all) {
    if (typeof model === 'object' && model !== null && 'resourceServers' in model) continue
    throw new OptionError(
      'models',
      `expected results of readTemplate, got ${describeValue(model)}. Pass a model or an array of models.`,
    )
  }
  return all as readonly InfraModel[]
}

const readProxyTtl = (members: Readonly<Record<string, unknown>>): number | undefined =>
  'proxyTtl' in members
    ? readNumber(members, 'proxyTtl', '', { defaultValue: 0, min: 0, max: 86_400, unit: 'seconds' })
    : undefined

/** Options of {@link checkScopes}. */
export interface CheckScopesOptions {
  /**
   * The routes that the code of the app declares, for example from `readRoutes`.
   *
   * @defaultValue `[]`
   */
  readonly routes?: readonly AppRoute[]
  /**
   * The routes that the OpenAPI document of the app describes, from `readOpenApi`.
   *
   * @defaultValue `[]`
   */
  readonly openapi?: readonly AppRoute[]
  /**
   * How long a caching proxy in front of the token endpoint caches a token, in seconds: 0 to 86,400.
   *
   * @defaultValue No proxy
   */
  readonly proxyTtl?: number
  /**
   * Names of user pools that the templates do not create. Each group lists at least two names of one pool: SSM
   * parameters, exports, parameters, variables, ids, ARNs, issuers, or addresses of resources and data sources.
   *
   * Without a group, names that seem to belong to one pool are assumed to do so, and findings that depend on the
   * assumption are warnings.
   *
   * @defaultValue `[]`
   * @example
   * ```ts
   * const pools = [['/auth/user-pool-id', '/auth/user-pool-arn']]
   * ```
   */
  readonly pools?: readonly (readonly string[])[]
}

/** Codes of findings in templates that need the routes of an app. */
const ROUTE_CODES: ReadonlySet<CheckCode> = new Set<CheckCode>([
  'client-over-granted',
  'route-open-in-template',
])

/**
 * Checks templates that are deployed together: against each other, against the limits of Cognito and API Gateway, and
 * against the routes of an app. Values that are unknown in a model, and what depends on them, are not reported. Neither
 * are findings that a comment or metadata of a template suppresses.
 *
 * @example
 * ```ts
 * const findings = checkScopes(await readTemplate(source), { routes: await readRoutes(routes) })
 * const failed = findings.some(({ severity }) => severity === 'error')
 * ```
 *
 * @param models One model, or the models of all templates that are deployed together.
 * @param options The routes of the app, and the lifetime of cached tokens.
 * @returns The findings, sorted by file, line and column. Empty if there are none.
 * @throws {OptionError} `ERR_OPTION_INVALID` if a model, a route or an option is invalid.
 */
export function checkScopes(
  models: InfraModel | readonly InfraModel[],
  options: CheckScopesOptions = {},
): readonly Finding[] {
  const { models: all, code, documented, proxyTtl, pools: groups } = readCheckInput(models, options)
  const routes = [...code, ...documented]
  const scopeIndex = createScopeIndex(all, groups)
  const gateway = findGateway(all, routes)
  const pools = listAppPools(all, gateway, routes, scopeIndex)
  const found = [
    ...all.flatMap(checkProblems),
    ...all.flatMap(checkReferences),
    ...all.flatMap((model) => checkLimits(model, scopeIndex.resolvePool)),
    ...all.flatMap(checkPoolReferences),
    ...checkIdentifiers(scopeIndex),
    ...all.flatMap((model) => checkClients(model, scopeIndex)),
    ...all.flatMap(checkFlows),
    ...checkGrants(all, scopeIndex),
    ...checkUserPools(all, scopeIndex),
    ...all.flatMap((model) => checkAuthorizers(model, scopeIndex)),
    ...all.flatMap(checkAuthorizerSettings),
    ...checkAudiences(all, scopeIndex),
    ...checkUnused(scopeIndex),
    ...checkLifetimes(all, scopeIndex, proxyTtl),
    ...checkAppScopes(routes, scopeIndex, pools),
    ...checkUnprotected(code),
    ...checkLeastPrivilege(routes, scopeIndex, pools),
    ...(gateway === undefined
      ? []
      : [
          ...checkAgreement(gateway, code, scopeIndex, 'code'),
          ...checkAgreement(gateway, documented, scopeIndex, 'the document'),
        ]),
    ...checkDocument(code, documented),
  ]
  const isEvaluated = (code: CheckCode): boolean =>
    !(code === 'lifetime-ttl' && proxyTtl === undefined) &&
    !(ROUTE_CODES.has(code) && routes.length === 0)
  const remaining = applySuppressions(found, all, isEvaluated)
  return removeDuplicates(remaining).sort(comparePositions)
}

/**
 * A list that two resources share is checked twice, so the resource is ignored. A repeated Terraform block is checked
 * for each member, so the key of the member (`["billing"]`) is ignored.
 */
function removeDuplicates(found: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>()
  for (const one of found) {
    const message = one.message.replaceAll(/\["[^"]*"\]/g, '')
    const key = JSON.stringify({ ...one, resource: undefined, message })
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}
