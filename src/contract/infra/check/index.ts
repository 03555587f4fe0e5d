/** Finds where templates, code and documents say different things about scopes. */
import {
  describeValue,
  OptionError,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { type AppRoute, readAppRoutes } from '../app/route.ts'
import type { InfraModel } from '../model/model.ts'
import { checkClients } from './clients.ts'
import type { Finding } from './finding.ts'
import { checkAuthorizers, findGateway } from './gateway.ts'
import { checkLifetimes, checkLimits, checkReferences } from './limits.ts'
import {
  checkAgreement,
  checkAppScopes,
  checkDocument,
  checkUnprotected,
  listAppPools,
} from './routes.ts'
import { checkLeastPrivilege, checkUnused, createScopeIndex } from './scopes.ts'

export interface CheckScopesOptions {
  /** The routes of the app behind the templates' APIs, as its code declares them. */
  readonly routes?: readonly AppRoute[]
  /** The same as its OpenAPI document declares them: `readOpenApi`. */
  readonly openapi?: readonly AppRoute[]
  /** Seconds a caching proxy in front of the token endpoint keeps a token; at most 86,400. */
  readonly proxyTtl?: number
}

/**
 * Compares the models of templates that are deployed together with each other, with Cognito's limits, and
 * with the routes of an app. Reads nothing and changes nothing. What is unknown in a model is never
 * reported, nor what depends on it.
 *
 * @param models One model, or all of the templates that are deployed together.
 * @returns What was found, by file, line and column; empty where nothing drifts.
 * @throws {OptionError} `ERR_OPTION_INVALID` where models, routes or options are not what they should be.
 */
export function checkScopes(
  models: InfraModel | readonly InfraModel[],
  options: CheckScopesOptions = {},
): readonly Finding[] {
  const all = readModels(models)
  const members = readMembers(options, ['routes', 'openapi', 'proxyTtl'], '')
  const code = readAppRoutes(members['routes'] ?? [], 'routes')
  const documented = readAppRoutes(members['openapi'] ?? [], 'openapi')
  const routes = [...code, ...documented]
  const scopeIndex = createScopeIndex(all)
  const gateway = findGateway(all, routes)
  const pools = listAppPools(all, gateway, routes, scopeIndex)
  const found = [
    ...all.flatMap(checkReferences),
    ...all.flatMap((model) => checkLimits(model, scopeIndex.resolvePool)),
    ...all.flatMap((model) => checkClients(model, scopeIndex)),
    ...all.flatMap((model) => checkAuthorizers(model, scopeIndex)),
    ...checkUnused(scopeIndex),
    ...checkLifetimes(all, scopeIndex, readProxyTtl(members)),
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
  return removeDuplicates(found).sort(comparePositions)
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

/** A list that two resources share is checked twice, a block that is repeated once a member: `["billing"]`. */
function removeDuplicates(found: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>()
  for (const one of found) {
    const key = JSON.stringify({ ...one, message: one.message.replaceAll(/\["[^"]*"\]/g, '') })
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}

const comparePositions = (a: Finding, b: Finding): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column
