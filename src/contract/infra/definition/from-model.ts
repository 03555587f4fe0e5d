/** `toDefinition`: converts the models of templates to a definition. */
import { describeValue, OptionError, omitUndefined } from '../../../core/options/validate.ts'
import { isMachineClient } from '../check/scopes.ts'
import type { Fact, InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import { type InfraDefinition, readDefinition } from './definition.ts'

/**
 * Converts models of templates to a definition: the user pool, its machine clients, and the APIs whose authorizers
 * verify their tokens. It is the inverse of `renderTemplate`, with these differences:
 *
 * - Defaults are explicit.
 * - Several scopes of a route are `anyOf`, because an authorizer accepts any of them.
 * - The stage is a part of the names.
 * - Tags, access logs and throttling are not in models.
 *
 * @param models One model, or the models of all templates that are deployed together, such as both SAM templates.
 * @returns The definition, with every default.
 * @throws {OptionError} `ERR_OPTION_INVALID` if the models do not have exactly one user pool, have an API with
 *   more than one authorizer, or lack a value. Pass `parameters` to `readTemplate` for values that are unknown.
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
  const definition = omitUndefined<object>({
    name: requireValue(pool.name, pool.id),
    domain: domain === undefined ? undefined : requireValue(domain.domain, domain.id),
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
    clients: machines.map(({ id, name, scopes, accessTokenValidity }) =>
      omitUndefined<object>({
        name: requireValue(name, id),
        scopes: (scopes?.items ?? []).map((scope) => requireValue(scope, id)),
        accessTokenValidity: accessTokenValidity && requireValue(accessTokenValidity, id),
      }),
    ),
    apis: toApis(all),
  })
  return readDefinition(definition)
}

function toApis(models: readonly InfraModel[]): object[] {
  return models.flatMap((model) =>
    model.authorizers.map((authorizer) => {
      const { length } = model.authorizers.filter(({ api }) => api === authorizer.api)
      if (length === 1) return toApi(model, authorizer)
      throw new OptionError(
        'models',
        `expected at most one authorizer in an API, got ${length}. Use one authorizer for all routes.`,
      )
    }),
  )
}

function toApi(model: InfraModel, authorizer: InfraAuthorizer): object {
  const { id, kind, name, ttl, api } = authorizer
  return omitUndefined<object>({
    name: requireValue(name, id),
    kind,
    authorizerTtl: ttl && requireValue(ttl, id),
    routes: model.routes
      .filter((route) => route.api === api)
      .map((route) => ({
        method: requireValue(route.method, route.id),
        path: requireValue(route.path, route.id),
        auth: toAuth(route, authorizer),
      })),
  })
}

function toAuth({ id, authorization, scopes }: InfraRoute, authorizer: InfraAuthorizer): unknown {
  if (authorization === 'none') return false
  if (authorization !== 'cognito') {
    throw new OptionError(
      'models',
      `expected the authorizer ${describeValue(authorizer.id)} for ${describeValue(id)}, got another one. Use one authorizer for all routes.`,
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
