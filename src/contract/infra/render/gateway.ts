/** Names, parameters and authorization that REST and HTTP APIs share in CloudFormation. */
import type { GatewayRoute } from '../definition/api.ts'
import { createCall, createRef, type Yaml, type YamlMap } from './yaml.ts'

/** The values of a user pool that an API refers to. */
export interface PoolValues {
  readonly arn: Yaml
  readonly issuer: Yaml
  /** The ids of the clients. */
  readonly audience: Yaml
  readonly composeScope: (scope: string) => Yaml
}

export const API = 'Api'
export const AUTHORIZER = 'ApiAuthorizer'
export const BACKEND = 'BackendUrl'

export const API_PARAMETERS: YamlMap = {
  [BACKEND]: {
    Type: 'String',
    Description: 'URL of the app behind the API, for example https://app.example.com',
    // https only, because the API forwards tokens.
    AllowedPattern: '^https://[^/?#]+$',
    ConstraintDescription: 'https:// and a host, without a path',
  },
}

/**
 * The host of the backend, which is a variable of the stage of a REST API. A new backend then needs no new deployment.
 */
export const BACKEND_HOST: Yaml = createCall('Select', [
  1,
  createCall('Split', ['https://', createRef(BACKEND)]),
])

/** Creates the authorization of a route: its authorizer, and the scopes that the authorizer accepts. */
export function createAuthorization(
  type: string,
  route: GatewayRoute,
  { composeScope }: PoolValues,
): YamlMap {
  if (route.isPublic) return { AuthorizationType: 'NONE' }
  const authorization = { AuthorizationType: type, AuthorizerId: createRef(AUTHORIZER) }
  if (route.scopes.length === 0) return authorization
  return { ...authorization, AuthorizationScopes: route.scopes.map(composeScope) }
}
