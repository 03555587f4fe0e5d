/** SAM's APIs and the events of its functions → authorizers and routes of the model. */

import {
  getMember,
  getMemberPosition,
  getProperty,
  getSourceResource,
  mayHaveMoreMembers,
  omitUndefined,
  toOneOrMore,
  toTextFact,
  toTextList,
} from '../model/facts.ts'
import type { InfraAuthorizer, InfraRoute } from '../model/model.ts'
import { type Guard, hasOpenApiBody, readOpenApiBody } from '../model/openapi-body.ts'
import type { Position } from '../position.ts'
import { createList, createScalar, getText, type Resource, type Value } from '../resolve/value.ts'
import { createWorkBudget } from '../syntax/limits.ts'

type Globals = ReadonlyMap<string, Value>

interface ApiType {
  readonly api: string
  readonly event: string
  /** The event's member that names its API. */
  readonly apiId: string
  /** The section of `Globals`, and the API that SAM makes where an event names none. */
  readonly section: string
  readonly implicit: string
  readonly kind: InfraAuthorizer['kind']
}

const API_TYPES: readonly ApiType[] = [
  {
    ...{ api: 'AWS::Serverless::Api', event: 'Api', apiId: 'RestApiId', section: 'Api' },
    ...{ implicit: 'ServerlessRestApi', kind: 'rest' },
  },
  {
    ...{ api: 'AWS::Serverless::HttpApi', event: 'HttpApi', apiId: 'ApiId', section: 'HttpApi' },
    ...{ implicit: 'ServerlessHttpApi', kind: 'http' },
  },
]

interface Api {
  readonly id: string
  readonly resource: Resource | undefined
  readonly auth: Value | undefined
  /** By name. */
  readonly authorizers: ReadonlyMap<string, InfraAuthorizer>
}

/** An event that is a route. */
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

const WITH_EVENTS = new Set(['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'])

/** Authorizers and routes as SAM would make them. */
export function readSamApis(
  resources: readonly Resource[],
  globals: Globals,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const apis = new Map<string, Api>()
  const spend = createWorkBudget()
  for (const apiType of API_TYPES) {
    const shared = getMember(globals.get(apiType.section), 'Auth')
    const authorizers = getMember(shared, 'Authorizers')
    const add = (id: string, auth: Value | undefined, resource?: Resource) =>
      apis.set(id, {
        ...{ id, auth, resource },
        authorizers: readAuthorizers(id, apiType, auth, resource?.conditional ?? false),
      })
    add(apiType.implicit, shared)
    for (const resource of resources.filter(({ type }) => type === apiType.api)) {
      // Each gets its own of all that they share, and one is as much as many values.
      spend(resource.at, authorizers?.kind === 'map' ? authorizers.entries.size * 20 : 1)
      add(resource.id, mergeValues(shared, getProperty(resource.properties, 'Auth')), resource)
    }
  }
  const events = resources
    .filter(({ type }) => WITH_EVENTS.has(type))
    .flatMap((resource) => listRouteEvents(resource, apis))
  const used = new Set(events.map(({ api }) => api))
  const described = [...apis.values()]
    .filter((api) => api.resource !== undefined || used.has(api))
    .map((api) =>
      api.resource !== undefined && hasOpenApiBody(api.resource)
        ? readOpenApiBody(api.resource, api.authorizers, createDocumentGuard(api, events))
        : { authorizers: [...api.authorizers.values()], routes: [] },
    )
  return {
    authorizers: described.flatMap(({ authorizers }) => authorizers),
    routes: [
      // Where a document says which routes an API has, events add none.
      ...events.filter(({ api }) => !(api?.resource && hasOpenApiBody(api.resource))).map(toRoute),
      ...described.flatMap(({ routes }) => routes),
    ],
  }
}

/** What SAM adds to a document: the default authorizer, or what an event insists on. */
function createDocumentGuard(api: Api, events: readonly Event[]) {
  const overrides = new Map(
    events
      .filter((event) => event.api === api)
      .filter(({ auth }) => getText(getMember(auth, 'OverrideApiAuth')) === 'true')
      .map((event) => [`${event.method?.value} ${event.path?.value}`, event.auth]),
  )
  const usual =
    mayHaveMoreMembers(api.auth) || getMember(api.auth, 'DefaultAuthorizer') !== undefined
  return (method: string, path: string): Guard | undefined => {
    const override = overrides.get(`${method} ${path}`)
    return override === undefined && !usual ? undefined : toGuard(override, api)
  }
}

/** What an API says replaces what `Globals` says, member by member; lists are added to. */
function mergeValues(shared: Value | undefined, override: Value | undefined): Value | undefined {
  if (shared?.kind === 'list' && override?.kind === 'list') {
    return createList(
      override.at,
      [...shared.items, ...override.items],
      shared.complete && override.complete,
    )
  }
  if (shared?.kind !== 'map' || override === undefined) return override ?? shared
  if (override.kind !== 'map') return override
  const entries = new Map(shared.entries)
  for (const [key, value] of override.entries) {
    entries.set(key, mergeValues(shared.entries.get(key), value) as Value)
  }
  const names = new Map([...shared.names, ...override.names])
  return { ...override, entries, names, complete: override.complete && shared.complete }
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
      apiReference === undefined ? apiType.implicit : (getSourceResource(apiReference) ?? ''),
    )
    const route = { id: `${resource.id}.${name}`, conditional: resource.conditional }
    const auth = getMember(properties, 'Auth')
    const at = getMemberPosition(events, name)
    return { ...route, at, value, api, auth, ...readMethodAndPath(at, properties, apiType) }
  })
}

const toRoute = ({ id, at, conditional, value, api, method, path, auth }: Event): InfraRoute =>
  omitUndefined<InfraRoute>({
    ...{ id, at, conditional, dependsOn: value.refs },
    complete: value.kind === 'map' && value.complete,
    ...{ api: api?.id, method, path, authorization: undefined },
    ...{ authorizer: undefined, scopes: undefined, ...toGuard(auth, api) },
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

/** The event's authorizer, else the API's default. */
function toGuard(auth: Value | undefined, api: Api | undefined): Guard {
  if (api === undefined || mayHaveMoreMembers(auth) || mayHaveMoreMembers(api.auth)) return {}
  const chosen = getMember(auth, 'Authorizer') ?? getMember(api.auth, 'DefaultAuthorizer')
  if (chosen === undefined) return { authorization: 'none' }
  const name = getText(chosen)
  if (name === undefined || mayHaveMoreMembers(getMember(api.auth, 'Authorizers'))) return {}
  if (name === 'NONE') return { authorization: 'none' }
  const authorizer = api.authorizers.get(name)
  if (authorizer === undefined) return { authorization: 'other' }
  const scopes = toTextList(getMember(auth, 'AuthorizationScopes')) ?? authorizer.scopes
  return { authorization: 'cognito', authorizer: authorizer.id, ...(scopes && { scopes }) }
}
