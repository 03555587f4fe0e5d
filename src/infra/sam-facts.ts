/** SAM's APIs and the events of its functions → authorizers and routes of the model. */
import {
  common,
  isForeignIssuer,
  member,
  oneOrMore,
  property,
  resourceOf,
  textFact,
  textList,
  written,
} from './facts.ts'
import type { InfraAuthorizer, InfraRoute } from './model.ts'
import { type Resource, textOf, type Value } from './value.ts'

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
  readonly flavour: Flavour
  readonly resource?: Resource
  readonly auth?: Value
}

/** Authorizers and routes as SAM would make them. */
export function samApis(
  resources: readonly Resource[],
  globals: Globals,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const apis = new Map<string, Api>()
  for (const flavour of FLAVOURS) {
    const shared = member(globals.get(flavour.section), 'Auth')
    apis.set(flavour.implicit, { id: flavour.implicit, flavour, ...(shared && { auth: shared }) })
    for (const resource of resources.filter(({ type }) => type === flavour.api)) {
      const auth = merged(shared, property(resource.properties, 'Auth'))
      apis.set(resource.id, { id: resource.id, flavour, resource, ...(auth && { auth }) })
    }
  }
  return {
    authorizers: [...apis.values()].flatMap(authorizersOf),
    routes: resources
      .filter(({ type }) => type === 'AWS::Serverless::Function')
      .flatMap((resource) => routesOf(resource, apis)),
  }
}

/** What an API says replaces what `Globals` says, member by member. */
function merged(shared: Value | undefined, own: Value | undefined): Value | undefined {
  if (shared?.kind !== 'map' || own === undefined) return own ?? shared
  if (own.kind !== 'map') return own
  const entries = new Map(shared.entries)
  for (const [key, value] of own.entries)
    entries.set(key, merged(shared.entries.get(key), value) ?? value)
  const names = new Map([...(shared.names ?? []), ...(own.names ?? [])])
  return { ...own, entries, names, complete: own.complete && shared.complete }
}

function authorizersOf({ id, flavour, resource, auth }: Api): InfraAuthorizer[] {
  const authorizers = member(auth, 'Authorizers')
  if (authorizers?.kind !== 'map') return []
  const pool = flavour.kind === 'rest' ? 'UserPoolArn' : 'JwtConfiguration'
  return [...authorizers.entries].flatMap(([name, value]) => {
    const given = member(value, pool)
    if (given === undefined) return []
    const issuer = member(given, 'issuer') ?? member(given, 'Issuer')
    if (isForeignIssuer(issuer)) return []
    const base = resource === undefined ? undefined : common(resource)
    return written<InfraAuthorizer>({
      id: `${id}.${name}`,
      at: authorizers.names?.get(name) ?? value.at,
      conditional: base?.conditional ?? false,
      complete: value.kind === 'map' && value.complete,
      dependsOn: value.refs,
      kind: flavour.kind,
      api: id,
      name: { at: value.at, value: name, source: {}, refs: [] },
      userPools: oneOrMore(flavour.kind === 'rest' ? given : issuer),
      scopes: textList(member(value, 'AuthorizationScopes')),
      ttl: undefined,
    })
  })
}

function routesOf(resource: Resource, apis: ReadonlyMap<string, Api>): InfraRoute[] {
  const events = property(resource.properties, 'Events')
  if (events?.kind !== 'map') return []
  return [...events.entries].flatMap(([name, event]) => {
    const type = member(event, 'Type')
    const flavour = FLAVOURS.find(({ event }) => event === (type && textOf(type)))
    if (flavour === undefined) return []
    const properties = member(event, 'Properties')
    const api = apis.get(apiOf(properties, flavour))
    return written<InfraRoute>({
      id: `${resource.id}.${name}`,
      at: events.names?.get(name) ?? event.at,
      conditional: resource.conditional,
      complete: event.kind === 'map' && event.complete,
      dependsOn: event.refs,
      api: api?.id,
      ...methodAndPath(properties),
      ...guard(member(properties, 'Auth'), api),
    })
  })
}

function apiOf(properties: Value | undefined, { apiId, implicit }: Flavour): string {
  const written = member(properties, apiId)
  if (written === undefined) return implicit
  return resourceOf(written) ?? ''
}

function methodAndPath(properties: Value | undefined): Pick<InfraRoute, 'method' | 'path'> {
  const method = textFact(member(properties, 'Method'))
  const path = textFact(member(properties, 'Path'))
  return {
    ...(method && { method: { ...method, value: method.value?.toUpperCase() } }),
    ...(path && { path }),
  }
}

/** The event's authorizer, else the API's default. */
function guard(
  auth: Value | undefined,
  api: Api | undefined,
): Partial<Pick<InfraRoute, 'authorization' | 'authorizer' | 'scopes'>> {
  if (api === undefined) return {}
  const own = member(auth, 'Authorizer')
  const chosen = own ?? member(api.auth, 'DefaultAuthorizer')
  if (chosen === undefined) {
    const open = (value: Value | undefined) => value !== undefined && value.kind !== 'map'
    return open(auth) || open(api.auth) ? {} : { authorization: 'none' }
  }
  const name = textOf(chosen)
  if (name === undefined) return {}
  if (name === 'NONE') return { authorization: 'none' }
  const authorizer = authorizersOf(api).find(({ id }) => id === `${api.id}.${name}`)
  if (authorizer === undefined) return { authorization: 'other' }
  const scopes = textList(member(auth, 'AuthorizationScopes')) ?? authorizer.scopes
  return { authorization: 'cognito', authorizer: authorizer.id, ...(scopes && { scopes }) }
}
