/** APIs that an OpenAPI document in the template describes → authorizers and routes of the model. */

import { createScalar, getText, type Resource, type Value } from '../resolve/value.ts'
import {
  getMember,
  getMemberPosition,
  getProperty,
  omitUndefined,
  toInfraResource,
  toNumberFact,
  toOneOrMore,
  toTextFact,
  toTextList,
} from './facts.ts'
import type { FactList, InfraAuthorizer, InfraRoute } from './model.ts'

interface Body {
  readonly property: string
  /** The property that names a document elsewhere. */
  readonly elsewhere: string
}

const RAW: Body = { property: 'Body', elsewhere: 'BodyS3Location' }
const SAM: Body = { property: 'DefinitionBody', elsewhere: 'DefinitionUri' }
const APIS: ReadonlyMap<string, Body> = new Map([
  ['AWS::ApiGateway::RestApi', RAW],
  ['AWS::ApiGatewayV2::Api', RAW],
  ['AWS::Serverless::Api', SAM],
  ['AWS::Serverless::HttpApi', SAM],
])

const ANY = 'x-amazon-apigateway-any-method'
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', ANY])

/** The authorizer's part of a route. */
export type Guard = Partial<Pick<InfraRoute, 'authorization' | 'authorizer' | 'scopes'>>

/** Whether a document says which routes the API has. */
export function hasOpenApiBody({ type, properties }: Resource): boolean {
  const body = APIS.get(type)
  if (body === undefined) return false
  return [body.property, body.elsewhere].some((key) => getProperty(properties, key) !== undefined)
}

/**
 * Authorizers and routes of an API that has a document. A document that cannot be read becomes one unknown
 * route, which matches every request.
 *
 * @param unsecured What guards an operation that names no security itself.
 */
export function readOpenApiBody(
  resource: Resource,
  others: ReadonlyMap<string, InfraAuthorizer>,
  unsecured: (method: string, path: string) => Guard | undefined,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const { property: key } = APIS.get(resource.type) as Body
  const body = getProperty(resource.properties, key)
  const byName = new Map([...readAuthorizers(resource, body), ...others])
  const authorizers = [...byName.values()]
  const paths = getMember(body, 'paths')
  if (body?.kind !== 'map' || !body.complete || paths?.kind !== 'map' || !paths.complete) {
    return { authorizers, routes: [{ ...toInfraResource(resource), api: resource.id }] }
  }
  const shared = getMember(body, 'security')
  const routes = [...paths.entries].flatMap(([path, item]) => {
    if (item.kind !== 'map') return []
    return [...item.entries].flatMap(([name, operation]) => {
      if (!METHODS.has(name.toLowerCase())) return []
      const method = name === ANY ? 'ANY' : name.toUpperCase()
      const operationSecurity = getMember(operation, 'security')
      const at = getMemberPosition(item, name)
      const literal = { at, source: {}, refs: [] }
      return omitUndefined<InfraRoute>({
        ...toInfraResource(resource),
        id: `${resource.id} ${method} ${path}`,
        at,
        api: resource.id,
        method: { ...literal, value: method },
        path: { ...literal, value: path === '/$default' ? '/{proxy+}' : path },
        ...((operationSecurity === undefined ? unsecured(method, path) : undefined) ??
          toGuard(operationSecurity ?? shared, operation, byName)),
      })
    })
  })
  return { authorizers, routes }
}

function readAuthorizers(
  resource: Resource,
  body: Value | undefined,
): (readonly [string, InfraAuthorizer])[] {
  const schemes =
    getMember(getMember(body, 'components'), 'securitySchemes') ??
    getMember(body, 'securityDefinitions')
  if (schemes?.kind !== 'map') return []
  return [...schemes.entries].flatMap(([name, scheme]) => {
    const settings = getMember(scheme, 'x-amazon-apigateway-authorizer')
    const type = getText(getMember(settings, 'type'))?.toLowerCase()
    if (type !== 'cognito_user_pools' && type !== 'jwt') return []
    const rest = type === 'cognito_user_pools'
    const issuer = getMember(getMember(settings, 'jwtConfiguration'), 'issuer')
    const authorizer = omitUndefined<InfraAuthorizer>({
      ...toInfraResource(resource),
      id: `${resource.id}.${name}`,
      at: scheme.at,
      kind: rest ? 'rest' : 'http',
      api: resource.id,
      name: toTextFact(createScalar(scheme.at, name)),
      userPools: toOneOrMore(rest ? getMember(settings, 'providerARNs') : issuer),
      scopes: undefined,
      ttl: toNumberFact(getMember(settings, 'authorizerResultTtlInSeconds')),
    })
    return [[name, authorizer] as const]
  })
}

/** One of the alternatives that `security` names: API Gateway takes one authorizer beside API keys. */
function toGuard(
  security: Value | undefined,
  operation: Value,
  authorizers: ReadonlyMap<string, InfraAuthorizer>,
): Guard {
  if (getMember(operation, 'x-amazon-apigateway-auth') !== undefined)
    return { authorization: 'other' }
  if (security === undefined) return { authorization: 'none' }
  if (security.kind !== 'list' || !security.complete) return {}
  const named = security.items.flatMap((item) => (item.kind === 'map' ? [...item.entries] : []))
  if (named.length === 0) return { authorization: 'none' }
  for (const [name, list] of named) {
    const found = authorizers.get(name)
    const scopes: FactList<string> | undefined = toTextList(list)
    if (found === undefined) continue
    return { authorization: 'cognito', authorizer: found.id, ...(scopes && { scopes }) }
  }
  return { authorization: 'other' }
}
