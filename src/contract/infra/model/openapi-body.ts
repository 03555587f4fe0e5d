/** Reads authorizers and routes from OpenAPI documents inside of templates. */
import { omitUndefined } from '../../../core/options/validate.ts'
import { createScalar, getText, type Resource, type Value } from '../resolve/value.ts'
import {
  getMember,
  getMemberPosition,
  getProperty,
  toAudience,
  toInfraResource,
  toNumberFact,
  toOneOrMore,
  toTextFact,
  toTextList,
} from './facts.ts'
import type { FactList, InfraAuthorizer, InfraRoute } from './model.ts'

interface Body {
  readonly property: string
  /** The property that refers to a document in another file. */
  readonly uriProperty: string
}

const RAW: Body = { property: 'Body', uriProperty: 'BodyS3Location' }
const SAM: Body = { property: 'DefinitionBody', uriProperty: 'DefinitionUri' }
const APIS: ReadonlyMap<string, Body> = new Map([
  ['AWS::ApiGateway::RestApi', RAW],
  ['AWS::ApiGatewayV2::Api', RAW],
  ['AWS::Serverless::Api', SAM],
  ['AWS::Serverless::HttpApi', SAM],
])

const ANY = 'x-amazon-apigateway-any-method'
/** The scheme, without a definition, that SAM generates for operations without an authorizer. */
const SAM_NONE = 'NONE'
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', ANY])

/** The members of a route that describe its authorization. */
export type Authorization = Partial<Pick<InfraRoute, 'authorization' | 'authorizer' | 'scopes'>>

/** Whether an OpenAPI document defines the routes of the API. */
export function hasOpenApiBody({ type, properties }: Resource): boolean {
  const body = APIS.get(type)
  if (body === undefined) return false
  return [body.property, body.uriProperty].some((key) => getProperty(properties, key) !== undefined)
}

/**
 * Reads authorizers and routes of an API that has a document. A document with unknown parts becomes one unknown
 * route, which may match any request.
 *
 * @param otherAuthorizers Authorizers that are defined outside of the document, by name.
 * @param getDefault Returns the authorization of an operation without `security`. Undefined: the document decides.
 */
export function readOpenApiBody(
  resource: Resource,
  otherAuthorizers: ReadonlyMap<string, InfraAuthorizer>,
  getDefault: (method: string, path: string) => Authorization | undefined,
): { authorizers: readonly InfraAuthorizer[]; routes: readonly InfraRoute[] } {
  const { property: key } = APIS.get(resource.type) as Body
  const body = getProperty(resource.properties, key)
  const byName = new Map([...readAuthorizers(resource, body), ...otherAuthorizers])
  const authorizers = [...byName.values()]
  const paths = getMember(body, 'paths')
  if (body?.kind !== 'map' || !body.complete || paths?.kind !== 'map' || !paths.complete) {
    return { authorizers, routes: [{ ...toInfraResource(resource), api: resource.id }] }
  }
  const documentSecurity = getMember(body, 'security')
  const routes = [...paths.entries].flatMap(([path, item]) => {
    if (item.kind !== 'map') return []
    return [...item.entries].flatMap(([name, operation]) => {
      if (!METHODS.has(name.toLowerCase())) return []
      const method = name === ANY ? 'ANY' : name.toUpperCase()
      const operationSecurity = getMember(operation, 'security')
      const at = getMemberPosition(item, name)
      const literal = { at, source: {}, refs: [] }
      const authorization = operationSecurity === undefined ? getDefault(method, path) : undefined
      return omitUndefined<InfraRoute>({
        ...toInfraResource(resource),
        id: `${resource.id} ${method} ${path}`,
        at,
        api: resource.id,
        method: { ...literal, value: method },
        path: { ...literal, value: path === '/$default' ? '/{proxy+}' : path },
        ...(authorization ??
          toAuthorization(operationSecurity ?? documentSecurity, operation, byName)),
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
    const configuration = getMember(settings, 'jwtConfiguration')
    const issuer = getMember(configuration, 'issuer')
    const authorizer = omitUndefined<InfraAuthorizer>({
      ...toInfraResource(resource),
      id: `${resource.id}.${name}`,
      at: scheme.at,
      kind: rest ? 'rest' : 'http',
      api: resource.id,
      name: toTextFact(createScalar(scheme.at, name)),
      userPools: toOneOrMore(rest ? getMember(settings, 'providerARNs') : issuer),
      audience: rest ? undefined : toAudience(configuration, 'audience'),
      scopes: undefined,
      ttl: toNumberFact(getMember(settings, 'authorizerResultTtlInSeconds')),
    })
    return [[name, authorizer] as const]
  })
}

/** Finds the authorizer among the schemes of `security`: API Gateway supports one, in addition to API keys. */
function toAuthorization(
  security: Value | undefined,
  operation: Value,
  authorizers: ReadonlyMap<string, InfraAuthorizer>,
): Authorization {
  if (getMember(operation, 'x-amazon-apigateway-auth') !== undefined)
    return { authorization: 'other' }
  if (security === undefined) return { authorization: 'none' }
  if (security.kind !== 'list' || !security.complete) return {}
  const schemes = security.items
    .flatMap((item) => (item.kind === 'map' ? [...item.entries] : []))
    .filter(([name]) => name !== SAM_NONE)
  if (schemes.length === 0) return { authorization: 'none' }
  for (const [name, list] of schemes) {
    const authorizer = authorizers.get(name)
    if (authorizer === undefined) continue
    const scopes = toTextList(list) as FactList<string>
    return { authorization: 'cognito', authorizer: authorizer.id, scopes }
  }
  return { authorization: 'other' }
}
