/** Clients: their flows, secrets, scopes and the order of deployment. */

import { printable } from '../core/printable.ts'
import { type Finding, finding } from './finding.ts'
import type { Fact, InfraClient, InfraModel } from './model.ts'
import { isMachine, type ScopeTable } from './scope-table.ts'

export function checkClients(model: InfraModel, table: ScopeTable): Finding[] {
  return model.clients.flatMap((client) => [
    ...(isMachine(client) ? checkMachine(client) : []),
    ...checkGrants(client, table),
    ...checkOrder(client, model, table),
  ])
}

function checkMachine(client: InfraClient): Finding[] {
  const { flows, generateSecret, oauth, complete } = client
  const name = printable(client.id)
  const found: Finding[] = []
  const other = flows?.items.find(
    ({ value }) => value !== undefined && value !== 'client_credentials',
  )
  if (other !== undefined) {
    found.push(
      finding(
        other.at,
        'error',
        'flow-mixed',
        `${name} allows ${printable(other.value as string)} beside client_credentials: Cognito refuses it`,
        'give users a client of their own',
      ),
    )
  }
  if (isOff(generateSecret, complete)) {
    found.push(
      finding(
        generateSecret?.at ?? client.at,
        'error',
        'client-no-secret',
        `${name} has no secret: client_credentials needs one`,
        'generate a secret (GenerateSecret: true, generate_secret = true)',
      ),
    )
  }
  if (isOff(oauth, complete)) {
    found.push(
      finding(
        oauth?.at ?? client.at,
        'error',
        'oauth-off',
        `${name} has OAuth off: its token requests are answered with invalid_grant`,
        'turn it on (AllowedOAuthFlowsUserPoolClient, allowed_oauth_flows_user_pool_client)',
      ),
    )
  }
  return found
}

/** Written as false, or certainly not written. */
const isOff = (fact: Fact<boolean> | undefined, complete: boolean): boolean =>
  fact === undefined ? complete : fact.value === false

function checkGrants({ id, scopes }: InfraClient, table: ScopeTable): Finding[] {
  return (scopes?.items ?? []).flatMap(({ at, value }) =>
    value === undefined || !table.isMissing(value)
      ? []
      : finding(
          at,
          'error',
          'grant-undefined',
          `${printable(id)} is granted ${printable(value)}, which no resource server defines`,
          closest(value, table),
        ),
  )
}

/** Names a defined scope of the same resource server where there is one. */
export function closest(scope: string, { defined }: ScopeTable): string {
  const identifier = scope.slice(0, scope.lastIndexOf('/') + 1)
  const near = [...defined.keys()].filter((known) => known.startsWith(identifier)).slice(0, 5)
  return near.length === 0
    ? 'define it, or correct the spelling'
    : `define it, or use one of ${near.map((known) => printable(known)).join(', ')}`
}

/** A scope as plain text is deployed in any order, also before what defines it. */
function checkOrder(client: InfraClient, model: InfraModel, table: ScopeTable): Finding[] {
  return (client.scopes?.items ?? []).flatMap(({ at, value, refs }) => {
    const server = table.defined.get(value ?? '')?.server
    if (server === undefined || !model.resourceServers.includes(server)) return []
    if (refs.includes(server.id) || client.dependsOn.includes(server.id)) return []
    return finding(
      at,
      'error',
      'scope-order',
      `${printable(client.id)} may be deployed before ${printable(server.id)}, which defines ${printable(value as string)}`,
      model.dialect === 'terraform'
        ? `use ${printable(server.id)}.scope_identifiers, or add it to depends_on`
        : `compose it (!Sub '\${${printable(server.id)}}/…'), or add DependsOn: ${printable(server.id)}`,
    )
  })
}
