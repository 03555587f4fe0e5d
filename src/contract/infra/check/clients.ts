/** Findings about app clients: flows, secrets, scopes, references and the order of deployment. */
import { isReserved } from '../../../core/scopes.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, FactList, InfraClient, InfraModel, InfraOutput } from '../model/model.ts'
import { createFinding, type Finding } from './finding.ts'
import { isCertainlyCreated, mayBeSamePool, type PoolLink } from './pools.ts'
import {
  checkGrant,
  isMachineClient,
  type ListedScope,
  listGrants,
  type ScopeIndex,
} from './scopes.ts'
import { splitScope } from './symbolic.ts'

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
  if (client.mayAwaitAny === true) return []
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

/** Returns the clients of a reference. Undefined if the value may be the id of any client. */
export type FindClients = (
  model: InfraModel,
  fact: Fact<string>,
) => readonly InfraClient[] | undefined

interface Publication {
  readonly model: InfraModel
  readonly value: Fact<string>
}

type Output = Pick<InfraOutput, 'value' | 'conditional'>

export function createClientFinder(models: readonly InfraModel[]): FindClients {
  const clients = new Map(models.map((model) => [model, groupClients(model)]))
  const published = indexPublications(models)
  const findDirectly: FindClients = (model, { source, pieces }) =>
    pieces === undefined ? clients.get(model)?.get(source.resource ?? '') : undefined
  return (model, fact) => {
    const { ssm, imported } = fact.source
    const name = ssm === undefined ? `export ${imported}` : `parameter ${ssm}`
    const publication = published.get(name)
    return publication === undefined
      ? findDirectly(model, fact)
      : findDirectly(publication.model, publication.value)
  }
}

/** Returns the logical id, or the Terraform address without the key of a member (`["billing"]`). */
export const getClientAddress = ({ id }: InfraClient): string => id.replace(/\[.*$/s, '')

/** Groups clients by address: members of a repeated block have one address. */
function groupClients({ clients }: InfraModel): ReadonlyMap<string, readonly InfraClient[]> {
  const groups = new Map<string, InfraClient[]>()
  for (const client of clients) {
    const address = getClientAddress(client)
    const group = groups.get(address)
    if (group === undefined) groups.set(address, [client])
    else group.push(client)
  }
  return groups
}

/** Indexes exports and SSM parameters by name. A name that is published twice is ambiguous, and left out. */
function indexPublications(models: readonly InfraModel[]): ReadonlyMap<string, Publication> {
  const publications = new Map<string, Publication>()
  const ambiguous = new Set<string>()
  const add = (
    kind: string,
    model: InfraModel,
    name: Fact<string> | undefined,
    one: Output,
  ): void => {
    if (name?.value === undefined || one.value === undefined || one.conditional) return
    const key = `${kind} ${name.value}`
    if (publications.has(key)) ambiguous.add(key)
    publications.set(key, { model, value: one.value })
  }
  for (const model of models) {
    for (const one of model.parameters) add('parameter', model, one.name, one)
    for (const one of model.outputs) add('export', model, one.exported, one)
  }
  for (const key of ambiguous) publications.delete(key)
  return publications
}

const FLOWS: ReadonlySet<string> = new Set(['client_credentials', 'code', 'implicit'])
const FIX = `use ${[...FLOWS].join(', ')}`
/** The flow of GetClientToken. It needs no domain, and excludes every other flow of the user pools API. */
export const CLIENT_TOKEN_FLOW = 'ALLOW_CLIENT_TOKEN_AUTH'
const MACHINE_FLOWS: readonly string[] = ['client_credentials']
const MACHINE_EXPLICIT_FLOWS: readonly string[] = [CLIENT_TOKEN_FLOW, 'ALLOW_REFRESH_TOKEN_AUTH']
const TYPE_NAMES = { scalar: 'one value', list: 'a list', map: 'a map' } as const

export const checkFlows = (model: InfraModel): Finding[] =>
  model.clients.flatMap((client) => [
    ...checkFlowNames(client, model),
    ...checkMixedFlows(client, client.flows, isMachineClient(client) ? 'client_credentials' : ''),
    ...checkMixedFlows(client, client.explicitAuthFlows, CLIENT_TOKEN_FLOW),
  ])

/** Whether the client may request tokens with GetClientToken. */
export const mayUseClientToken = ({ explicitAuthFlows, complete }: InfraClient): boolean =>
  explicitAuthFlows === undefined
    ? !complete
    : !explicitAuthFlows.complete || hasValue(explicitAuthFlows, CLIENT_TOKEN_FLOW)

/** Whether no user can sign in with the client, as far as the template says. */
export const servesMachinesOnly = ({ flows, explicitAuthFlows, complete }: InfraClient): boolean =>
  hasOnly(flows, MACHINE_FLOWS) &&
  (explicitAuthFlows === undefined ? complete : hasOnly(explicitAuthFlows, MACHINE_EXPLICIT_FLOWS))

const hasOnly = (list: FactList<string> | undefined, allowed: readonly string[]): boolean =>
  list?.complete === true && list.items.every(({ value }) => allowed.includes(value as string))

const hasValue = ({ items }: FactList<string>, expected: string): boolean =>
  items.some(({ value }) => value === expected)

function checkFlowNames({ id, flows }: InfraClient, model: InfraModel): Finding[] {
  if (flows === undefined) return []
  const name = chooseByDialect(model, 'AllowedOAuthFlows', 'allowed_oauth_flows')
  const report = (
    { at }: { at: Fact<string>['at'] },
    expected: string,
    actual: string,
  ): Finding => {
    const message = `${name} of ${toPrintable(id)}: expected ${expected}, got ${actual}`
    const fix = expected === 'a flow' ? FIX : `write ${expected}`
    return createFinding(at, 'error', 'flow-invalid', message, fix, { resource: id, value: actual })
  }
  const invalid = flows.items.flatMap((item) => {
    if (item.actualType !== undefined) return [report(item, 'a flow', TYPE_NAMES[item.actualType])]
    // An empty text is the default of a parameter that the deployment gives.
    if (item.value === undefined || item.value === '' || FLOWS.has(item.value)) return []
    return [report(item, 'a flow', toPrintable(item.value, 60))]
  })
  return flows.actualType === undefined
    ? invalid
    : [report(flows, 'a list of flows', TYPE_NAMES[flows.actualType]), ...invalid]
}

/** Reports the first flow in addition to one that must be the only flow. */
function checkMixedFlows(
  { id }: InfraClient,
  flows: FactList<string> | undefined,
  exclusive: string,
): Finding[] {
  if (flows === undefined || !hasValue(flows, exclusive)) return []
  const other = flows.items.find(
    ({ value = exclusive }) =>
      value !== exclusive && (exclusive === CLIENT_TOKEN_FLOW || FLOWS.has(value)),
  )
  if (other === undefined) return []
  const flow = toPrintable(other.value as string, 60)
  return [
    createFinding(
      other.at,
      'error',
      'flow-mixed',
      `${toPrintable(id)} allows ${flow} in addition to ${exclusive}: Cognito rejects the client`,
      `remove ${flow}: users need a separate client`,
      { resource: id, value: other.value as string },
    ),
  ]
}

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
