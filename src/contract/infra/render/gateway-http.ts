/** Creates the CloudFormation resources of an HTTP API: a route for each route, and one integration. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import type { ReadDefinition } from '../definition/definition.ts'
import {
  type ApiIds,
  createAuthorization,
  createLogGroup,
  createLogSettings,
  createTagMap,
  createThrottling,
  type PoolValues,
  withStage,
} from './gateway.ts'
import { toLogicalId, toPathWords } from './names.ts'
import { createCall, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

const toRouteId = ({ method, path }: GatewayRoute, { prefix }: ApiIds): string =>
  toLogicalId(prefix, [method.toLowerCase(), ...toPathWords(path)])

export function createHttpResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  ids: ApiIds,
  pool: PoolValues,
  definition: ReadDefinition,
): YamlMap {
  const ApiId = createRef(ids.api)
  const resources: Record<string, Yaml> = {
    [ids.api]: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: {
        Name: withStage(api.name, definition),
        ProtocolType: 'HTTP',
        ...createTagMap(definition),
      },
    },
    [ids.authorizer]: {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId,
        Name: api.name,
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: pool.issuer, Audience: pool.audience },
      },
    },
    [ids.integration]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId,
        IntegrationType: 'HTTP_PROXY',
        IntegrationMethod: 'ANY',
        IntegrationUri: createRef(ids.backend),
        PayloadFormatVersion: '1.0',
        RequestParameters: withComment(
          'One integration for every route. It forwards the path of the request.',
          { 'overwrite:path': '$request.path' },
        ),
      },
    },
  }
  for (const route of routes) {
    resources[toRouteId(route, ids)] = withComment(route.note, {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId,
        RouteKey: `${route.method} ${route.path}`,
        ...createAuthorization('JWT', route, ids, pool),
        Target: createCall('Sub', `integrations/\${${ids.integration}}`),
      },
    })
  }
  resources[ids.stage] = {
    Type: 'AWS::ApiGatewayV2::Stage',
    Properties: {
      ApiId,
      StageName: '$default',
      AutoDeploy: true,
      ...createLogSettings(api, ids, 'AccessLogSettings'),
      ...createThrottling(api),
      ...createTagMap(definition),
    },
  }
  return { ...resources, ...createLogGroup(api, ids, definition) }
}
