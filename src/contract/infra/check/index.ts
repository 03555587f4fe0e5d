/** `checkScopes`: compares templates, code and OpenAPI documents. */
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
}

/**
 * Checks templates that are deployed together: against each other, against the limits of Cognito and API Gateway, and
 * against the routes of an app. Values that are unknown in a model, and what depends on them, are not reported.
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

/**
 * A list that two resources share is checked twice, so the resource is ignored. A repeated Terraform block is checked for each member, so the key
 * of the member (`["billing"]`) is ignored.
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

const comparePositions = (a: Finding, b: Finding): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column
