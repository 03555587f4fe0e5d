/** Clients: their flows, secrets, scopes and the order of deployment. */

import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraClient, InfraModel } from '../model/model.ts'
import { type Finding, finding } from './finding.ts'
import type { PoolLink } from './pools.ts'
import { type Grant, grants, identifierOf, isMachine, type ScopeTable } from './scope-index.ts'

export function checkClients(model: InfraModel, table: ScopeTable): Finding[] {
  return model.clients.flatMap((client) => {
    const pool = table.poolOf(model, client.userPool)
    return [
      ...(isMachine(client) ? checkMachine(client, model) : []),
      ...grants(client).flatMap((grant) => checkGrant(client, grant, table, pool)),
      ...checkOrder(client, model, table, pool),
    ]
  })
}

/** What is to be written, in the words of the template. */
export const inDialect = (
  { dialect }: InfraModel,
  cloudformation: string,
  terraform: string,
): string => (dialect === 'terraform' ? terraform : cloudformation)

function checkMachine(client: InfraClient, model: InfraModel): Finding[] {
  const { flows, generateSecret, oauth, complete } = client
  const name = toPrintable(client.id)
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
        `${name} allows ${toPrintable(other.value as string)} beside client_credentials: Cognito refuses it`,
        `take ${toPrintable(other.value as string)} from it: users need a client of their own`,
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
        `generate one: ${inDialect(model, 'GenerateSecret: true', 'generate_secret = true')}`,
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
        `turn it on: ${inDialect(
          model,
          'AllowedOAuthFlowsUserPoolClient: true',
          'allowed_oauth_flows_user_pool_client = true',
        )}`,
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
  const message = `${toPrintable(id)} is granted ${toPrintable(value)}, which no resource server of its pool defines`
  return [finding(at, 'error', 'grant-undefined', message, definingFix(value, table, pool))]
}

/** Names where else it is defined, what else its resource server defines, or what has its name elsewhere. */
export function definingFix(scope: string, table: ScopeTable, pool: PoolLink): string {
  const [elsewhere] = table.elsewhere(scope)
  if (elsewhere !== undefined) {
    const { file, line } = elsewhere.fact.at
    return `define it there too: ${toPrintable(elsewhere.server.id)} (${toPrintable(file)}:${line}) is another pool's`
  }
  const siblings = table.siblings(scope, pool)
  const name = scope.slice(identifierOf(scope).length)
  const meant =
    siblings.length > 0 ? siblings : table.defined.filter((one) => one.scope.endsWith(name))
  const near = new Set(meant.map((one) => one.scope))
  const names = [...near].slice(0, 5).map((name) => toPrintable(name))
  return names.length === 0
    ? 'define it, correct the spelling, or check the template that defines it too'
    : `define it, or use ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`
}

/** Scopes as plain text are deployed in any order, also before what defines them: once a resource server. */
function checkOrder(
  client: InfraClient,
  model: InfraModel,
  table: ScopeTable,
  pool: PoolLink,
): Finding[] {
  const early = new Map<string, Grant[]>()
  for (const grant of grants(client)) {
    const servers = table
      .definitions(grant.value, pool)
      .filter((one) => one.model === model)
      .map(({ server }) => server)
    const [server] = servers
    const waits = ({ id }: { id: string }) =>
      grant.refs.includes(id) || client.dependsOn.includes(id)
    // Which of several is there, and whether one is, a condition decides.
    if (server === undefined || servers.some((one) => one.conditional || waits(one))) continue
    early.set(server.id, [...(early.get(server.id) ?? []), grant])
  }
  return [...early].map(([key, list]) => {
    const [first] = list as [Grant]
    const id = toPrintable(key)
    const scopes = list.map(({ value }) => toPrintable(value)).join(', ')
    const message = `${toPrintable(client.id)} may be deployed before ${id}, which defines ${scopes}`
    const fix = inDialect(
      model,
      `compose it (!Sub '\${${id}}/…'), or add DependsOn: ${id}`,
      `use ${id}.scope_identifiers, or add ${id} to depends_on`,
    )
    return finding(first.at, 'error', 'scope-order', message, fix)
  })
}
