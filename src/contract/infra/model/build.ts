/** Resources of either dialect → the model. */
import { samApis } from '../cloudformation/sam.ts'
import { waitingThrough } from '../resolve/references.ts'
import {
  concatenated,
  type DanglingReference,
  type Resource,
  scalar,
  textOf,
  unknown,
  type Value,
} from '../resolve/value.ts'
import {
  booleanFact,
  common,
  lifetime,
  member,
  numberFact,
  oneOrMore,
  property,
  resourceOf,
  textFact,
  textList,
  written,
} from './facts.ts'
import type {
  Fact,
  InfraAuthorizer,
  InfraClient,
  InfraDomain,
  InfraModel,
  InfraOutput,
  InfraParameter,
  InfraResourceServer,
  InfraRoute,
  InfraUserPool,
} from './model.ts'
import { bodyFacts, hasBody } from './openapi-body.ts'

const toUserPool = (resource: Resource): InfraUserPool =>
  written<InfraUserPool>({
    ...common(resource),
    name: textFact(property(resource.properties, 'UserPoolName')),
  })

const toDomain = (resource: Resource): InfraDomain =>
  written<InfraDomain>({
    ...common(resource),
    userPool: textFact(property(resource.properties, 'UserPoolId')),
    domain: textFact(property(resource.properties, 'Domain')),
  })

function toResourceServer(resource: Resource): InfraResourceServer {
  const { properties } = resource
  const scopes = property(properties, 'Scopes')
  const items = scopes?.kind === 'list' ? scopes.items : []
  const open = scopes !== undefined && !(scopes.kind === 'list' && scopes.complete)
  return written<InfraResourceServer>({
    ...common(resource),
    userPool: textFact(property(properties, 'UserPoolId')),
    identifier: textFact(property(properties, 'Identifier')),
    name: textFact(property(properties, 'Name')),
    scopes: items.map((item) =>
      written({
        at: item.at,
        name: textFact(member(item, 'ScopeName')),
        description: textFact(member(item, 'ScopeDescription')),
      }),
    ),
    scopesComplete:
      !open && resource.complete && items.every((item) => item.kind === 'map' && item.complete),
  })
}

function toClient(resource: Resource): InfraClient {
  const { properties } = resource
  return written<InfraClient>({
    ...common(resource),
    userPool: textFact(property(properties, 'UserPoolId')),
    name: textFact(property(properties, 'ClientName')),
    generateSecret: booleanFact(property(properties, 'GenerateSecret')),
    oauth: booleanFact(property(properties, 'AllowedOAuthFlowsUserPoolClient')),
    flows: textList(property(properties, 'AllowedOAuthFlows')),
    scopes: textList(property(properties, 'AllowedOAuthScopes')),
    accessTokenValidity: lifetime(properties),
    revocation: booleanFact(property(properties, 'EnableTokenRevocation')),
  })
}

const toParameter = (resource: Resource): InfraParameter =>
  written<InfraParameter>({
    ...common(resource),
    name: textFact(property(resource.properties, 'Name')),
    value: textFact(property(resource.properties, 'Value')),
  })

/** Parts of a path, and the slashes between them: more are a circle. */
const MAX_PARTS = 200

type Resources = ReadonlyMap<string, Resource>

/** Undefined for authorizers that do not judge Cognito's tokens by themselves. */
function toAuthorizer(resource: Resource): InfraAuthorizer | undefined {
  const { properties, type } = resource
  const rest = type === 'AWS::ApiGateway::Authorizer'
  const type_ = property(properties, rest ? 'Type' : 'AuthorizerType')
  if (type_ === undefined || textOf(type_) !== (rest ? 'COGNITO_USER_POOLS' : 'JWT'))
    return undefined
  const issuer = member(property(properties, 'JwtConfiguration'), 'Issuer')
  return written<InfraAuthorizer>({
    ...common(resource),
    kind: rest ? 'rest' : 'http',
    api: resourceOf(property(properties, rest ? 'RestApiId' : 'ApiId')),
    name: textFact(property(properties, 'Name')),
    userPools: rest ? textList(property(properties, 'ProviderARNs')) : oneOrMore(issuer),
    scopes: undefined,
    ttl: numberFact(property(properties, 'AuthorizerResultTtlInSeconds')),
  })
}

/** Undefined for routes of WebSockets. */
export function toRoute(resource: Resource, resources: Resources): InfraRoute | undefined {
  const { properties, type } = resource
  const rest = type === 'AWS::ApiGateway::Method'
  const key = rest ? undefined : routeKey(property(properties, 'RouteKey'))
  if (key === null) return undefined
  const method = rest ? property(properties, 'HttpMethod') : key?.method
  const path = rest ? restPath(resource, resources) : key?.path
  return written<InfraRoute>({
    ...common(resource),
    api: resourceOf(property(properties, rest ? 'RestApiId' : 'ApiId')),
    method: upperCase(textFact(method)),
    path: textFact(path),
    authorization: authorization(property(properties, 'AuthorizationType'), resource.complete),
    authorizer: resourceOf(property(properties, 'AuthorizerId')),
    scopes: textList(property(properties, 'AuthorizationScopes')),
  })
}

const upperCase = (method: Fact<string> | undefined): Fact<string> | undefined =>
  method === undefined ? undefined : { ...method, value: method.value?.toUpperCase() }

function authorization(value: Value | undefined, complete: boolean): InfraRoute['authorization'] {
  if (value === undefined) return complete ? 'none' : undefined
  const type = textOf(value)
  if (type === undefined) return undefined
  if (type === 'COGNITO_USER_POOLS' || type === 'JWT') return 'cognito'
  return type === 'NONE' ? 'none' : 'other'
}

/** `GET /orders/{id}`; `$default` is every route that no other one is; null for what is no HTTP route. */
function routeKey(value: Value | undefined): { method: Value; path: Value } | undefined | null {
  if (value === undefined) return undefined
  const { at, refs } = value
  const text = textOf(value)
  if (text === undefined) return { method: unknown(at), path: unknown(at, refs) }
  if (text === '$default') return { method: scalar(at, 'ANY'), path: scalar(at, '/{proxy+}') }
  const [, method, path] = /^([A-Za-z]+) (\/.*)$/.exec(text) ?? []
  if (method === undefined || path === undefined) return null
  return { method: scalar(at, method), path: scalar(at, path, refs) }
}

/** Follows the resources of a REST API up to its root, part by part. */
function restPath(method: Resource, resources: Resources): Value {
  const parts: Value[] = []
  let id = property(method.properties, 'ResourceId')
  const at = id?.at ?? method.at
  for (;;) {
    if (id?.kind !== 'unknown') return unknown(at)
    const { resource = '', attribute = '' } = id.source
    if (/^(?:RootResourceId|root_resource_id)$/.test(attribute)) break
    const parent = resources.get(resource)
    const part = parent && property(parent.properties, 'PathPart')
    if (parent === undefined || part === undefined || parts.length > MAX_PARTS) return unknown(at)
    parts.unshift(scalar(at, '/'), part)
    id = property(parent.properties, 'ParentId')
  }
  return parts.length === 0 ? scalar(at, '/') : concatenated(at, parts)
}

/** What a dialect's reader gives. */
export interface ReadResources {
  readonly dialect: InfraModel['dialect']
  readonly resources: readonly Resource[]
  readonly dangling: readonly DanglingReference[]
  /** False where macros, modules or includes may add resources. */
  readonly complete: boolean
  readonly outputs: readonly InfraOutput[]
  /** SAM's `Globals`, by section. */
  readonly globals: ReadonlyMap<string, Value>
}

export function toModel(files: readonly string[], read: ReadResources): InfraModel {
  const { dialect, dangling, complete, outputs, globals } = read
  const resources = waitingThrough(read.resources)
  const byId = new Map(resources.map((resource) => [resource.id, resource]))
  const all = <T>(types: readonly string[], convert: (resource: Resource) => T) =>
    resources.filter(({ type }) => types.includes(type)).map(convert)
  const sam = samApis(resources, globals)
  const authorizers = all(
    ['AWS::ApiGateway::Authorizer', 'AWS::ApiGatewayV2::Authorizer'],
    toAuthorizer,
  ).filter((authorizer) => authorizer !== undefined)
  const routes = all(['AWS::ApiGateway::Method', 'AWS::ApiGatewayV2::Route'], (resource) =>
    toRoute(resource, byId),
  ).filter((route) => route !== undefined)
  const described = resources
    .filter((resource) => !resource.type.startsWith('AWS::Serverless::') && hasBody(resource))
    .map((resource) => bodyFacts(resource, new Map(), () => undefined))
  return {
    dialect,
    files,
    userPools: all(['AWS::Cognito::UserPool'], toUserPool),
    domains: all(['AWS::Cognito::UserPoolDomain'], toDomain),
    resourceServers: all(['AWS::Cognito::UserPoolResourceServer'], toResourceServer),
    clients: all(['AWS::Cognito::UserPoolClient'], toClient),
    parameters: all(['AWS::SSM::Parameter'], toParameter),
    outputs,
    authorizers: [
      ...authorizers,
      ...described.flatMap((one) => one.authorizers),
      ...sam.authorizers,
    ],
    routes: [...routes, ...described.flatMap((one) => one.routes), ...sam.routes],
    dangling,
    complete,
  }
}
