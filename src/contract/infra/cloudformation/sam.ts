/** SAM's APIs and the events of its functions → authorizers and routes of the model. */

import {
  isOpen,
  member,
  oneOrMore,
  placeOf,
  property,
  resourceOf,
  textFact,
  textList,
  written,
} from '../model/facts.ts'
import type { InfraAuthorizer, InfraRoute } from '../model/model.ts'
import { bodyFacts, type Guard, hasBody } from '../model/openapi-body.ts'
import type { Position } from '../position.ts'
import { list, type Resource, scalar, textOf, type Value } from '../resolve/value.ts'
import { workBudget } from '../syntax/limits.ts'

type Globals = ReadonlyMap<string, Value>

interface Flavour {
  readonly api: string
  readonly event: string
  /** The event's member that names its API. */
  readonly apiId: string
  /** The section of `Globals`, and the API that SAM makes where an event names none. */
  readonly section: string
  readonly implicit: string
  readonly kind: InfraAuthorizer['kind']
}

const FLAVOURS: readonly Flavour[] = [
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
export function samApis(
  resources: readonly Resource[],
  globals: Globals,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const apis = new Map<string, Api>()
  const spend = workBudget()
  for (const flavour of FLAVOURS) {
    const shared = member(globals.get(flavour.section), 'Auth')
    const authorizers = member(shared, 'Authorizers')
    const add = (id: string, auth: Value | undefined, resource?: Resource) =>
      apis.set(id, {
        ...{ id, auth, resource },
        authorizers: authorizersOf(id, flavour, auth, resource?.conditional ?? false),
      })
    add(flavour.implicit, shared)
    for (const resource of resources.filter(({ type }) => type === flavour.api)) {
      // Each gets its own of all that they share, and one is as much as many values.
      spend(resource.at, authorizers?.kind === 'map' ? authorizers.entries.size * 20 : 1)
      add(resource.id, merged(shared, property(resource.properties, 'Auth')), resource)
    }
  }
  const events = resources
    .filter(({ type }) => WITH_EVENTS.has(type))
    .flatMap((resource) => eventsOf(resource, apis))
  const used = new Set(events.map(({ api }) => api))
  const described = [...apis.values()]
    .filter((api) => api.resource !== undefined || used.has(api))
    .map((api) =>
      api.resource !== undefined && hasBody(api.resource)
        ? bodyFacts(api.resource, api.authorizers, samGuard(api, events))
        : { authorizers: [...api.authorizers.values()], routes: [] },
    )
  return {
    authorizers: described.flatMap(({ authorizers }) => authorizers),
    routes: [
      // Where a document says which routes an API has, events add none.
      ...events.filter(({ api }) => !(api?.resource && hasBody(api.resource))).map(toRoute),
      ...described.flatMap(({ routes }) => routes),
    ],
  }
}

/** What SAM adds to a document: the default authorizer, or what an event insists on. */
function samGuard(api: Api, events: readonly Event[]) {
  const insisting = new Map(
    events
      .filter((event) => event.api === api)
      .filter(({ auth }) => textOf(member(auth, 'OverrideApiAuth')) === 'true')
      .map((event) => [`${event.method?.value} ${event.path?.value}`, event.auth]),
  )
  const usual = isOpen(api.auth) || member(api.auth, 'DefaultAuthorizer') !== undefined
  return (method: string, path: string): Guard | undefined => {
    const own = insisting.get(`${method} ${path}`)
    return own === undefined && !usual ? undefined : guard(own, api)
  }
}

/** What an API says replaces what `Globals` says, member by member; lists are added to. */
function merged(shared: Value | undefined, own: Value | undefined): Value | undefined {
  if (shared?.kind === 'list' && own?.kind === 'list') {
    return list(own.at, [...shared.items, ...own.items], shared.complete && own.complete)
  }
  if (shared?.kind !== 'map' || own === undefined) return own ?? shared
  if (own.kind !== 'map') return own
  const entries = new Map(shared.entries)
  for (const [key, value] of own.entries) {
    entries.set(key, merged(shared.entries.get(key), value) as Value)
  }
  const names = new Map([...shared.names, ...own.names])
  return { ...own, entries, names, complete: own.complete && shared.complete }
}

function authorizersOf(
  id: string,
  flavour: Flavour,
  auth: Value | undefined,
  conditional: boolean,
): ReadonlyMap<string, InfraAuthorizer> {
  const found = new Map<string, InfraAuthorizer>()
  const authorizers = member(auth, 'Authorizers')
  if (authorizers?.kind !== 'map') return found
  const pool = flavour.kind === 'rest' ? 'UserPoolArn' : 'JwtConfiguration'
  for (const [name, value] of authorizers.entries) {
    const given = member(value, pool)
    if (given === undefined) continue
    const issuer = member(given, 'issuer') ?? member(given, 'Issuer')
    const authorizer = written<InfraAuthorizer>({
      id: `${id}.${name}`,
      at: placeOf(authorizers, name),
      conditional,
      complete: value.kind === 'map' && value.complete,
      dependsOn: value.refs,
      kind: flavour.kind,
      api: id,
      name: textFact(scalar(value.at, name)),
      userPools: oneOrMore(flavour.kind === 'rest' ? given : issuer),
      scopes: textList(member(value, 'AuthorizationScopes')),
      ttl: undefined,
    })
    found.set(name, authorizer)
  }
  return found
}

function eventsOf(resource: Resource, apis: ReadonlyMap<string, Api>): Event[] {
  const events = property(resource.properties, 'Events')
  if (events?.kind !== 'map') return []
  return [...events.entries].flatMap(([name, value]) => {
    const type = textOf(member(value, 'Type'))
    const flavour = FLAVOURS.find(({ event }) => event === type)
    if (flavour === undefined) return []
    const properties = member(value, 'Properties')
    const written = member(properties, flavour.apiId)
    const api = apis.get(written === undefined ? flavour.implicit : (resourceOf(written) ?? ''))
    const route = { id: `${resource.id}.${name}`, conditional: resource.conditional }
    const auth = member(properties, 'Auth')
    const at = placeOf(events, name)
    return { ...route, at, value, api, auth, ...methodAndPath(at, properties, flavour) }
  })
}

const toRoute = ({ id, at, conditional, value, api, method, path, auth }: Event): InfraRoute =>
  written<InfraRoute>({
    ...{ id, at, conditional, dependsOn: value.refs },
    complete: value.kind === 'map' && value.complete,
    ...{ api: api?.id, method, path, authorization: undefined },
    ...{ authorizer: undefined, scopes: undefined, ...guard(auth, api) },
  })

function methodAndPath(at: Position, properties: Value | undefined, { kind }: Flavour) {
  const method = textFact(member(properties, 'Method'))
  const path = textFact(member(properties, 'Path'))
  if (kind === 'http' && method === undefined && path === undefined) {
    return { method: textFact(scalar(at, 'ANY')), path: textFact(scalar(at, '/{proxy+}')) }
  }
  return { method: method && { ...method, value: method.value?.toUpperCase() }, path }
}

/** The event's authorizer, else the API's default. */
function guard(auth: Value | undefined, api: Api | undefined): Guard {
  if (api === undefined || isOpen(auth) || isOpen(api.auth)) return {}
  const chosen = member(auth, 'Authorizer') ?? member(api.auth, 'DefaultAuthorizer')
  if (chosen === undefined) return { authorization: 'none' }
  const name = textOf(chosen)
  if (name === undefined || isOpen(member(api.auth, 'Authorizers'))) return {}
  if (name === 'NONE') return { authorization: 'none' }
  const authorizer = api.authorizers.get(name)
  if (authorizer === undefined) return { authorization: 'other' }
  const scopes = textList(member(auth, 'AuthorizationScopes')) ?? authorizer.scopes
  return { authorization: 'cognito', authorizer: authorizer.id, ...(scopes && { scopes }) }
}
