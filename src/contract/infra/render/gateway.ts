/** What REST and HTTP APIs share in CloudFormation: names, parameters and authorization. */
import type { GatewayRoute } from '../definition/api.ts'
import { createCall, createRef, type Yaml, type YamlMap } from './yaml.ts'

/** What an API takes from its user pool. */
export interface PoolValues {
  readonly arn: Yaml
  readonly issuer: Yaml
  /** The ids of the clients. */
  readonly audience: Yaml
  readonly scope: (scope: string) => Yaml
}

export const API = 'Api'
export const AUTHORIZER = 'ApiAuthorizer'
export const BACKEND = 'BackendUrl'

export const apiParameters: YamlMap = {
  [BACKEND]: {
    Type: 'String',
    Description: 'Where the app behind the API is reached, for example https://app.example.com',
    // Tokens are passed on to it.
    AllowedPattern: '^https://[^/?#]+$',
    ConstraintDescription: 'https:// and a host, without a path',
  },
}

/**
 * A variable of a REST API's stage, so that another backend needs no other deployment: what an
 * integration takes it for is a host.
 */
export const backendHost: Yaml = createCall('Select', [
  1,
  createCall('Split', ['https://', createRef(BACKEND)]),
])

/** Who judges tokens on a route, and the scopes it admits. */
export function createAuthorization(
  type: string,
  route: GatewayRoute,
  { scope }: PoolValues,
): YamlMap {
  if (route.isPublic) return { AuthorizationType: 'NONE' }
  const scopes = route.scopes.map(scope)
  return {
    AuthorizationType: type,
    AuthorizerId: createRef(AUTHORIZER),
    ...(scopes.length > 0 && { AuthorizationScopes: scopes }),
  }
}
