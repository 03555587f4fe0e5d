/** Resources of API Gateway → authorizers and routes of the model. */

import {
  concatenated,
  type Resource,
  scalar,
  textOf,
  unknown,
  type Value,
} from '../resolve/value.ts'
import {
  common,
  member,
  numberFact,
  oneOrMore,
  property,
  resourceOf,
  textFact,
  textList,
  written,
} from './facts.ts'
import type { Fact, InfraAuthorizer, InfraRoute } from './model.ts'

/** Parts of a path, and the slashes between them: more are a circle. */
const MAX_PARTS = 200

type Resources = ReadonlyMap<string, Resource>

/** Undefined for authorizers that do not judge Cognito's tokens by themselves. */
export function toAuthorizer(resource: Resource): InfraAuthorizer | undefined {
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
