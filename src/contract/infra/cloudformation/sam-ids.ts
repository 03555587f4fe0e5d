/** The ids of the resources that SAM generates for those of a template. */
import type { Entry, Tree } from '../syntax/tree.ts'
import { getEntries, getPlainText } from './resolve.ts'

type Entries = ReadonlyMap<string, Entry>

/** Longest logical id, in characters. */
const MAX_ID_LENGTH = 255
const SERVERLESS = 'AWS::Serverless::'
/** Resources that SAM generates at most once for each template. */
const SHARED_IDS: ReadonlySet<string> = new Set([
  'CodeDeployServiceRole',
  'ServerlessApiKey',
  'ServerlessDeploymentApplication',
  'ServerlessUsagePlan',
  'ServerlessUsagePlanKey',
])
/** Ids that end in a hash of the domain name. */
const DOMAIN_ID = /^(?:ApiGatewayDomainName(?:V2)?|RecordSetGroup)[0-9a-f]{10}$/
/** The APIs of events that name no API. */
const IMPLICIT_APIS: ReadonlyMap<string, string> = new Map([
  ['ServerlessRestApi', 'AWS::Serverless::Api'],
  ['ServerlessHttpApi', 'AWS::Serverless::HttpApi'],
])
/** The ends of the ids that SAM generates, by the type of the resource. Other types of SAM may have any end. */
const SUFFIXES: ReadonlyMap<string, RegExp> = new Map([
  [
    'AWS::Serverless::Function',
    /^(?:Role|Version[0-9a-f]{10}|Alias\w+|DeploymentGroup|EventInvokeConfig(?:On(?:Success|Failure)(?:Queue|Topic)?)?|Url|UrlPublicPermissions|URLInvokeAllowPublicAccess)$/,
  ],
  ['AWS::Serverless::StateMachine', /^(?:Role|Version[0-9a-f]{10}|Alias\w+)$/],
  ['AWS::Serverless::LayerVersion', /^[0-9a-f]{10}$/],
  ['AWS::Serverless::SimpleTable', /^$/],
  ['AWS::Serverless::Application', /^$/],
  [
    'AWS::Serverless::Api',
    /^(?:Deployment[0-9a-f]{10}|\w*BasePathMapping|CloudWatchRole|Account|UsagePlan|UsagePlanKey|ApiKey|\w+AuthorizerPermission)$/,
  ],
  [
    'AWS::Serverless::HttpApi',
    /^(?:ApiGatewayDefaultStage|\w*ApiMapping|\w+AuthorizerPermission)$/,
  ],
])
const STAGED: ReadonlySet<string> = new Set(IMPLICIT_APIS.values())

/** Returns whether SAM generates a resource with this name, or resolves the name itself (`OrdersApi.Stage`). */
export function isSamId(name: string, resources: Tree): boolean {
  const declared = getEntries(resources)
  if (SHARED_IDS.has(name) || DOMAIN_ID.test(name)) return true
  const [id = '', property] = name.split('.')
  if (IMPLICIT_APIS.has(id)) return true
  if (property !== undefined) {
    return getType(declared, id).startsWith(SERVERLESS)
  }
  // Looks up each prefix of the name, because comparing with every resource would take quadratic time.
  const longest = Math.min(name.length, MAX_ID_LENGTH)
  return Array.from({ length: longest - 1 }, (_, end) => name.slice(0, end + 1)).some((prefix) => {
    const type = IMPLICIT_APIS.get(prefix) ?? getType(declared, prefix)
    return isSuffix(name.slice(prefix.length), type, getEntries(declared.get(prefix)?.value))
  })
}

const getType = (declared: Entries, id: string): string =>
  getPlainText(getEntries(declared.get(id)?.value), 'Type') ?? ''

function isSuffix(suffix: string, type: string, members: Entries): boolean {
  // A connector of any resource generates policies and permissions.
  const connectors = getEntries(members.get('Connectors')?.value)
  if ([...connectors.keys()].some((name) => suffix.startsWith(name))) return true
  if (!type.startsWith(SERVERLESS)) return false
  const properties = members.get('Properties')?.value
  return (
    (SUFFIXES.get(type)?.test(suffix) ?? true) ||
    (STAGED.has(type) && isStageSuffix(suffix, properties)) ||
    isEventSuffix(suffix, properties)
  )
}

/** The id of a stage contains its name. A name that is no plain text may have any value. */
function isStageSuffix(suffix: string, properties: Tree | undefined): boolean {
  const name = getPlainText(getEntries(properties), 'StageName')
  if (name === undefined) return /^\w*Stage$/.test(suffix)
  return /^[A-Za-z0-9]+$/.test(name)
    ? suffix === `${name}Stage`
    : /^Stage[0-9a-f]{10}$/.test(suffix)
}

/** Each event generates resources: permissions, rules, queues, subscriptions and mappings. */
function isEventSuffix(suffix: string, properties: Tree | undefined): boolean {
  const events = getEntries(properties).get('Events')?.value
  if (events === undefined) return false
  // Only the deployment determines the names.
  if (events.kind !== 'map') return true
  return [...events.entries.keys()].some((name) => suffix.startsWith(name))
}
