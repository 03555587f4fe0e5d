/** Converts values and resources of a template to facts of the model. */
import { omitUndefined } from '../../../core/options/validate.ts'
import type { Position } from '../position.ts'
import {
  concatenate,
  createList,
  createScalar,
  createUnknown,
  getText,
  type Resource,
  type Scalar,
  type Value,
} from '../resolve/value.ts'
import type {
  Fact,
  FactList,
  InfraAuthorizer,
  InfraClient,
  InfraDomain,
  InfraParameter,
  InfraResource,
  InfraResourceServer,
  InfraRoute,
  InfraUserPool,
} from './model.ts'

type Members = ReadonlyMap<string, Value>

/** Returns a member of a map. Undefined if it is missing or `AWS::NoValue`. */
export function getMember(value: Value | undefined, key: string): Value | undefined {
  const found = value?.kind === 'map' ? value.entries.get(key) : undefined
  return found?.kind === 'absent' ? undefined : found
}

/** Returns the position of the key of a member, or else of its value. */
export function getMemberPosition(map: Value & { readonly kind: 'map' }, key: string): Position {
  return map.names.get(key) ?? (map.entries.get(key) as Value).at
}

export function getProperty(members: Members, key: string): Value | undefined {
  const found = members.get(key)
  return found?.kind === 'absent' ? undefined : found
}

function toFact<T>(value: Value, read: (scalar: Scalar) => T | undefined): Fact<T> {
  const known = value.kind === 'scalar' ? read(value.value) : undefined
  const { at, refs } = value
  if (value.kind === 'list' || value.kind === 'map') {
    return { at, value: known, source: {}, refs, actualType: value.kind }
  }
  if (value.kind !== 'unknown') return { at, value: known, source: {}, refs }
  const { source, pieces } = value
  const fact = { at, value: known, source, refs }
  return pieces === undefined ? fact : { ...fact, pieces }
}

const parseText = (value: Scalar): string | undefined =>
  value === null ? undefined : String(value)

/** Both dialects accept `"true"` for `true` and `"5"` for `5`. */
const parseBoolean = (value: Scalar): boolean | undefined =>
  new Map([
    ['true', true],
    ['false', false],
  ]).get(String(value).toLowerCase())

const parseNumber = (value: Scalar): number | undefined => {
  const number =
    typeof value === 'boolean' || value === null || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}

const toOptionalFact = <T>(value: Value | undefined, read: (scalar: Scalar) => T | undefined) =>
  value === undefined ? undefined : toFact(value, read)

export const toTextFact = (value: Value | undefined): Fact<string> | undefined =>
  toOptionalFact(value, parseText)
export const toBooleanFact = (value: Value | undefined): Fact<boolean> | undefined =>
  toOptionalFact(value, parseBoolean)
export const toNumberFact = (value: Value | undefined): Fact<number> | undefined =>
  toOptionalFact(value, parseNumber)

/** A scalar counts as a list of one item. */
export function toTextList(value: Value | undefined): FactList<string> | undefined {
  if (value === undefined) return undefined
  const { at } = value
  if (value.kind === 'scalar') {
    return { at, items: [toFact(value, parseText)], complete: true, actualType: 'scalar' }
  }
  if (value.kind === 'map') return { at, items: [], complete: false, actualType: 'map' }
  if (value.kind === 'unknown') return { at, items: [], complete: false, source: value.source }
  if (value.kind !== 'list') return { at, items: [], complete: false }
  const items = value.items.map((item) => toFact(item, parseText))
  if (!value.complete) return { at, items, complete: false }
  return items.every((item) => item.value !== undefined)
    ? { at, items, complete: true }
    : { at, items, complete: false, hasUnknownValues: true }
}

/** Reads a member that accepts one value or a list. An unknown value counts as one. */
export const toOneOrMore = (value: Value | undefined): FactList<string> | undefined =>
  toTextList(value?.kind === 'unknown' ? createList(value.at, [value]) : value)

/** Reads the audience of a JWT authorizer. Unknown if its configuration is. */
export function toAudience(
  configuration: Value | undefined,
  key: string,
): FactList<string> | undefined {
  const value = getMember(configuration, key)
  if (value !== undefined) return toTextList(value)
  if (configuration === undefined || !mayHaveMoreMembers(configuration)) return undefined
  return { at: configuration.at, items: [], complete: false }
}

const SECONDS: ReadonlyMap<string, number> = new Map([
  ['seconds', 1],
  ['minutes', 60],
  ['hours', 3600],
  ['days', 86_400],
])

/** The default unit of Cognito is hours. */
export function toLifetimeSeconds(members: Members): Fact<number> | undefined {
  const validity = toNumberFact(getProperty(members, 'AccessTokenValidity'))
  if (validity === undefined) return undefined
  const units = getProperty(members, 'TokenValidityUnits')
  const unitValue = getMember(units, 'AccessToken')
  const unit =
    unitValue === undefined ? (mayHaveMoreMembers(units) ? undefined : 'hours') : getText(unitValue)
  const seconds = SECONDS.get(unit ?? '')
  const known = validity.value !== undefined && seconds !== undefined
  return {
    ...validity,
    value: known ? (validity.value as number) * (seconds as number) : undefined,
  }
}

/** Whether the value may have members that the template does not show. */
export const mayHaveMoreMembers = (value: Value | undefined): boolean =>
  value !== undefined && !(value.kind === 'map' && value.complete)

/** Returns the id of the resource that an unknown value comes from. */
export const getSourceResource = (value: Value | undefined): string | undefined =>
  value?.kind === 'unknown' ? value.source.resource : undefined

/** Returns the members that every resource of the model has. */
export const toInfraResource = ({
  id,
  at,
  conditional,
  complete,
  dependsOn,
  mayAwaitAny,
}: Resource): InfraResource =>
  omitUndefined<InfraResource>({ id, at, conditional, complete, dependsOn, mayAwaitAny })

export const toUserPool = (resource: Resource): InfraUserPool =>
  omitUndefined<InfraUserPool>({
    ...toInfraResource(resource),
    name: toTextFact(getProperty(resource.properties, 'UserPoolName')),
    tier: toTextFact(getProperty(resource.properties, 'UserPoolTier')),
    triggerVersion: toTriggerVersion(getProperty(resource.properties, 'LambdaConfig')),
  })

/** A trigger without a version gets events of version 1. */
function toTriggerVersion(triggers: Value | undefined): Fact<string> | undefined {
  const versioned = getMember(triggers, 'PreTokenGenerationConfig')
  if (versioned !== undefined) return toTextFact(getMember(versioned, 'LambdaVersion'))
  const trigger = getMember(triggers, 'PreTokenGeneration')
  if (trigger === undefined || mayHaveMoreMembers(triggers)) return undefined
  return { at: trigger.at, value: 'V1_0', source: {}, refs: [] }
}

export const toDomain = (resource: Resource): InfraDomain =>
  omitUndefined<InfraDomain>({
    ...toInfraResource(resource),
    userPool: toTextFact(getProperty(resource.properties, 'UserPoolId')),
    domain: toTextFact(getProperty(resource.properties, 'Domain')),
    isCustom:
      getProperty(resource.properties, 'CustomDomainConfig') === undefined ? undefined : true,
  })

export function toResourceServer(resource: Resource): InfraResourceServer {
  const { properties } = resource
  const scopes = getProperty(properties, 'Scopes')
  const items = scopes?.kind === 'list' ? scopes.items : []
  const isListKnown = scopes === undefined || (scopes.kind === 'list' && scopes.complete)
  return omitUndefined<InfraResourceServer>({
    ...toInfraResource(resource),
    userPool: toTextFact(getProperty(properties, 'UserPoolId')),
    identifier: toTextFact(getProperty(properties, 'Identifier')),
    name: toTextFact(getProperty(properties, 'Name')),
    scopes: items.map((item) =>
      omitUndefined({
        at: item.at,
        name: toTextFact(getMember(item, 'ScopeName')),
        description: toTextFact(getMember(item, 'ScopeDescription')),
      }),
    ),
    scopesComplete:
      isListKnown &&
      resource.complete &&
      items.every((item) => item.kind === 'map' && item.complete),
  })
}

export function toClient(resource: Resource): InfraClient {
  const { properties } = resource
  return omitUndefined<InfraClient>({
    ...toInfraResource(resource),
    userPool: toTextFact(getProperty(properties, 'UserPoolId')),
    name: toTextFact(getProperty(properties, 'ClientName')),
    generateSecret: toBooleanFact(getProperty(properties, 'GenerateSecret')),
    oauth: toBooleanFact(getProperty(properties, 'AllowedOAuthFlowsUserPoolClient')),
    flows: toTextList(getProperty(properties, 'AllowedOAuthFlows')),
    explicitAuthFlows: toTextList(getProperty(properties, 'ExplicitAuthFlows')),
    scopes: toTextList(getProperty(properties, 'AllowedOAuthScopes')),
    accessTokenValidity: toLifetimeSeconds(properties),
    revocation: toBooleanFact(getProperty(properties, 'EnableTokenRevocation')),
  })
}

export const toParameter = (resource: Resource): InfraParameter =>
  omitUndefined<InfraParameter>({
    ...toInfraResource(resource),
    name: toTextFact(getProperty(resource.properties, 'Name')),
    value: toTextFact(getProperty(resource.properties, 'Value')),
  })

/** Most parts of a path and slashes between them. More indicate a cycle of resources. */
const MAX_PARTS = 200

type Resources = ReadonlyMap<string, Resource>

const API_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGatewayV2::Api',
  'AWS::Serverless::Api',
  'AWS::Serverless::HttpApi',
])

/** Returns undefined for authorizers that do not verify Cognito tokens, such as Lambda authorizers. */
export function toAuthorizer(resource: Resource): InfraAuthorizer | undefined {
  const { properties, type } = resource
  const rest = type === 'AWS::ApiGateway::Authorizer'
  const authorizerType = getText(getProperty(properties, rest ? 'Type' : 'AuthorizerType'))
  if (authorizerType !== (rest ? 'COGNITO_USER_POOLS' : 'JWT')) return undefined
  const configuration = getProperty(properties, 'JwtConfiguration')
  const issuer = getMember(configuration, 'Issuer')
  return omitUndefined<InfraAuthorizer>({
    ...toInfraResource(resource),
    kind: rest ? 'rest' : 'http',
    api: getSourceResource(getProperty(properties, rest ? 'RestApiId' : 'ApiId')),
    name: toTextFact(getProperty(properties, 'Name')),
    userPools: rest ? toTextList(getProperty(properties, 'ProviderARNs')) : toOneOrMore(issuer),
    audience: rest ? undefined : toAudience(configuration, 'Audience'),
    scopes: undefined,
    ttl: toNumberFact(getProperty(properties, 'AuthorizerResultTtlInSeconds')),
  })
}

/** Returns undefined for routes of WebSocket APIs. */
export function toRoute(resource: Resource, resources: Resources): InfraRoute | undefined {
  const { properties, type } = resource
  const rest = type === 'AWS::ApiGateway::Method'
  const key = rest ? undefined : parseRouteKey(getProperty(properties, 'RouteKey'))
  if (key === null) return undefined
  const method = rest ? getProperty(properties, 'HttpMethod') : key?.method
  const path = rest ? buildRestPath(resource, resources) : key?.path
  const authorizer = getProperty(properties, 'AuthorizerId')
  const authorizationType = getProperty(properties, 'AuthorizationType')
  const authorization = parseAuthorization(authorizationType, resource.complete)
  const api = getApi(properties)
  return omitUndefined<InfraRoute>({
    ...toInfraResource(resource),
    api,
    method: toUpperCase(toTextFact(method)),
    path: toTextFact(path),
    authorization,
    authorizer: getSourceResource(authorizer),
    hasNoAuthorizer:
      authorization === 'cognito' && authorizer === undefined && resource.complete
        ? true
        : undefined,
    invalidType:
      getText(authorizationType) === (rest ? 'JWT' : 'COGNITO_USER_POOLS')
        ? toTextFact(authorizationType)
        : undefined,
    authorizerApi: findOtherApi(api, resources.get(getSourceResource(authorizer) ?? ''), resources),
    scopes: toTextList(getProperty(properties, 'AuthorizationScopes')),
  })
}

const getApi = (properties: Members): string | undefined =>
  getSourceResource(getProperty(properties, 'RestApiId') ?? getProperty(properties, 'ApiId'))

/** Returns the API of an authorizer, if both APIs are in the template and it is another one. */
function findOtherApi(
  api: string | undefined,
  authorizer: Resource | undefined,
  resources: Resources,
): string | undefined {
  const other = authorizer && getApi(authorizer.properties)
  const isApi = (id: string | undefined): boolean =>
    API_TYPES.has(resources.get(id ?? '')?.type ?? '')
  return api !== other && isApi(api) && isApi(other) ? other : undefined
}

const toUpperCase = (method: Fact<string> | undefined): Fact<string> | undefined =>
  method === undefined ? undefined : { ...method, value: method.value?.toUpperCase() }

function parseAuthorization(
  value: Value | undefined,
  complete: boolean,
): InfraRoute['authorization'] {
  if (value === undefined) return complete ? 'none' : undefined
  const type = getText(value)
  if (type === undefined) return undefined
  if (type === 'COGNITO_USER_POOLS' || type === 'JWT') return 'cognito'
  return type === 'NONE' ? 'none' : 'other'
}

/** Parses `GET /orders/{id}` or `$default`, the catch-all route. Null for routes of WebSocket APIs. */
function parseRouteKey(
  value: Value | undefined,
): { method: Value; path: Value } | undefined | null {
  if (value === undefined) return undefined
  const { at, refs } = value
  const text = getText(value)
  if (text === undefined) return { method: createUnknown(at), path: createUnknown(at, refs) }
  if (text === '$default')
    return { method: createScalar(at, 'ANY'), path: createScalar(at, '/{proxy+}') }
  const [, method, path] = /^([A-Za-z]+) (\/.*)$/.exec(text) ?? []
  if (method === undefined || path === undefined) return null
  return { method: createScalar(at, method), path: createScalar(at, path, refs) }
}

/** Composes the path of a method from the resources of a REST API, up to the root. */
function buildRestPath(method: Resource, resources: Resources): Value {
  const parts: Value[] = []
  let id = getProperty(method.properties, 'ResourceId')
  const at = id?.at ?? method.at
  for (;;) {
    if (id?.kind !== 'unknown') return createUnknown(at)
    const { resource = '', attribute = '' } = id.source
    if (/^(?:RootResourceId|root_resource_id)$/.test(attribute)) break
    const parent = resources.get(resource)
    const part = parent && getProperty(parent.properties, 'PathPart')
    if (parent === undefined || part === undefined || parts.length > MAX_PARTS)
      return createUnknown(at)
    parts.unshift(createScalar(at, '/'), part)
    id = getProperty(parent.properties, 'ParentId')
  }
  return parts.length === 0 ? createScalar(at, '/') : concatenate(at, parts)
}
