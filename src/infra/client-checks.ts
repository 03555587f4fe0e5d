/** Clients: their flows, secrets, scopes and the order of deployment. */

import { printable } from '../core/printable.ts'
import { type Finding, finding } from './finding.ts'
import type { Fact, InfraClient, InfraModel } from './model.ts'
import type { PoolLink } from './pool-links.ts'
import { type Grant, grants, isMachine, type ScopeTable } from './scope-table.ts'

export function checkClients(model: InfraModel, table: ScopeTable): Finding[] {
  return model.clients.flatMap((client) => {
    const pool = table.poolOf(model, client.userPool)
    return [
      ...(isMachine(client) ? checkMachine(client) : []),
      ...grants(client).flatMap((grant) => [
        ...checkGrant(client, grant, table, pool),
        ...checkOrder(client, grant, model, table, pool),
      ]),
    ]
  })
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

function checkGrant(
  { id }: InfraClient,
  { at, value }: Grant,
  table: ScopeTable,
  pool: PoolLink,
): Finding[] {
  if (!table.isMissing(value, pool)) return []
  const message = `${printable(id)} is granted ${printable(value)}, which no resource server of its pool defines`
  return [finding(at, 'error', 'grant-undefined', message, definingFix(value, table, pool))]
}

/** Names where else it is defined, or what else its resource server defines. */
export function definingFix(scope: string, table: ScopeTable, pool: PoolLink): string {
  const [elsewhere] = table.elsewhere(scope)
  if (elsewhere !== undefined) {
    const { file, line } = elsewhere.fact.at
    return `define it there too: ${printable(elsewhere.server.id)} (${printable(file)}:${line}) is another pool's`
  }
  const near = new Set(table.siblings(scope, pool).map((one) => one.scope))
  const names = [...near].slice(0, 5).map((name) => printable(name))
  return names.length === 0
    ? 'define it, correct the spelling, or check the template that defines it too'
    : `define it, or use one of ${names.join(', ')}`
}

/** A scope as plain text is deployed in any order, also before what defines it. */
function checkOrder(
  client: InfraClient,
  { at, value, refs }: Grant,
  model: InfraModel,
  table: ScopeTable,
  pool: PoolLink,
): Finding[] {
  const servers = table
    .definitions(value, pool)
    .filter((one) => one.model === model)
    .map(({ server }) => server)
  const [server] = servers
  const waits = ({ id }: { id: string }) => refs.includes(id) || client.dependsOn.includes(id)
  // Which of several is there, and whether one is, a condition decides.
  if (server === undefined || servers.some((one) => one.conditional || waits(one))) return []
  const id = printable(server.id)
  const message = `${printable(client.id)} may be deployed before ${id}, which defines ${printable(value)}`
  const fix =
    model.dialect === 'terraform'
      ? `use ${id}.scope_identifiers, or add it to depends_on`
      : `compose it (!Sub '\${${id}}/…'), or add DependsOn: ${id}`
  return [finding(at, 'error', 'scope-order', message, fix)]
}
