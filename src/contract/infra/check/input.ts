/** Validates what `checkScopes` and `checkCoverage` take: models, routes, and names of pools. */
import {
  describeValue,
  OptionError,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { type ReadRoute, readAppRoutes } from '../app/route.ts'
import type { InfraModel } from '../model/model.ts'
import { type PoolGroups, readPoolGroups } from './pool-groups.ts'

/** Validated options. */
export interface CheckInput {
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
