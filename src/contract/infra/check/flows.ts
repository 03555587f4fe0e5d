/** Findings about the flows of app clients: invalid names and types, and flows that exclude each other. */
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, FactList, InfraClient, InfraModel } from '../model/model.ts'
import { chooseByDialect } from './clients.ts'
import { createFinding, type Finding } from './finding.ts'
import { isMachineClient } from './scopes.ts'

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
    if (item.value === undefined || FLOWS.has(item.value)) return []
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
