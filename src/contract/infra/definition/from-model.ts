/** Models → the definition behind them: the way back from templates. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { isMachineClient } from '../check/scopes.ts'
import type { Fact, InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import { type InfraDefinition, readDefinition } from './definition.ts'

/**
 * The definition behind the models of templates that are deployed together: the user pool, its machine
 * clients, and the API whose authorizer judges their tokens, with every default decided. What API Gateway
 * does not keep does not come back: several scopes of a route are `anyOf`, which is what it admits.
 *
 * @param models One model, or all of the templates that are deployed together, as the pair of SAM.
 * @throws {OptionError} `ERR_OPTION_INVALID` where they have not exactly one user pool, more than one
 *   authorizer, or leave a fact unknown: pass `parameters` to `readTemplate`.
 */
export function toDefinition(models: InfraModel | readonly InfraModel[]): InfraDefinition {
  const all = Array.isArray(models) ? (models as readonly InfraModel[]) : [models as InfraModel]
  const pools = all.flatMap(({ userPools }) => userPools)
  const [pool, ...others] = pools
  if (pool === undefined || others.length > 0) {
    const problem = `expected exactly one user pool, got ${pools.length}. Pass the templates of one user pool.`
    throw new OptionError('models', problem)
  }
  const [domain] = all.flatMap(({ domains }) => domains)
  const machines = all.flatMap(({ clients }) => clients).filter(isMachineClient)
  const api = toApi(all)
  return readDefinition({
    name: requireValue(pool.name, pool.id),
    ...(domain === undefined ? {} : { domain: requireValue(domain.domain, domain.id) }),
    resourceServers: all
      .flatMap(({ resourceServers }) => resourceServers)
      .map(({ id, identifier, scopes }) => ({
        identifier: requireValue(identifier, id),
        scopes: Object.fromEntries(
          scopes.map(({ name, description }) => [
            requireValue(name, id),
            requireValue(description, id),
          ]),
        ),
      })),
    clients: machines.map(({ id, name, scopes, accessTokenValidity }) => ({
      name: requireValue(name, id),
      scopes: (scopes?.items ?? []).map((scope) => requireValue(scope, id)),
      ...(accessTokenValidity && { accessTokenValidity: requireValue(accessTokenValidity, id) }),
    })),
    ...(api === undefined ? {} : { api }),
  })
}

function toApi(models: readonly InfraModel[]): object | undefined {
  const found = models.flatMap((model) =>
    model.authorizers.map((authorizer) => ({ authorizer, model })),
  )
  const [only, ...others] = found
  if (only === undefined) return undefined
  if (others.length > 0) {
    throw new OptionError(
      'models',
      `expected at most one authorizer, got ${found.length}. Pass the templates of one API.`,
    )
  }
  const { authorizer, model } = only
  const { id, kind, name, ttl, api } = authorizer
  return {
    name: requireValue(name, id),
    kind,
    ...(ttl && { authorizerTtl: requireValue(ttl, id) }),
    routes: model.routes
      .filter((route) => route.api === api)
      .map((route) => ({
        method: requireValue(route.method, route.id),
        path: requireValue(route.path, route.id),
        auth: toAuth(route, authorizer),
      })),
  }
}

function toAuth({ id, authorization, scopes }: InfraRoute, authorizer: InfraAuthorizer): unknown {
  if (authorization === 'none') return false
  if (authorization !== 'cognito') {
    throw new OptionError(
      'models',
      `expected ${describeValue(id)} to use ${describeValue(authorizer.id)}, got another authorizer. Use one authorizer for all routes.`,
    )
  }
  if (scopes?.complete === false) return requireValue(undefined, id)
  const items = (scopes?.items ?? []).map((scope) => requireValue(scope, id))
  if (items.length === 0) return {}
  return items.length === 1 ? { scopes: items } : { anyOf: items }
}

function requireValue<T>(fact: Fact<T> | undefined, id: string): T {
  if (fact?.value !== undefined) return fact.value
  throw new OptionError(
    'models',
    `expected known values for ${describeValue(id)}, got one that only the deployment knows. Pass parameters to readTemplate.`,
  )
}
