/** Clients: their flows, secrets, scopes and the order of deployment. */

import { printable } from '../core/printable.ts'
import { type Finding, finding } from './finding.ts'
import type { Fact, InfraClient, InfraModel, InfraResourceServer } from './model.ts'
import { identifierOf, isMachine, poolOf, type ScopeTable } from './scope-table.ts'

export function checkClients(model: InfraModel, table: ScopeTable): Finding[] {
  return model.clients.flatMap((client) => [
    ...(isMachine(client) ? checkMachine(client, model) : []),
    ...checkGrants(client, table),
    ...checkOrder(client, model, table),
  ])
}

function checkMachine(client: InfraClient, { dialect }: InfraModel): Finding[] {
  const terraform = dialect === 'terraform'
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
        `take ${printable(other.value as string)} from it, and give users a client of their own`,
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
        `generate one: ${terraform ? 'generate_secret = true' : 'GenerateSecret: true'}`,
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
        `turn it on: ${terraform ? 'allowed_oauth_flows_user_pool_client = true' : 'AllowedOAuthFlowsUserPoolClient: true'}`,
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

/** Names defined scopes that may be meant: of the same resource server, else of the same name. */
export function closest(scope: string, { defined }: ScopeTable): string {
  const identifier = identifierOf(scope)
  const known = [...defined.keys()]
  const near = known.filter((one) => identifierOf(one) === identifier)
  const name = scope.slice(identifier.length)
  const meant = near.length > 0 ? near : known.filter((one) => one.endsWith(name))
  return meant.length === 0
    ? 'define it, or correct the spelling'
    : `define it, or use one of ${printed(meant.slice(0, 5))}`
}

const printed = (names: readonly string[]): string =>
  names.map((name) => printable(name)).join(', ')

/** Scopes as plain text are deployed in any order, also before what defines them: once a resource server. */
function checkOrder(client: InfraClient, model: InfraModel, table: ScopeTable): Finding[] {
  const early = new Map<string, Fact<string>[]>()
  for (const fact of client.scopes?.items ?? []) {
    const ids = (table.defined.get(fact.value ?? '') ?? [])
      .filter(({ server }) => model.resourceServers.includes(server) && mayShare(server, client))
      .map(({ server }) => server.id)
    const [id] = ids
    // Conditions may choose between several: waiting for one is waiting for the one that is there.
    const waits = ids.some((one) => fact.refs.includes(one) || client.dependsOn.includes(one))
    if (id !== undefined && !waits) early.set(id, [...(early.get(id) ?? []), fact])
  }
  return [...early].map(([id, facts]) => {
    const [first] = facts as [Fact<string>]
    const scopes = printed(facts.map(({ value }) => value as string))
    return finding(
      first.at,
      'error',
      'scope-order',
      `${printable(client.id)} may be deployed before ${printable(id)}, which defines ${scopes}`,
      model.dialect === 'terraform'
        ? `use ${printable(id)}.scope_identifiers, or add ${printable(id)} to depends_on`
        : `compose it (!Sub '\${${printable(id)}}/…'), or add DependsOn: ${printable(id)}`,
    )
  })
}

/** Whether both may be of one user pool. */
function mayShare(server: InfraResourceServer, client: InfraClient): boolean {
  const [one, other] = [poolOf(server), poolOf(client)]
  return one === undefined || other === undefined || one === other
}
