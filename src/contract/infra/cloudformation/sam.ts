/** Reads authorizers and routes from SAM APIs and the events of functions, and the ids of resources that SAM generates. */
import { omitUndefined } from '../../../core/options/validate.ts'
import {
  getMember,
  getMemberPosition,
  getProperty,
  getSourceResource,
  mayHaveMoreMembers,
  toAudience,
  toOneOrMore,
  toTextFact,
  toTextList,
} from '../model/facts.ts'
import type { InfraAuthorizer, InfraRoute } from '../model/model.ts'
import { type Authorization, hasOpenApiBody, readOpenApiBody } from '../model/openapi-body.ts'
import type { Position } from '../position.ts'
import { createList, createScalar, getText, type Resource, type Value } from '../resolve/value.ts'
import { createWorkBudget } from '../syntax/limits.ts'
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

type Globals = ReadonlyMap<string, Value>

interface ApiType {
  readonly api: string
  readonly event: string
  /** The member of an event that refers to its API. */
  readonly apiId: string
  /** The section of `Globals`. */
  readonly section: string
  /** The API that SAM creates for events that refer to no API. */
  readonly implicitApi: string
  readonly kind: InfraAuthorizer['kind']
}

const API_TYPES: readonly ApiType[] = [
  {
    api: 'AWS::Serverless::Api',
    event: 'Api',
    apiId: 'RestApiId',
    section: 'Api',
    implicitApi: 'ServerlessRestApi',
    kind: 'rest',
  },
  {
    api: 'AWS::Serverless::HttpApi',
    event: 'HttpApi',
    apiId: 'ApiId',
    section: 'HttpApi',
    implicitApi: 'ServerlessHttpApi',
    kind: 'http',
  },
]
/** Units of the work budget that one authorizer of `Globals` costs for each API. */
const AUTHORIZER_COST = 20

interface Api {
  readonly id: string
  readonly resource: Resource | undefined
  readonly auth: Value | undefined
  /** By name. */
  readonly authorizers: ReadonlyMap<string, InfraAuthorizer>
}

/** An event that defines a route. */
interface Event {
  readonly id: string
  readonly at: Position
  readonly conditional: boolean
  readonly value: Value
  readonly api: Api | undefined
  readonly auth: Value | undefined
  readonly method: InfraRoute['method'] | undefined
  readonly path: InfraRoute['path'] | undefined
}

const EVENT_SOURCES = new Set(['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'])

/** Derives the authorizers and routes that SAM would generate. */
export function readSamApis(
  resources: readonly Resource[],
  globals: Globals,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const apis = new Map<string, Api>()
  const spend = createWorkBudget()
  for (const apiType of API_TYPES) {
    const globalAuth = getMember(globals.get(apiType.section), 'Auth')
    const authorizers = getMember(globalAuth, 'Authorizers')
    const add = (id: string, auth: Value | undefined, resource?: Resource) =>
      apis.set(id, {
        id,
        auth,
        resource,
        authorizers: readAuthorizers(id, apiType, auth, resource?.conditional ?? false),
      })
    add(apiType.implicitApi, globalAuth)
    for (const resource of resources.filter(({ type }) => type === apiType.api)) {
      // Each API gets a copy of every authorizer of Globals.
      const count = authorizers?.kind === 'map' ? authorizers.entries.size : 0
      spend(resource.at, Math.max(count * AUTHORIZER_COST, 1))
      add(resource.id, mergeValues(globalAuth, getProperty(resource.properties, 'Auth')), resource)
    }
  }
  const events = resources
    .filter(({ type }) => EVENT_SOURCES.has(type))
    .flatMap((resource) => listRouteEvents(resource, apis))
  const apisWithEvents = new Set(events.map(({ api }) => api))
  const described = [...apis.values()]
    .filter((api) => api.resource !== undefined || apisWithEvents.has(api))
    .map((api) =>
      api.resource !== undefined && hasOpenApiBody(api.resource)
        ? readOpenApiBody(api.resource, api.authorizers, createDefaultAuthorization(api, events))
        : { authorizers: [...api.authorizers.values()], routes: [] },
    )
  return {
    authorizers: described.flatMap(({ authorizers }) => authorizers),
    routes: [
      // If a document defines the routes of an API, its events add none.
      ...events.filter(({ api }) => !(api?.resource && hasOpenApiBody(api.resource))).map(toRoute),
      ...described.flatMap(({ routes }) => routes),
    ],
  }
}

/** Finds what SAM adds to a document: the default authorizer, or the `OverrideApiAuth` of an event. */
function createDefaultAuthorization(api: Api, events: readonly Event[]) {
  const overrides = new Map(
    events
      .filter((event) => event.api === api)
      .filter(({ auth }) => getText(getMember(auth, 'OverrideApiAuth')) === 'true')
      .map((event) => [`${event.method?.value} ${event.path?.value}`, event.auth]),
  )
  const hasDefault =
    mayHaveMoreMembers(api.auth) || getMember(api.auth, 'DefaultAuthorizer') !== undefined
  return (method: string, path: string): Authorization | undefined => {
    const override = overrides.get(`${method} ${path}`)
    return override === undefined && !hasDefault ? undefined : toAuthorization(override, api)
  }
}

/** Merges `Globals` with the value of an API: maps by member, lists by appending. Other values are overridden. */
function mergeValues(base: Value | undefined, override: Value | undefined): Value | undefined {
  if (base?.kind === 'list' && override?.kind === 'list') {
    return createList(
      override.at,
      [...base.items, ...override.items],
      base.complete && override.complete,
    )
  }
  if (base?.kind !== 'map' || override === undefined) return override ?? base
  if (override.kind !== 'map') return override
  const entries = new Map(base.entries)
  for (const [key, value] of override.entries) {
    entries.set(key, mergeValues(base.entries.get(key), value) as Value)
  }
  const names = new Map([...base.names, ...override.names])
  return { ...override, entries, names, complete: override.complete && base.complete }
}

function readAuthorizers(
  id: string,
  apiType: ApiType,
  auth: Value | undefined,
  conditional: boolean,
): ReadonlyMap<string, InfraAuthorizer> {
  const found = new Map<string, InfraAuthorizer>()
  const authorizers = getMember(auth, 'Authorizers')
  if (authorizers?.kind !== 'map') return found
  const pool = apiType.kind === 'rest' ? 'UserPoolArn' : 'JwtConfiguration'
  for (const [name, value] of authorizers.entries) {
    const settings = getMember(value, pool)
    if (settings === undefined) continue
    const issuer = getMember(settings, 'issuer') ?? getMember(settings, 'Issuer')
    const authorizer = omitUndefined<InfraAuthorizer>({
      id: `${id}.${name}`,
      at: getMemberPosition(authorizers, name),
      conditional,
      complete: value.kind === 'map' && value.complete,
      dependsOn: value.refs,
      kind: apiType.kind,
      api: id,
      name: toTextFact(createScalar(value.at, name)),
      userPools: toOneOrMore(apiType.kind === 'rest' ? settings : issuer),
      audience:
        apiType.kind === 'rest'
          ? undefined
          : (toAudience(settings, 'audience') ?? toAudience(settings, 'Audience')),
      scopes: toTextList(getMember(value, 'AuthorizationScopes')),
      ttl: undefined,
    })
    found.set(name, authorizer)
  }
  return found
}

function listRouteEvents(resource: Resource, apis: ReadonlyMap<string, Api>): Event[] {
  const events = getProperty(resource.properties, 'Events')
  if (events?.kind !== 'map') return []
  return [...events.entries].flatMap(([name, value]) => {
    const type = getText(getMember(value, 'Type'))
    const apiType = API_TYPES.find(({ event }) => event === type)
    if (apiType === undefined) return []
    const properties = getMember(value, 'Properties')
    const apiReference = getMember(properties, apiType.apiId)
    const api = apis.get(
      apiReference === undefined ? apiType.implicitApi : (getSourceResource(apiReference) ?? ''),
    )
    const route = { id: `${resource.id}.${name}`, conditional: resource.conditional }
    const auth = getMember(properties, 'Auth')
    const at = getMemberPosition(events, name)
    return { ...route, at, value, api, auth, ...readMethodAndPath(at, properties, apiType) }
  })
}

const toRoute = ({ id, at, conditional, value, api, method, path, auth }: Event): InfraRoute =>
  omitUndefined<InfraRoute>({
    id,
    at,
    conditional,
    dependsOn: value.refs,
    complete: value.kind === 'map' && value.complete,
    api: api?.id,
    method,
    path,
    authorization: undefined,
    authorizer: undefined,
    scopes: undefined,
    ...toAuthorization(auth, api),
  })

function readMethodAndPath(at: Position, properties: Value | undefined, { kind }: ApiType) {
  const method = toTextFact(getMember(properties, 'Method'))
  const path = toTextFact(getMember(properties, 'Path'))
  if (kind === 'http' && method === undefined && path === undefined) {
    return {
      method: toTextFact(createScalar(at, 'ANY')),
      path: toTextFact(createScalar(at, '/{proxy+}')),
    }
  }
  return { method: method && { ...method, value: method.value?.toUpperCase() }, path }
}

/** Finds the authorizer of an event, or else the default of its API. */
function toAuthorization(auth: Value | undefined, api: Api | undefined): Authorization {
  if (api === undefined || mayHaveMoreMembers(auth) || mayHaveMoreMembers(api.auth)) return {}
  const chosen = getMember(auth, 'Authorizer') ?? getMember(api.auth, 'DefaultAuthorizer')
  if (chosen === undefined) return { authorization: 'none' }
  const name = getText(chosen)
  if (name === undefined || mayHaveMoreMembers(getMember(api.auth, 'Authorizers'))) return {}
  if (name === 'NONE') return { authorization: 'none' }
  const authorizer = api.authorizers.get(name)
  if (authorizer === undefined) return { authorization: 'other' }
  const scopes = toTextList(getMember(auth, 'AuthorizationScopes')) ?? authorizer.scopes
  const protection = { authorization: 'cognito', authorizer: authorizer.id } as const
  return scopes === undefined ? protection : { ...protection, scopes }
}
