/** Creates the CloudFormation resources of an HTTP API: a route for each route, and one integration. */
import type { GatewayRoute, ReadApi } from '../definition/api.ts'
import { API, AUTHORIZER, BACKEND, createAuthorization, type PoolValues } from './gateway.ts'
import { toLogicalId, toPathWords } from './names.ts'
import { createCall, createRef, withComment, type Yaml, type YamlMap } from './yaml.ts'

const INTEGRATION = 'ApiIntegration'

const toRouteId = ({ method, path }: GatewayRoute): string =>
  toLogicalId('ApiRoute', [method.toLowerCase(), ...toPathWords(path)])

export function createHttpResources(
  api: ReadApi,
  routes: readonly GatewayRoute[],
  pool: PoolValues,
): YamlMap {
  const resources: Record<string, Yaml> = {
    [API]: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: { Name: api.name, ProtocolType: 'HTTP' },
    },
    [AUTHORIZER]: {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId: createRef(API),
        Name: api.name,
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: pool.issuer, Audience: pool.audience },
      },
    },
    [INTEGRATION]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: createRef(API),
        IntegrationType: 'HTTP_PROXY',
        IntegrationMethod: 'ANY',
        IntegrationUri: createRef(BACKEND),
        PayloadFormatVersion: '1.0',
        RequestParameters: withComment(
          'One integration for every route. It forwards the path of the request.',
          { 'overwrite:path': '$request.path' },
        ),
      },
    },
  }
  for (const route of routes) {
    resources[toRouteId(route)] = withComment(route.note, {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: createRef(API),
        RouteKey: `${route.method} ${route.path}`,
        ...createAuthorization('JWT', route, pool),
        Target: createCall('Sub', `integrations/\${${INTEGRATION}}`),
      },
    })
  }
  resources['ApiStage'] = {
    Type: 'AWS::ApiGatewayV2::Stage',
    Properties: { ApiId: createRef(API), StageName: '$default', AutoDeploy: true },
  }
  return resources
}
