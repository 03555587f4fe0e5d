/** Findings about the scopes of machine clients: none, reserved ones, and scopes without any resource server. */
import { isReserved } from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { InfraClient, InfraModel } from '../model/model.ts'
import { chooseByDialect } from './clients.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCertainlyCreated, mayBeSamePool, type PoolLink } from './pools.ts'
import { isMachineClient, listGrants, type ScopeIndex } from './scopes.ts'
import { splitScope } from './symbolic.ts'

export function checkGrants(models: readonly InfraModel[], scopeIndex: ScopeIndex): Finding[] {
  const hasNoServer = createServerCheck(models, scopeIndex)
  return models.flatMap((model) =>
    model.clients.flatMap((client) => {
      const pool = scopeIndex.resolvePool(model, client.userPool)
      return [
        ...(isMachineClient(client) ? checkMachineScopes(client, model) : []),
        ...(hasNoServer(pool) ? checkWithoutServer(client, model, scopeIndex) : []),
      ]
    }),
  )
}

function checkMachineScopes(client: InfraClient, model: InfraModel): Finding[] {
  const { id, at, scopes, oauth, flows, complete } = client
  const isEmpty = scopes === undefined ? complete : scopes.complete && scopes.items.length === 0
  if (isEmpty && oauth?.value === true) {
    const name = chooseByDialect(model, 'AllowedOAuthScopes', 'allowed_oauth_scopes')
    const message = `${toPrintable(id)} allows client_credentials and has no scopes: Cognito rejects the client`
    const fix = `grant it scopes of a resource server: ${name}`
    const subject = { resource: id }
    return [createFinding(scopes?.at ?? at, 'error', 'client-no-scopes', message, fix, subject)]
  }
  // With another flow, the scopes may be those of users.
  if (flows?.items.every(({ value }) => value === 'client_credentials') === false) return []
  return listGrants(client)
    .filter(({ value }) => isReserved(value))
    .map((grant) => {
      const message = `${toPrintable(id)} is granted ${grant.value}: Cognito rejects this scope with client_credentials`
      const fix = 'remove it: only tokens of users have it'
      const subject = { resource: id, value: grant.value }
      return createFinding(grant.at, 'error', 'scope-reserved', message, fix, subject)
    })
}

/** Creates a function that returns whether the templates create the pool, and no resource server can be in it. */
function createServerCheck(
  models: readonly InfraModel[],
  { resolvePool }: ScopeIndex,
): (pool: PoolLink) => boolean {
  const complete = models.every((model) => model.complete)
  const servers = models.flatMap((model) =>
    model.resourceServers.map(({ userPool }) => resolvePool(model, userPool)),
  )
  const results = new Map<string, boolean>()
  return (pool) => {
    if (!complete || !isCertainlyCreated(pool)) return false
    const known = results.get(pool.key)
    if (known !== undefined) return known
    const result = !servers.some((server) => mayBeSamePool(server, pool))
    results.set(pool.key, result)
    return result
  }
}

function checkWithoutServer(
  client: InfraClient,
  model: InfraModel,
  { listScopes }: ScopeIndex,
): Finding[] {
  const { id, userPool } = client
  // A later deployment may add the client, after another stack has added the resource server to the pool.
  const isSameTemplate = model.userPools.some((one) => userPool?.refs.includes(one.id))
  return listScopes(model, client.scopes)
    .filter((scope) => splitScope(scope.text) !== undefined)
    .map(({ at, text: { label } }) =>
      createFinding(
        at,
        isSameTemplate ? 'error' : 'warning',
        'grant-undefined',
        `${toPrintable(id)} is granted ${toPrintable(label)}, and its pool has no resource server`,
        'define the resource server, or check the template that defines it too',
        { resource: id, value: label },
      ),
    )
}
