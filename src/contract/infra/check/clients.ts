/** Findings about app clients: secrets, scopes and the order of deployment. */

import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraClient, InfraModel } from '../model/model.ts'
import { createFinding, type Finding } from './finding.ts'
import type { PoolLink } from './pools.ts'
import { checkGrant, isMachineClient, type ListedScope, type ScopeIndex } from './scopes.ts'

export function checkClients(model: InfraModel, scopeIndex: ScopeIndex): Finding[] {
  return model.clients.flatMap((client) => {
    const pool = scopeIndex.resolvePool(model, client.userPool)
    return [
      ...(isMachineClient(client) ? checkMachineClient(client, model) : []),
      ...scopeIndex
        .listScopes(model, client.scopes)
        .flatMap((granted) => checkGrant(client, granted, scopeIndex, pool)),
      ...checkDeploymentOrder(client, model, scopeIndex, pool),
    ]
  })
}

/** Chooses the name of a property in the dialect of the template. */
export const chooseByDialect = (
  { dialect }: InfraModel,
  cloudformation: string,
  terraform: string,
): string => (dialect === 'terraform' ? terraform : cloudformation)

function checkMachineClient(client: InfraClient, model: InfraModel): Finding[] {
  const { generateSecret, oauth, complete } = client
  const name = toPrintable(client.id)
  const findings: Finding[] = []
  if (isDisabled(generateSecret, complete)) {
    findings.push(
      createFinding(
        generateSecret?.at ?? client.at,
        'error',
        'client-no-secret',
        `${name} has no secret: client_credentials needs one`,
        `generate one: ${chooseByDialect(model, 'GenerateSecret: true', 'generate_secret = true')}`,
        { resource: client.id },
      ),
    )
  }
  if (isDisabled(oauth, complete)) {
    findings.push(
      createFinding(
        oauth?.at ?? client.at,
        'error',
        'oauth-off',
        `${name} has OAuth off: its token requests are answered with invalid_grant`,
        `turn it on: ${chooseByDialect(
          model,
          'AllowedOAuthFlowsUserPoolClient: true',
          'allowed_oauth_flows_user_pool_client = true',
        )}`,
        { resource: client.id },
      ),
    )
  }
  return findings
}

/** Whether a property is false, or certainly missing. */
const isDisabled = (fact: Fact<boolean> | undefined, complete: boolean): boolean =>
  fact === undefined ? complete : fact.value === false

/**
 * Clients whose scopes do not refer to the resource server may be deployed before it. One finding for each server.
 */
function checkDeploymentOrder(
  client: InfraClient,
  model: InfraModel,
  scopeIndex: ScopeIndex,
  pool: PoolLink,
): Finding[] {
  const grantsByServer = new Map<string, ListedScope[]>()
  for (const grant of scopeIndex.listScopes(model, client.scopes)) {
    const servers = scopeIndex
      .findDefinitions(grant.text, pool)
      .filter((one) => one.model === model)
      .map(({ server }) => server)
    const [server] = servers
    const isAwaited = ({ id }: { id: string }) =>
      grant.refs.includes(id) || client.dependsOn.includes(id)
    // A condition decides which of several servers is deployed.
    if (server === undefined || servers.some((one) => one.conditional || isAwaited(one))) continue
    grantsByServer.set(server.id, [...(grantsByServer.get(server.id) ?? []), grant])
  }
  return [...grantsByServer].map(([key, list]) => {
    const [first] = list as [ListedScope]
    const id = toPrintable(key)
    const scopes = list.map(({ text }) => toPrintable(text.label)).join(', ')
    const message = `${toPrintable(client.id)} may be deployed before ${id}, which defines ${scopes}`
    const fix = chooseByDialect(
      model,
      `compose it (!Sub '\${${id}}/…'), or add DependsOn: ${id}`,
      `use ${id}.scope_identifiers, or add ${id} to depends_on`,
    )
    const subject = { resource: client.id, value: key }
    return createFinding(first.at, 'error', 'scope-order', message, fix, subject)
  })
}
